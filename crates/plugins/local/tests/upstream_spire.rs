//! An authority that a server above is: who is asked, and who is believed. What it signs is shown by scenarios with real
//! servers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod other_agent;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use model::ports::{UpstreamAuthority, UpstreamError};
use other_agent::{Other, serve};
use plugins_local::upstream::spire::{Settings, Spire, SpireError};
use proto::workload::{X509svid, X509svidResponse};
use spiffe::key::{KeyType, PrivateKey, Signer as _};
use spiffe::x509::{CaSubject, CaTemplate, LeafTemplate, X509Issuer, X509Svid};
use spiffe::{BundleSet, SpiffeId, TrustDomain};
use spiffe_tls::{ClientAuth, Identity, IdentitySource, server_config};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tonic::Status;

const HOUR: Duration = Duration::from_secs(3600);

fn td(name: &str) -> TrustDomain {
    TrustDomain::parse(name).unwrap()
}

/// A root of a trust domain.
fn authority(name: &str) -> X509Issuer {
    let (key, now) = (PrivateKey::generate(KeyType::EcP256).unwrap(), SystemTime::now());
    let template = CaTemplate::new(td(name), CaSubject::default(), now - HOUR, now + 10 * HOUR);
    X509Issuer::new(template.self_sign(&key).unwrap(), vec![], Arc::new(key)).unwrap()
}

/// An SVID that this root signs, to end then.
fn svid(root: &X509Issuer, path: &str, ends: SystemTime) -> (X509Svid, PrivateKey) {
    let key = PrivateKey::generate(KeyType::EcP256).unwrap();
    let id = SpiffeId::new(root.trust_domain(), path).unwrap();
    let leaf =
        LeafTemplate::new(id, key.public().clone(), SystemTime::now() - HOUR, ends).issue(root).unwrap();
    (X509Svid::of(vec![leaf]).unwrap(), key)
}

/// What an agent gives to a server below `root`.
fn given(root: &X509Issuer) -> X509svidResponse {
    let (svid, key) = svid(root, "/below", SystemTime::now() + HOUR);
    let one = X509svid {
        spiffe_id: svid.id().to_string(),
        x509_svid: svid.der_concatenated(),
        x509_svid_key: key.to_pkcs8().to_vec(),
        bundle: root.certificate().der().to_vec(),
        ..X509svid::default()
    };
    X509svidResponse { svids: vec![one], ..X509svidResponse::default() }
}

/// An upstream authority at this port, by an agent with this answer.
fn upstream(port: u16, answer: Result<X509svidResponse, Status>) -> (Spire, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sock");
    serve(&path, Other(answer));
    (at(port, &path.display().to_string()).unwrap(), folder)
}

fn at(port: u16, socket: &str) -> Result<Spire, SpireError> {
    let settings = Settings { host: "127.0.0.1".to_owned(), port, workload_api_socket: socket.to_owned() };
    Spire::new(td("example.org"), settings, Arc::new(SystemTime::now))
}

async fn refused(upstream: &Spire) -> String {
    let error = upstream.bundle().await.unwrap_err();
    assert!(matches!(error, UpstreamError::Unavailable(_)), "worth another try: {error:?}");
    error.to_string()
}

/// A server that shows this SVID; who comes this far is told nothing.
async fn shows((svid, key): (X509Svid, PrivateKey)) -> u16 {
    let identity = IdentitySource::new();
    identity.set(Identity::new(svid, Arc::new(key)).unwrap());
    let bundles = Arc::new(arc_swap::ArcSwap::from_pointee(BundleSet::default()));
    let config = server_config(identity, bundles, ClientAuth::None, Arc::new(SystemTime::now)).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        while let Ok((stream, _)) = listener.accept().await {
            drop(acceptor.accept(stream).await);
        }
    });
    port
}

#[tokio::test]
async fn an_agent_that_gives_no_identity_is_named_with_what_is_missing() {
    let (upstream, _folder) = upstream(1, Err(Status::permission_denied("no identity issued")));
    let said = refused(&upstream).await;
    assert!(said.contains("no identity issued") && said.contains("an entry with -downstream"), "{said}");
    let said = refused(&at(1, "/nowhere/agent.sock").unwrap()).await;
    assert!(said.contains("/nowhere/agent.sock"), "{said}");
}

#[tokio::test]
async fn what_an_agent_gives_must_be_an_svid_with_its_key() {
    let root = authority("example.org");
    let spoiled: [fn(&mut X509svid); 4] = [
        |svid| svid.x509_svid.clear(),
        |svid| svid.x509_svid_key.truncate(10),
        |svid| svid.bundle = b"nonsense".to_vec(),
        |svid| svid.x509_svid_key = PrivateKey::generate(KeyType::EcP256).unwrap().to_pkcs8().to_vec(),
    ];
    for spoil in spoiled {
        let mut answer = given(&root);
        spoil(&mut answer.svids[0]);
        let (upstream, _folder) = upstream(1, Ok(answer));
        let error = upstream.bundle().await.unwrap_err();
        assert!(matches!(error, UpstreamError::Answer(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_may_come_back() {
    let free = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
    let (upstream, _folder) = upstream(free, Ok(given(&authority("example.org"))));
    let said = refused(&upstream).await;
    assert!(said.contains("refused"), "{said}");
}

#[tokio::test]
async fn only_the_server_of_the_own_trust_domain_is_asked() {
    let (root, stranger) = (authority("example.org"), authority("example.org"));
    let later = SystemTime::now() + HOUR;
    let wrong = [
        ("another workload", svid(&root, "/web", later)),
        ("an agent", svid(&root, "/spire/agent/one", later)),
        ("another trust domain", svid(&authority("other.org"), "/spire/server", later)),
        ("another root of that name", svid(&stranger, "/spire/server", later)),
        ("one that has ended", svid(&root, "/spire/server", SystemTime::now() - HOUR / 2)),
    ];
    for (who, shown) in wrong {
        let (upstream, _folder) = upstream(shows(shown).await, Ok(given(&root)));
        let said = refused(&upstream).await;
        assert!(said.contains("certificate"), "{who}: {said}");
    }
    // The right one is believed; that it then closes is another fault.
    let right = svid(&root, "/spire/server", later);
    let (upstream, _folder) = upstream(shows(right).await, Ok(given(&root)));
    let said = refused(&upstream).await;
    assert!(!said.contains("certificate"), "{said}");
}

#[test]
fn a_socket_is_an_absolute_path() {
    assert!(matches!(at(1, "agent.sock"), Err(SpireError::Socket(path)) if path == "agent.sock"));
}
