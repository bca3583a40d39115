//! Our agent's answers beside those of SPIRE's agent, to the letter but for keys, certificates and nonces.

use std::path::Path;

use harness::{Domain, Options, Program, skip};
use prost::Message as _;
use prost_types::value::Kind;
use prost_types::{Any, Struct, Value};
use proto::envoy::config::core::v3::node::UserAgentVersionType;
use proto::envoy::config::core::v3::{BuildVersion, Node};
use proto::envoy::extensions::transport_sockets::tls::v3::{Secret, SpiffeCertValidatorConfig, secret};
use proto::envoy::service::discovery::v3::{DiscoveryRequest, DiscoveryResponse};
use proto::envoy::service::secret::v3::secret_discovery_service_client::SecretDiscoveryServiceClient;
use proto::envoy::r#type::v3::SemanticVersion;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, Streaming};

const SECRET: &str = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";

/// Text with each block of PEM as its label alone.
fn masked(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().filter(|line| line.starts_with("-----BEGIN"));
    let ended = if text.is_empty() || text.ends_with("-----\n") { "" } else { " without a last newline" };
    format!("{}{ended}", lines.collect::<Vec<_>>().join(" "))
}

fn resource(any: &Any) -> String {
    let mut secret = Secret::decode(any.value.as_slice()).unwrap();
    assert_eq!(secret.encode_to_vec(), any.value, "nothing that this test does not know");
    let mask = |source: &mut Option<proto::envoy::config::core::v3::DataSource>| {
        let Some(source) = source else { return };
        let Some(proto::envoy::config::core::v3::data_source::Specifier::InlineBytes(bytes)) =
            &mut source.specifier
        else {
            panic!("{source:?}")
        };
        *bytes = masked(bytes).into_bytes();
    };
    let mut validator = None;
    match secret.r#type.as_mut().unwrap() {
        secret::Type::TlsCertificate(pair) => {
            mask(&mut pair.certificate_chain);
            mask(&mut pair.private_key);
        }
        secret::Type::ValidationContext(context) => {
            mask(&mut context.trusted_ca);
            if let Some(extension) = &mut context.custom_validator_config {
                let config = extension.typed_config.as_mut().unwrap();
                let mut read = SpiffeCertValidatorConfig::decode(config.value.as_slice()).unwrap();
                assert_eq!(read.encode_to_vec(), config.value);
                config.value.clear();
                read.trust_domains.iter_mut().for_each(|one| mask(&mut one.trust_bundle));
                validator = Some(read);
            }
        }
    }
    format!("{} {secret:?} {validator:?}", any.type_url)
}

fn told(answer: Result<DiscoveryResponse, Status>) -> String {
    match answer {
        Err(status) => format!("{:?}: {}", status.code(), status.message()),
        Ok(answer) => {
            let resources: Vec<String> = answer.resources.iter().map(resource).collect();
            let nonce = answer.nonce.chars().all(|one| "0123456789abcdef".contains(one));
            let nonce = (answer.nonce.len(), nonce);
            format!("{:?} {} {nonce:?} {resources:#?}", answer.version_info, answer.type_url)
        }
    }
}

fn node(disabled: Option<Kind>, version: Option<(u32, u32)>) -> Option<Node> {
    let kind = |kind| Struct {
        fields: [("disable_spiffe_cert_validation".to_owned(), Value { kind: Some(kind) })].into(),
    };
    let version = version.map(|(major_number, minor_number)| BuildVersion {
        version: Some(SemanticVersion { major_number, minor_number, patch: 0 }),
    });
    Some(Node {
        metadata: disabled.map(kind),
        user_agent_version_type: version.map(UserAgentVersionType::UserAgentBuildVersion),
        ..Node::default()
    })
}

fn asking(names: &[&str], node: Option<Node>) -> DiscoveryRequest {
    let resource_names = names.iter().map(|name| (*name).to_owned()).collect();
    DiscoveryRequest { resource_names, type_url: SECRET.to_owned(), node, ..DiscoveryRequest::default() }
}

/// A stream, both ends.
struct Talk(mpsc::UnboundedSender<DiscoveryRequest>, Streaming<DiscoveryResponse>);

impl Talk {
    /// Opens a stream with a first request: SPIRE's agent says nothing before it has heard one.
    async fn open(
        client: &mut SecretDiscoveryServiceClient<Channel>,
        first: DiscoveryRequest,
    ) -> Result<(Self, DiscoveryResponse), Status> {
        let (say, said) = mpsc::unbounded_channel();
        say.send(first).unwrap();
        let hear = within(client.stream_secrets(UnboundedReceiverStream::new(said))).await?.into_inner();
        let mut talk = Self(say, hear);
        let answer = talk.next().await?;
        Ok((talk, answer))
    }

    async fn hear(&mut self, request: DiscoveryRequest) -> Result<DiscoveryResponse, Status> {
        self.0.send(request).unwrap();
        self.next().await
    }

