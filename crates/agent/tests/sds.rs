//! Envoy's discovery of secrets, as a client sees it.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::time::Duration;

use prost::Message as _;
use proto::envoy::config::core::v3::{DataSource, data_source};
use proto::envoy::extensions::transport_sockets::tls::v3::{Secret, SpiffeCertValidatorConfig, secret};
use proto::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use proto::envoy::service::secret::v3::secret_discovery_service_client::SecretDiscoveryServiceClient;
use spiffe::pem;
use spiffe::x509::X509Svid;
use support::standin::{StandIn, entry};
use support::{Agent, Token};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Request, Status, Streaming};

const SECRET: &str = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";

async fn serving(
    entries: Vec<proto::spire::api::types::Entry>,
    change: impl FnOnce(&mut Agent),
) -> (StandIn, Agent, SecretDiscoveryServiceClient<Channel>) {
    let server = StandIn::without_feed().await;
    *server.world.entries.lock().unwrap() = entries;
    let mut agent = Agent::new(server.port, &server.bundle());
    change(&mut agent);
    agent.serve(Token("x".to_owned())).await;
    let client = SecretDiscoveryServiceClient::new(agent.channel().await);
    (server, agent, client)
}

fn asking(names: &[&str]) -> DiscoveryRequest {
    DiscoveryRequest {
        resource_names: names.iter().map(|name| (*name).to_owned()).collect(),
        type_url: SECRET.to_owned(),
        ..DiscoveryRequest::default()
    }
}

/// A stream of state of the world, both ends.
struct Talk {
    say: mpsc::UnboundedSender<DiscoveryRequest>,
    hear: Streaming<DiscoveryResponse>,
}

impl Talk {
    async fn open(client: &mut SecretDiscoveryServiceClient<Channel>) -> Self {
        let (say, said) = mpsc::unbounded_channel();
        let hear = client.stream_secrets(UnboundedReceiverStream::new(said)).await.unwrap().into_inner();
        Self { say, hear }
    }

    fn say(&self, request: DiscoveryRequest) {
        self.say.send(request).unwrap();
    }

    async fn next(&mut self) -> Result<DiscoveryResponse, Status> {
        let next = tokio::time::timeout(Duration::from_secs(30), self.hear.message());
        next.await.expect("an answer comes").map(|one| one.expect("the stream goes on"))
    }

    async fn silent(&mut self) {
        let next = tokio::time::timeout(Duration::from_millis(1500), self.hear.message()).await;
        assert!(next.is_err(), "nothing was to be said: {next:?}");
    }
}

fn ack(response: &DiscoveryResponse, names: &[&str]) -> DiscoveryRequest {
    let (version_info, response_nonce) = (response.version_info.clone(), response.nonce.clone());
    DiscoveryRequest { version_info, response_nonce, ..asking(names) }
}

fn secrets(response: &DiscoveryResponse) -> Vec<Secret> {
    assert_eq!(response.type_url, SECRET);
    let read = |any: &prost_types::Any| {
        assert_eq!(any.type_url, SECRET);
        let secret = Secret::decode(any.value.as_slice()).unwrap();
        assert_eq!(secret.encode_to_vec(), any.value, "written as the generated code writes it");
        secret
    };
    response.resources.iter().map(read).collect()
}

fn names(response: &DiscoveryResponse) -> Vec<String> {
    secrets(response).into_iter().map(|secret| secret.name).collect()
}

