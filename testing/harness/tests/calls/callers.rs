//! One of each kind of caller, with a connection to the server.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::{Domain, Options, Program};
use prost::Message as _;
use proto::spire::api::server::agent::v1::{
    AgentX509svidParams, AttestAgentRequest, AttestAgentResponse, attest_agent_request, attest_agent_response,
};
use proto::spire::api::types::AttestationData;
use spiffe::key::{KeyType, PrivateKey, Signer as _};
use spiffe::x509::{Certificate, Csr, LeafTemplate, X509Issuer};
use spiffe::{SpiffeId, TrustDomain};
use tonic::transport::Channel;

use super::wire::{Shown, call, call_with, over_socket, over_tls};

/// A server and everyone who may call it.
pub(crate) struct Callers {
    domain: Domain,
    /// The trust domain of the foreign administrator.
    _foreign: Domain,
    port: u16,
    all: Vec<(&'static str, Channel)>,
    /// The agent that is believed.
    pub(crate) agent: Shown,
    /// An ordinary member of the foreign trust domain.
    pub(crate) foreigner: Shown,
}

/// How long the SVID lives that is to end while its connection goes on.
const SHORT: Duration = Duration::from_secs(4);

impl Callers {
    /// Starts a server and has everyone connect.
    pub(crate) async fn meet(program: Program) -> Self {
        Self::meet_under(program, "").await
    }

    /// The same with one more line of the server's configuration.
    pub(crate) async fn meet_under(program: Program, line: &str) -> Self {
        let foreign = Options { trust_domain: "foreign.test".to_owned(), ..Options::default() };
        let foreign = Domain::start_server(foreign.programs(program, program));
        let options = Options::default()
            .programs(program, program)
            .server_line(
                "admin_ids = [\"spiffe://example.org/configured-admin\", \"spiffe://foreign.test/admin\"]",
            )
            .server_line("ratelimit { attestation = false }")
            .server_line(line);
        let domain = Domain::start_server(options);
        federate(&domain, &foreign);
        for (name, flag) in
            [("admin", Some("-admin")), ("downstream", Some("-downstream")), ("workload", None)]
        {
            entry(&domain, name, flag);
        }
        let port = domain.peek_server().port();
        let tls = |shown: &Shown| over_tls(port, Some(shown.clone()));
        let socket = over_socket(&domain.peek_server().socket()).await;

        let agent = attest(&domain, port).await;
        let banned = attest(&domain, port).await;
        let id = id_of(&banned);
        domain.cli(&["agent", "ban", "-spiffeID", &id]).succeeds();
        // As a banned agent would be told, but of one that the server has forgotten.
        let forgotten = attest(&domain, port).await;
        domain.cli(&["agent", "evict", "-spiffeID", &id_of(&forgotten)]).succeeds();
        let stale = forged_leaf(&domain, &id_of(&agent), Duration::from_secs(3600));

        let expired = tls(&forged_leaf(&domain, &id_of(&agent), SHORT));
        call(&expired, "/spire.api.server.bundle.v1.Bundle/GetBundle").await.unwrap();
        tokio::time::sleep(SHORT + Duration::from_secs(2)).await;

        let mint = |domain: &Domain, id: &str| over_tls(port, Some(minted(domain, id)));
        let all = vec![
            ("nobody", over_tls(port, None)),
            ("local", socket),
            ("agent", tls(&agent)),
            ("banned agent", tls(&banned)),
            ("evicted agent", tls(&forgotten)),
            ("agent with another SVID", tls(&stale)),
            ("expired agent", expired),
            ("admin by entry", mint(&domain, "spiffe://example.org/admin")),
            ("admin by configuration", mint(&domain, "spiffe://example.org/configured-admin")),
            ("foreign admin", mint(&foreign, "spiffe://foreign.test/admin")),
            ("downstream", mint(&domain, "spiffe://example.org/downstream")),
            ("workload", mint(&domain, "spiffe://example.org/workload")),
        ];
        let foreigner = minted(&foreign, "spiffe://foreign.test/somebody");
        Self { domain, _foreign: foreign, port, all, agent, foreigner }
    }