    async fn next(&mut self) -> Result<DiscoveryResponse, Status> {
        within(self.1.message()).await.map(|one| one.expect("the stream goes on"))
    }
}

async fn within<T>(answer: impl Future<Output = T>) -> T {
    tokio::time::timeout(std::time::Duration::from_secs(30), answer).await.expect("an answer comes")
}

fn ack(answer: &DiscoveryResponse, names: &[&str]) -> DiscoveryRequest {
    let (version_info, response_nonce) = (answer.version_info.clone(), answer.nonce.clone());
    DiscoveryRequest { version_info, response_nonce, ..asking(names, None) }
}

/// What an agent answers to everything that a client may ask.
async fn answers(socket: &Path) -> Vec<String> {
    let channel =
        Endpoint::from_shared(format!("unix:{}", socket.display())).unwrap().connect().await.unwrap();
    let mut client = SecretDiscoveryServiceClient::new(channel);
    let text = |text: &str| Some(Kind::StringValue(text.to_owned()));
    let own = "spiffe://example.org";
    let (a, b) = ("spiffe://example.org/a", "spiffe://example.org/b");
    let lists: [&[&str]; 18] = [
        &[],
        &["", ""],
        &["default"],
        &["ROOTCA"],
        &["ALL"],
        &[own],
        &["spiffe://other.example"],
        &[a],
        &[b],
        &["default", "ROOTCA"],
        &["default", b, own],
        &["default", a],
        &["ROOTCA", own],
        &["ALL", "ROOTCA"],
        &["nobody", "a \"quoted\" n\u{e4}me\n"],
        &["spiffe://example.org/c"],
        &["default", "default", ""],
        &["ALL", a, "spiffe://other.example"],
    ];
    let nodes = [
        None,
        node(Some(Kind::BoolValue(true)), None),
        node(text("true"), Some((1, 40))),
        node(text("perhaps"), Some((1, 17))),
        node(Some(Kind::NumberValue(1.0)), Some((0, 9))),
        node(text("f"), Some((1, 18))),
    ];
    let mut all = Vec::new();
    for list in lists {
        for node in &nodes {
            let fetched =
                within(client.fetch_secrets(asking(list, node.clone()))).await.map(|one| one.into_inner());
            all.push(format!("fetch {list:?} {node:?}: {}", told(fetched)));
        }
        let streamed = Talk::open(&mut client, asking(list, None)).await.map(|(_, answer)| answer);
        all.push(format!("stream {list:?}: {}", told(streamed)));
    }
    let other = DiscoveryRequest { type_url: "x".to_owned(), ..asking(&["ROOTCA"], None) };
    all.push(told(client.fetch_secrets(other).await.map(|one| one.into_inner())));

    // A conversation: the node is remembered, a stale nonce passed over, a rejection not answered.
    let first = asking(&["ROOTCA"], node(text("1"), None));
    let (mut talk, first) = Talk::open(&mut client, first).await.unwrap();
    all.push(told(Ok(first.clone())));
    let rejected = DiscoveryRequest {
        version_info: String::new(),
        error_detail: Some(proto::google::rpc::Status { message: "no".into(), ..Default::default() }),
        ..ack(&first, &["ROOTCA"])
    };
    talk.0.send(rejected).unwrap();
    talk.0.send(DiscoveryRequest { response_nonce: "stale".into(), ..ack(&first, &["default"]) }).unwrap();
    let second = talk.hear(ack(&first, &[own, "default"])).await.unwrap();
    all.push(told(Ok(second.clone())));
    let third = talk.hear(ack(&second, &[])).await.unwrap();
    all.push(told(Ok(third.clone())));
    all.push(told(talk.hear(ack(&third, &["nobody"])).await));
    all
}

fn domain(agent: Program) -> Domain {
    let domain = Domain::start(Options::default().programs(Program::Bonafide, agent));
    let other = domain.folder().join("other.pem");
    std::fs::write(&other, domain.cli(&["bundle", "show"]).succeeds().stdout).unwrap();
    domain
        .cli(&["bundle", "set", "-id", "spiffe://other.example", "-path", other.to_str().unwrap()])
        .succeeds();
    domain.entry(&domain.id("b"), &["-entryID", "b"]);
    domain.workload(&domain.id("a"), &["-entryID", "a", "-federatesWith", "spiffe://other.example"]);
    domain
}

#[test]
fn our_agent_answers_what_spires_agent_does() {
    if let Err(missing) = Program::Spire.available() {
        return skip("SDS beside SPIRE's agent", &missing);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let [ours, theirs] = [Program::Bonafide, Program::Spire].map(|agent| {
        let domain = domain(agent);
        let settled = std::time::Duration::from_secs(30);
        harness::eventually("both identities and the foreign authorities", settled, || {
            let all = domain.agent().cli(&["api", "fetch", "x509"]).stdout;
            (all.contains("/a") && all.contains("/b") && all.contains("other.example")).then_some(())
        });
        runtime.block_on(answers(&domain.agent().socket()))
    });
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.len(), theirs.len());
}