fn text(source: Option<&DataSource>) -> String {
    match source.unwrap().specifier.as_ref().unwrap() {
        data_source::Specifier::InlineBytes(bytes) => String::from_utf8(bytes.clone()).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// The leaf's serial number, of a secret that is a key and its certificates.
fn serial(secret: &Secret) -> Vec<u8> {
    let Some(secret::Type::TlsCertificate(pair)) = &secret.r#type else { panic!("{secret:?}") };
    let chain = pem::decode_all(&text(pair.certificate_chain.as_ref()), pem::CERTIFICATE).unwrap();
    let svid = X509Svid::parse_chain(chain.into_iter().map(|block| block.der.to_vec())).unwrap();
    let key = pem::decode_all(&text(pair.private_key.as_ref()), pem::PRIVATE_KEY).unwrap();
    let key = spiffe::key::PrivateKey::from_pkcs8(&key[0].der).unwrap();
    assert_eq!(svid.leaf().spki(), spiffe::key::Signer::public(&key).spki_der());
    svid.leaf().serial().to_vec()
}

/// The trust domains of a secret for the SPIFFE validator, each with how many authorities it has.
fn trusted(secret: &Secret) -> Vec<(String, usize)> {
    let Some(secret::Type::ValidationContext(context)) = &secret.r#type else { panic!("{secret:?}") };
    assert_eq!(context.trusted_ca, None);
    let extension = context.custom_validator_config.as_ref().unwrap();
    assert_eq!(extension.name, "envoy.tls.cert_validator.spiffe");
    let config = extension.typed_config.as_ref().unwrap();
    assert_eq!(
        config.type_url,
        "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig"
    );
    let config = SpiffeCertValidatorConfig::decode(config.value.as_slice()).unwrap();
    let count = |source: Option<&DataSource>| pem::decode(&text(source)).unwrap().len();
    config.trust_domains.iter().map(|one| (one.name.clone(), count(one.trust_bundle.as_ref()))).collect()
}

fn federated(id: &str, path: &str) -> proto::spire::api::types::Entry {
    proto::spire::api::types::Entry { federates_with: vec!["other.org".to_owned()], ..entry(id, path, 0) }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_come_by_name_without_the_workload_apis_header() {
    let (_server, _agent, mut client) =
        serving(vec![federated("a", "/a"), entry("b", "/b", 0)], |_| {}).await;
    let mut talk = Talk::open(&mut client).await;
    talk.say(asking(&["default", "ROOTCA"]));
    let answer = talk.next().await.unwrap();
    assert_eq!((answer.version_info.as_str(), answer.nonce.len()), ("1", 8));
    let all = secrets(&answer);
    assert_eq!(names(&answer), ["ROOTCA", "default"]);
    assert_eq!(trusted(&all[0]), [("example.org".to_owned(), 1)]);
    serial(&all[1]);

    let mut everything = Talk::open(&mut client).await;
    everything.say(asking(&[]));
    assert_eq!(
        names(&everything.next().await.unwrap()),
        ["spiffe://example.org", "spiffe://other.org", "spiffe://example.org/a", "spiffe://example.org/b"]
    );
    let fetched = client.fetch_secrets(asking(&["ALL"])).await.unwrap().into_inner();
    assert_eq!((fetched.version_info.as_str(), fetched.nonce.as_str()), ("", ""));
    assert_eq!(trusted(&secrets(&fetched)[0]), [("example.org".to_owned(), 1), ("other.org".to_owned(), 1)]);
    let status = client.fetch_secrets(asking(&["default", "nobody"])).await.unwrap_err();
    let words = "workload is not authorized for the requested identities [\"nobody\"]";
    assert_eq!((status.code(), status.message()), (Code::InvalidArgument, words));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_again_what_changes_and_nothing_else() {
    let (server, _agent, mut client) = serving(vec![entry("a", "/a", 0)], |_| {}).await;
    let mut talk = Talk::open(&mut client).await;
    talk.say(asking(&["default"]));
    let first = talk.next().await.unwrap();
    let serial_before = serial(&secrets(&first)[0]);
    talk.say(ack(&first, &["default"]));
    // A rejection is noted, and not answered with the same again.
    let rejected = DiscoveryRequest {
        version_info: String::new(),
        error_detail: Some(proto::google::rpc::Status { message: "no".into(), ..Default::default() }),
        ..ack(&first, &["default"])
    };
    talk.say(rejected);
    // A stale nonce is passed over, whatever it asks for.
    talk.say(DiscoveryRequest { response_nonce: "stale".into(), ..ack(&first, &["ROOTCA"]) });
    // What somebody else gets is no news here.
    server.world.entries.lock().unwrap().push(entry("z", "/z", 0));
    talk.silent().await;

    // Another list of names is answered at once; the version tells that the workload's rights changed meanwhile.
    talk.say(ack(&first, &["default", "spiffe://example.org/z"]));
    let second = talk.next().await.unwrap();
    assert_eq!(names(&second), ["default", "spiffe://example.org/z"]);
    assert_eq!(second.version_info, "2");
    talk.say(ack(&second, &["spiffe://example.org/z"]));
    let third = talk.next().await.unwrap();
    assert_eq!((names(&third).len(), third.version_info.as_str()), (1, "2"));
    assert_ne!(second.nonce, third.nonce);
    talk.say(ack(&third, &["default"]));
    let fourth = talk.next().await.unwrap();
    assert_eq!(serial(&secrets(&fourth)[0]), serial_before);

    // A new authority, whose predecessor is tainted, and a new SVID.
    server.world.taint();
    let mut last = fourth;
    while serial(&secrets(&last)[0]) == serial_before {
        last = talk.next().await.unwrap();
    }
    // An entry that is gone ends the stream.
    talk.say(ack(&last, &["default"]));
    server.world.entries.lock().unwrap().clear();
    let status = loop {
        match talk.next().await {
            Err(status) => break status,
            Ok(answer) => talk.say(ack(&answer, &["default"])),
        }
    };
    let words = "workload is not authorized for the requested identities [\"default\"]";
    assert_eq!((status.code(), status.message()), (Code::InvalidArgument, words));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_remembered_and_may_ask_for_a_plain_list() {
    let (_server, _agent, mut client) = serving(vec![entry("a", "/a", 0)], |_| {}).await;
    let mut talk = Talk::open(&mut client).await;
    let value = prost_types::Value { kind: Some(prost_types::value::Kind::StringValue("true".into())) };
    let metadata =
        prost_types::Struct { fields: [("disable_spiffe_cert_validation".to_owned(), value)].into() };
    let node = proto::envoy::config::core::v3::Node { metadata: Some(metadata), ..Default::default() };
    talk.say(DiscoveryRequest { node: Some(node), ..asking(&["ROOTCA"]) });
    let first = talk.next().await.unwrap();
    let plain = |secret: &Secret| match &secret.r#type {
        Some(secret::Type::ValidationContext(context)) => {
            assert_eq!(context.custom_validator_config, None);
            pem::decode(&text(context.trusted_ca.as_ref())).unwrap().len()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(plain(&secrets(&first)[0]), 1);
    talk.say(ack(&first, &["spiffe://example.org"]));
    assert_eq!(plain(&secrets(&talk.next().await.unwrap())[0]), 1);
    let second = Talk::open(&mut client).await;
    drop(second);
}

/// A stream of differences, both ends.
struct Delta {
    say: mpsc::UnboundedSender<DeltaDiscoveryRequest>,
    hear: Streaming<DeltaDiscoveryResponse>,
}

impl Delta {
    async fn open(client: &mut SecretDiscoveryServiceClient<Channel>, names: &[&str]) -> Self {
        let (say, said) = mpsc::unbounded_channel();
        let hear = client.delta_secrets(UnboundedReceiverStream::new(said)).await.unwrap().into_inner();
        let delta = Self { say, hear };
        delta.subscribe(names);
        delta
    }

    fn subscribe(&self, names: &[&str]) {
        let request = DeltaDiscoveryRequest {
            type_url: SECRET.to_owned(),
            resource_names_subscribe: names.iter().map(|name| (*name).to_owned()).collect(),
            ..DeltaDiscoveryRequest::default()
        };
        self.say.send(request).unwrap();
    }

    async fn next(&mut self) -> DeltaDiscoveryResponse {
        let next = tokio::time::timeout(Duration::from_secs(30), self.hear.message());
        next.await.expect("an answer comes").unwrap().expect("the stream goes on")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delta_sends_what_changed_and_names_that_come_later() {
    let (server, _agent, mut client) = serving(vec![entry("a", "/a", 0)], |_| {}).await;
    let mut delta = Delta::open(&mut client, &["default", "ROOTCA", "ALL", "spiffe://example.org/z"]).await;
    let first = delta.next().await;
    let sent: Vec<&str> = first.resources.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(sent, ["ALL", "ROOTCA", "default"], "names do not exclude each other");
    assert_eq!(first.removed_resources, ["spiffe://example.org/z"]);
    assert_eq!((first.type_url.as_str(), first.nonce.len()), (SECRET, 8));
    for one in &first.resources {
        let any = one.resource.as_ref().unwrap();
        let secret = Secret::decode(any.value.as_slice()).unwrap();
        assert_eq!((secret.name.as_str(), one.version.len()), (one.name.as_str(), 16));
    }
    server.world.entries.lock().unwrap().push(entry("z", "/z", 0));
    let second = delta.next().await;
    let sent: Vec<&str> = second.resources.iter().map(|one| one.name.as_str()).collect();
    assert_eq!((sent, second.removed_resources.len()), (vec!["spiffe://example.org/z"], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_entry_gets_the_authorities_and_no_key() {
    let (_server, agent, mut client) = serving(vec![entry("a", "/a", 0)], |_| {}).await;
    agent.says.set(&["unix:uid:7"]);
    let fetched = client.fetch_secrets(asking(&["ROOTCA"])).await.unwrap().into_inner();
    assert_eq!(names(&fetched), ["ROOTCA"]);
    let status = client.fetch_secrets(asking(&["default"])).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_names_are_refused() {
    let (_server, _agent, mut client) = serving(vec![entry("a", "/a", 0)], |_| {}).await;
    let many: Vec<String> = (0..1001).map(|n| format!("n{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(client.fetch_secrets(asking(&many)).await.unwrap_err().code(), Code::ResourceExhausted);
    let mut talk = Talk::open(&mut client).await;
    talk.say(asking(&many));
    assert_eq!(talk.next().await.unwrap_err().code(), Code::ResourceExhausted);
}

#[tokio::test(flavor = "multi_thread")]
async fn either_api_may_be_left_off_the_socket() {
    let (_server, agent, mut client) = serving(vec![entry("a", "/a", 0)], |agent| {
        agent.settings.workload_api = false;
    })
    .await;
    let fetched = client.fetch_secrets(asking(&["default"])).await.unwrap().into_inner();
    assert_eq!(names(&fetched), ["default"]);
    let request = support::with_header(proto::workload::X509svidRequest {});
    let status = agent.client().await.fetch_x509svid(request).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);

    let (_server, agent, mut client) = serving(vec![entry("a", "/a", 0)], |agent| {
        agent.settings.sds = None;
    })
    .await;
    let status = client.fetch_secrets(Request::new(asking(&["default"]))).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    support::svids(&agent.client().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_secrets_too_often_is_refused_by_the_limit_of_that_call() {
    let (_server, _agent, mut client) = serving(vec![entry("a", "/a", 0)], |agent| {
        agent.settings.call_limits.fetch_secrets = Some(1);
        agent.settings.call_limits.stream_secrets = Some(1);
    })
    .await;
    let refused = |path: &str| {
        let path = format!("rate limit exceeded for /envoy.service.secret.v3.SecretDiscoveryService/{path}");
        move |status: Status| {
            assert_eq!((status.code(), status.message()), (Code::Unavailable, path.as_str()))
        }
    };
    let mut fetched = 0;
    let status = loop {
        match client.fetch_secrets(asking(&[])).await {
            Ok(_) => fetched += 1,
            Err(status) => break status,
        }
        assert!(fetched < 20);
    };
    assert!(fetched > 0);
    refused("FetchSecrets")(status);
    // A stream has its own limit, and is counted when it is opened.
    let mut talks = vec![Talk::open(&mut client).await];
    talks[0].say(asking(&[]));
    talks[0].next().await.unwrap();
    let status = loop {
        let (say, said) = mpsc::unbounded_channel();
        say.send(asking(&[])).unwrap();
        match client.stream_secrets(UnboundedReceiverStream::new(said)).await {
            Ok(hear) => talks.push(Talk { say, hear: hear.into_inner() }),
            Err(status) => break status,
        }
        assert!(talks.len() < 20);
    };
    refused("StreamSecrets")(status);
}