    /// Everyone, by kind.
    pub(crate) fn all(&self) -> &[(&'static str, Channel)] {
        &self.all
    }

    /// The server's TCP port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The server's trust domain.
    pub(crate) fn domain(&self) -> &Domain {
        &self.domain
    }
}

/// Gives `domain` the bundle of `foreign`.
pub(crate) fn federate(domain: &Domain, foreign: &Domain) {
    let path = domain.folder().join("foreign.pem");
    std::fs::write(&path, foreign.cli(&["bundle", "show"]).succeeds().stdout).unwrap();
    let path = path.display().to_string();
    domain.cli(&["bundle", "set", "-id", "spiffe://foreign.test", "-path", &path]).succeeds();
}

fn entry(domain: &Domain, name: &str, flag: Option<&str>) {
    let id = domain.id(name);
    let parent = domain.id("parent");
    let create = ["entry", "create", "-spiffeID", &id, "-parentID", &parent, "-selector", "unix:uid:1"];
    domain.cli(&[&create[..], flag.as_slice()].concat()).succeeds();
}

/// An X.509-SVID from the server's operator.
fn minted(domain: &Domain, id: &str) -> Shown {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    domain.cli(&["x509", "mint", "-spiffeID", id, "-write", &path]).succeeds();
    let read = |file: &str| std::fs::read_to_string(folder.path().join(file)).unwrap();
    let ders = |text: &str, label| {
        let blocks = spiffe::pem::decode_all(text, label).unwrap();
        blocks.into_iter().map(|block| block.der.to_vec()).collect::<Vec<_>>()
    };
    let chain = ders(&read("svid.pem"), spiffe::pem::CERTIFICATE);
    Shown { chain, key: ders(&read("key.pem"), "PRIVATE KEY").remove(0) }
}

/// Attests a node that does not exist, by join token.
async fn attest(domain: &Domain, port: u16) -> Shown {
    let token = domain.join_token(&domain.id("alias"));
    let key = PrivateKey::generate(KeyType::EcP256).unwrap();
    let csr = Csr::build(&key, None, &[]).unwrap();
    let params = attest_agent_request::Params {
        data: Some(AttestationData { r#type: "join_token".to_owned(), payload: token.into_bytes() }),
        params: Some(AgentX509svidParams { csr }),
    };
    let request = AttestAgentRequest { step: Some(attest_agent_request::Step::Params(params)) };
    let attest = "/spire.api.server.agent.v1.Agent/AttestAgent";
    let answer = call_with(&over_tls(port, None), attest, request.encode_to_vec()).await.unwrap();
    match AttestAgentResponse::decode(answer.as_slice()).unwrap().step {
        Some(attest_agent_response::Step::Result(result)) => {
            Shown { chain: result.svid.unwrap().cert_chain, key: key.to_pkcs8().to_vec() }
        }
        other => panic!("instead of an SVID came {other:?}"),
    }
}

pub(crate) fn id_of(shown: &Shown) -> String {
    let leaf = Certificate::parse(shown.chain[0].clone()).unwrap();
    leaf.uri_sans()[0].clone()
}

/// The server's own authority: its certificate, and its key as the server keeps it.
pub(crate) fn authority(domain: &Domain) -> (Certificate, PrivateKey) {
    let pem = domain.cli(&["bundle", "show"]).succeeds().stdout;
    let blocks = spiffe::pem::decode_all(&pem, spiffe::pem::CERTIFICATE).unwrap();
    let certificate = Certificate::parse(blocks[0].der.to_vec()).unwrap();
    let mut keys = keys(&domain.peek_server().data()).into_iter();
    let key = keys.find(|key| key.public().spki_der() == certificate.spki());
    (certificate, key.expect("the server's disk has the key of its authority"))
}

fn keys(data: &Path) -> Vec<PrivateKey> {
    let text = std::fs::read_to_string(data.join("keys.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let keys = document["keys"].as_object().unwrap().values();
    keys.map(|key| PrivateKey::from_pkcs8(&STANDARD.decode(key.as_str().unwrap()).unwrap()).unwrap())
        .collect()
}

/// A leaf for `id` that the server's own key signs, without the server's knowledge.
fn forged_leaf(domain: &Domain, id: &str, life: Duration) -> Shown {
    let (certificate, authority) = authority(domain);
    let issuer = X509Issuer::new(certificate, Vec::new(), Arc::new(authority)).unwrap();
    let key = PrivateKey::generate(KeyType::EcP256).unwrap();
    let now = SystemTime::now();
    let id = SpiffeId::parse(id).unwrap();
    assert_eq!(id.trust_domain(), TrustDomain::parse("example.org").unwrap());
    // Whole seconds, so that the end is not a moment earlier than said.
    let now = UNIX_EPOCH + Duration::from_secs(now.duration_since(UNIX_EPOCH).unwrap().as_secs());
    let leaf = LeafTemplate::new(id, key.public().clone(), now - Duration::from_secs(10), now + life);
    let leaf = leaf.issue(&issuer).unwrap();
    Shown { chain: vec![leaf.der().to_vec()], key: key.to_pkcs8().to_vec() }
}
