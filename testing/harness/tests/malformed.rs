//! What is oversized or malformed gets SPIRE 1.16's status and a message naming the field, and the process stays up.
//! Run with SPIRE's programs in the place of ours, these tests pass too.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::Duration;

use harness::{Domain, Options};
use proto::spire::api::server::agent::v1 as agent;
use proto::spire::api::server::bundle::v1 as bundle;
use proto::spire::api::server::entry::v1 as entry;
use proto::spire::api::server::svid::v1 as svid;
use proto::spire::api::types;
use proto::workload;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

async fn dial(socket: &Path) -> Channel {
    let endpoint = Endpoint::from_shared(format!("unix:{}", socket.display())).unwrap();
    endpoint.timeout(Duration::from_secs(10)).connect().await.unwrap()
}

fn id(path: &str) -> Option<types::Spiffeid> {
    Some(types::Spiffeid { trust_domain: "example.org".to_owned(), path: path.to_owned() })
}

fn selector(kind: &str, value: &str) -> types::Selector {
    types::Selector { r#type: kind.to_owned(), value: value.to_owned() }
}

fn good_entry() -> types::Entry {
    types::Entry {
        parent_id: id("/node"),
        spiffe_id: id("/workload"),
        selectors: vec![selector("unix", "uid:1")],
        ..types::Entry::default()
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, words: &str) {
    let status = answer.unwrap_err();
    assert_eq!(status.code(), code, "{status:?}");
    assert!(status.message().contains(words), "{words:?} is not in {status:?}");
}

#[track_caller]
fn refused_one(status: Option<types::Status>, code: Code, words: &str) {
    let status = status.unwrap();
    assert_eq!(Code::from(status.code), code, "{status:?}");
    assert!(status.message.contains(words), "{words:?} is not in {status:?}");
}

type Spoil = fn(&mut types::Entry);

#[tokio::test]
async fn an_entry_is_refused_by_the_field_that_is_wrong() {
    let mut domain = Domain::start_server(Options::default());
    let mut client = entry::entry_client::EntryClient::new(dial(&domain.server().socket()).await);
    let spoilt: [(&str, Spoil); 9] = [
        ("parent ID", |entry| entry.parent_id = None),
        ("parent ID", |entry| entry.parent_id = id("no-slash")),
        ("spiffe ID", |entry| entry.spiffe_id = None),
        ("spiffe ID", |entry| entry.spiffe_id = id("/a//b")),
        ("selector", |entry| entry.selectors.clear()),
        ("selector", |entry| entry.selectors = vec![selector("", "uid:1")]),
        ("selector", |entry| entry.selectors = vec![selector("unix", "")]),
        ("dns", |entry| entry.dns_names = vec!["a..b".to_owned()]),
        ("federated", |entry| entry.federates_with = vec!["not a trust domain".to_owned()]),
    ];
    for (words, spoil) in spoilt {
        let mut entry = good_entry();
        spoil(&mut entry);
        let request =
            entry::BatchCreateEntryRequest { entries: vec![entry.clone(), good_entry()], output_mask: None };
        let answer = client.batch_create_entry(request).await.unwrap().into_inner();
        let [bad, good] = <[_; 2]>::try_from(answer.results).unwrap();
        let status = bad.status.unwrap();
        assert_eq!(Code::from(status.code), Code::InvalidArgument, "{entry:?}: {status:?}");
        assert!(status.message.to_lowercase().contains(&words.to_lowercase()), "{words}: {status:?}");
        let code = Code::from(good.status.unwrap().code);
        assert!(
            matches!(code, Code::Ok | Code::AlreadyExists),
            "its neighbour is not refused with it: {code:?}"
        );
    }
    domain.cli(&["healthcheck"]).succeeds();
}

#[tokio::test]
async fn a_message_larger_than_four_mebibytes_is_refused_and_the_connection_goes_on() {
    let mut domain = Domain::start_server(Options::default());
    let mut client = entry::entry_client::EntryClient::new(dial(&domain.server().socket()).await);
    let mut large = good_entry();
    large.hint = "x".repeat(5 * 1024 * 1024);
    let request = entry::BatchCreateEntryRequest { entries: vec![large], output_mask: None };
    refused(client.batch_create_entry(request).await, Code::ResourceExhausted, "larger than max");
    client.count_entries(entry::CountEntriesRequest::default()).await.unwrap();
}

#[tokio::test]
async fn a_csr_that_is_none_is_refused() {
    let mut domain = Domain::start_server(Options::default());
    let mut client = svid::svid_client::SvidClient::new(dial(&domain.server().socket()).await);
    for garbage in [vec![], vec![0x30, 0x82, 0xff, 0xff], vec![7; 100_000]] {
        let request = svid::MintX509svidRequest { csr: garbage, ttl: 0 };
        refused(client.mint_x509svid(request).await, Code::InvalidArgument, "CSR");
    }
    let token = svid::MintJwtsvidRequest { id: id("/workload"), audience: Vec::new(), ttl: 0 };
    refused(client.mint_jwtsvid(token).await, Code::InvalidArgument, "audience");
    let token = svid::MintJwtsvidRequest { id: None, audience: vec!["a".to_owned()], ttl: 0 };
    refused(client.mint_jwtsvid(token).await, Code::InvalidArgument, "ID");
    domain.cli(&["healthcheck"]).succeeds();
}

#[tokio::test]
async fn a_bundle_that_is_none_is_refused() {
    let mut domain = Domain::start_server(Options::default());
    let mut client = bundle::bundle_client::BundleClient::new(dial(&domain.server().socket()).await);
    let bundles = [
        types::Bundle { trust_domain: "Not A Name".to_owned(), ..types::Bundle::default() },
        types::Bundle {
            trust_domain: "other.test".to_owned(),
            x509_authorities: vec![types::X509Certificate { asn1: vec![1, 2, 3], tainted: false }],
            ..types::Bundle::default()
        },
        types::Bundle {
            trust_domain: "other.test".to_owned(),
            jwt_authorities: vec![types::JwtKey {
                key_id: "k".to_owned(),
                public_key: vec![1],
                ..types::JwtKey::default()
            }],
            ..types::Bundle::default()
        },
    ];
    let request = bundle::BatchSetFederatedBundleRequest { bundle: bundles.to_vec(), output_mask: None };
    let answer = client.batch_set_federated_bundle(request).await.unwrap().into_inner();
    let words = ["trust domain", "X.509 authority", "JWT authority"];
    assert_eq!(answer.results.len(), words.len());
    for (result, words) in answer.results.into_iter().zip(words) {
        refused_one(result.status, Code::InvalidArgument, words);
    }
    domain.cli(&["healthcheck"]).succeeds();
}

#[tokio::test]
async fn an_agent_that_does_not_exist_cannot_be_shown_banned_or_evicted() {
    let mut domain = Domain::start_server(Options::default());
    let mut client = agent::agent_client::AgentClient::new(dial(&domain.server().socket()).await);
    let unknown = id("/spire/agent/join_token/none");
    let show = agent::GetAgentRequest { id: unknown.clone(), output_mask: None };
    refused(client.get_agent(show).await, Code::NotFound, "agent not found");
    refused(
        client.ban_agent(agent::BanAgentRequest { id: unknown.clone() }).await,
        Code::NotFound,
        "agent not found",
    );
    refused(
        client.delete_agent(agent::DeleteAgentRequest { id: unknown }).await,
        Code::NotFound,
        "agent not found",
    );
    let malformed = agent::GetAgentRequest { id: id("not-a-path"), output_mask: None };
    refused(client.get_agent(malformed).await, Code::InvalidArgument, "agent ID");
    let token = agent::CreateJoinTokenRequest { ttl: 0, ..agent::CreateJoinTokenRequest::default() };
    refused(client.create_join_token(token).await, Code::InvalidArgument, "ttl");
}

fn with_header<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("workload.spiffe.io", "true".parse().unwrap());
    request
}

#[tokio::test]
async fn a_workload_that_asks_wrongly_is_told_what_is_missing() {
    let domain = Domain::start(Options::default());
    domain.workload(&domain.id("client"), &[]);
    let channel = dial(&domain.agent().socket()).await;
    let mut client = workload::spiffe_workload_api_client::SpiffeWorkloadApiClient::new(channel);

    let bare = client.fetch_x509svid(workload::X509svidRequest::default()).await;
    refused(first(bare).await, Code::InvalidArgument, "security header missing from request");

    let no_audience = workload::JwtsvidRequest::default();
    refused(client.fetch_jwtsvid(with_header(no_audience)).await, Code::InvalidArgument, "audience");
    let bad_id =
        workload::JwtsvidRequest { audience: vec!["a".to_owned()], spiffe_id: "http://x".to_owned() };
    refused(client.fetch_jwtsvid(with_header(bad_id)).await, Code::InvalidArgument, "SPIFFE ID");

    let nothing = workload::ValidateJwtsvidRequest::default();
    refused(client.validate_jwtsvid(with_header(nothing)).await, Code::InvalidArgument, "audience");
    let no_token = workload::ValidateJwtsvidRequest { audience: "a".to_owned(), svid: String::new() };
    refused(client.validate_jwtsvid(with_header(no_token)).await, Code::InvalidArgument, "svid");
    for token in ["garbage".to_owned(), "a.b.c".to_owned(), "x".repeat(1024 * 1024)] {
        let request = workload::ValidateJwtsvidRequest { audience: "a".to_owned(), svid: token };
        refused(client.validate_jwtsvid(with_header(request)).await, Code::InvalidArgument, "");
    }
    let large =
        workload::ValidateJwtsvidRequest { audience: "a".to_owned(), svid: "x".repeat(5 * 1024 * 1024) };
    refused(client.validate_jwtsvid(with_header(large)).await, Code::ResourceExhausted, "larger than max");
    domain.agent().cli(&["api", "fetch", "x509"]).succeeds();
}

/// A streaming call is refused at once or with its first message.
async fn first<T>(answer: Result<tonic::Response<tonic::Streaming<T>>, Status>) -> Result<Option<T>, Status> {
    answer?.into_inner().message().await
}

#[tokio::test]
async fn bytes_that_are_no_protocol_leave_the_others_undisturbed() {
    use tokio::io::AsyncWriteExt as _;
    let mut domain = Domain::start(Options::default());
    let server = domain.server().socket();
    let port = domain.server().port();
    for garbage in [b"GET / HTTP/1.1\r\n\r\n".to_vec(), vec![0xff; 100_000], Vec::new()] {
        for socket in [server.clone(), domain.agent().socket()] {
            let mut stream = tokio::net::UnixStream::connect(socket).await.unwrap();
            let _ = stream.write_all(&garbage).await;
        }
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let _ = stream.write_all(&garbage).await;
    }
    domain.cli(&["healthcheck"]).succeeds();
    domain.agent().cli(&["healthcheck"]).succeeds();
    domain.workload(&domain.id("client"), &[]);
}
