use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use spiffe::bundle::BundleForm;
use spiffe::key::KeyType;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::state::AgentState;
use super::*;
use crate::cache::testing::{Ca, example};
use crate::settings::{Bootstrap, Settings};

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

#[test]
fn what_is_remembered_has_spires_form_and_mode() {
    let folder = tempfile::tempdir().unwrap();
    let state = AgentState::open(&folder.path().join("new/data")).unwrap();
    assert!(state.svid().unwrap().is_none() && state.bundle().unwrap().is_empty());
    let ca = Ca::new("ca", now());
    let id = spiffe::SpiffeId::parse("spiffe://example.org/spire/agent/x").unwrap();
    let held = ca.issue(&id, now(), Duration::from_secs(60));
    let svid = spiffe::x509::X509Svid::parse_concatenated(held.chain()).unwrap();
    state.store_svid(&svid, true).unwrap();
    state.store_bundle(&[ca.bundle(false).x509_authorities()[0].certificate.clone()]).unwrap();

    let path = folder.path().join("new/data/agent-data.json");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let fields: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        ["svid", "bundle", "reattestable", "bootstrap_use", "bootstrap_start_time", "connection_attempts"]
    );

    let again = AgentState::open(&folder.path().join("new/data")).unwrap();
    let (svid, reattestable) = again.svid().unwrap().unwrap();
    assert_eq!((svid.id(), reattestable, again.bundle().unwrap().len()), (&id, true, 1));
    again.delete_svid().unwrap();
    assert!(AgentState::open(&folder.path().join("new/data")).unwrap().svid().unwrap().is_none());
}

#[test]
fn a_damaged_file_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("agent-data.json"), "{").unwrap();
    let error = AgentState::open(folder.path()).err().unwrap().to_string();
    assert!(error.contains("agent-data.json") && error.contains("remove it"), "{error}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let error = AgentState::open(&folder.path().join("file/data")).err().unwrap().to_string();
    assert!(error.contains("cannot be made"), "{error}");
}

fn settings(bootstrap: Bootstrap) -> Settings {
    Settings {
        trust_domain: example(),
        server_address: "server".to_owned(),
        server_port: 8081,
        data_dir: PathBuf::new(),
        bootstrap,
        socket_path: PathBuf::new(),
        workload_api: true,
        sds: None,
        workload_key_type: KeyType::EcP256,
        x509_svid_cache_max_size: 1,
        jwt_svid_cache_max_size: 1,
        availability_target: None,
        allow_unauthenticated_verifiers: false,
        allowed_foreign_jwt_claims: Vec::new(),
        log_selectors: Vec::new(),
        sync_interval: Duration::from_secs(5),
        jwt_svid_cache_hit_timeout: Duration::from_secs(30),
        call_limits: crate::settings::CallLimits::default(),
        wit_svids: false,
        version: String::new(),
    }
}

#[tokio::test]
async fn the_first_bundle_comes_from_a_file_in_either_format() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bundle");
    let bundle = Ca::new("ca", now()).bundle(false);
    for (format, text) in [(BundleForm::Pem, bundle.to_pem()), (BundleForm::Spiffe, bundle.to_spiffe_json())]
    {
        std::fs::write(&path, text).unwrap();
        let settings = settings(Bootstrap::File { path: path.clone(), format });
        let read = bootstrap::bundle(&settings, 1, "").await.unwrap().unwrap();
        assert_eq!(read.x509_authorities(), bundle.x509_authorities());
    }
}

#[tokio::test]
async fn a_bundle_that_is_none_is_refused_with_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bundle");
    let read = |format| {
        let settings = settings(Bootstrap::File { path: path.clone(), format });
        async move { bootstrap::bundle(&settings, 1, "").await.unwrap_err().to_string() }
    };
    assert!(read(BundleForm::Pem).await.contains("trust_bundle_path"));
    std::fs::write(&path, "nonsense").unwrap();
    assert!(read(BundleForm::Pem).await.contains("trust_bundle_format"));
    std::fs::write(&path, r#"{"keys":[]}"#).unwrap();
    assert!(read(BundleForm::Spiffe).await.contains("no X.509 authority"));
}

#[tokio::test]
async fn a_bundle_is_fetched_over_a_unix_socket_with_what_the_agent_is_about() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("provider.sock");
    let listener = tokio::net::UnixListener::bind(&socket).unwrap();
    let pem = Ca::new("ca", now()).bundle(false).to_pem();
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = vec![0; 4096];
        let length = stream.read(&mut asked).await.unwrap();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{pem}", pem.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(asked[..length].to_vec()).unwrap()
    });
    let url = "http://localhost/bundle?x=1".to_owned();
    let settings = settings(Bootstrap::Url { url, unix_socket: Some(socket), format: BundleForm::Pem });
    let bundle = bootstrap::bundle(&settings, 3, "2026-01-02T03:04:05Z").await.unwrap().unwrap();
    assert_eq!(bundle.x509_authorities().len(), 1);
    let asked = served.await.unwrap();
    let line = asked.lines().next().unwrap();
    assert_eq!(
        line,
        "GET /bundle?x=1&spiffe-trust-domain=example.org&spire-attest-mode=bootstrap\
         &spire-attest-start-time=2026-01-02T03%3A04%3A05Z&spire-connection-attempts=3\
         &spire-server-address=server&spire-server-port=8081 HTTP/1.1"
    );
}

#[tokio::test]
async fn plain_http_needs_a_socket() {
    let url = "http://localhost/bundle".to_owned();
    let settings = settings(Bootstrap::Url { url, unix_socket: None, format: BundleForm::Pem });
    let error = bootstrap::bundle(&settings, 1, "").await.unwrap_err().to_string();
    assert!(error.contains("https://"), "{error}");
}
