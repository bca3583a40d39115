//! Both programs in one process, with identities from an authority of the test.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proto::workload::{X509svid, X509svidResponse};
use spiffe::key::{KeyType, PrivateKey, Signer};
use spiffe::x509::{CaSubject, CaTemplate, LeafTemplate, X509Issuer};
use spiffe::{SpiffeId, TrustDomain};
use tokio::net::TcpListener;

use super::identity::Shown;
use super::{caller, greeter};

/// What stands behind an agent.
struct Authority {
    domain: TrustDomain,
    issuer: X509Issuer,
}

impl Authority {
    fn new() -> Self {
        let domain = TrustDomain::parse("example.org").unwrap();
        let key: Arc<dyn Signer> = Arc::new(PrivateKey::generate(KeyType::EcP256).unwrap());
        let (start, end) = life(3600);
        let ca = CaTemplate::new(domain.clone(), CaSubject::default(), start, end).self_sign(key.as_ref());
        Self { issuer: X509Issuer::new(ca.unwrap(), vec![], key).unwrap(), domain }
    }

    fn id(&self, name: &str) -> SpiffeId {
        SpiffeId::new(&self.domain, &format!("/demo/{name}")).unwrap()
    }

    /// What the Workload API answers a program of that name.
    fn answers(&self, name: &str) -> X509svidResponse {
        let key = PrivateKey::generate(KeyType::EcP256).unwrap();
        let (start, end) = life(20);
        let leaf = LeafTemplate::new(self.id(name), key.public().clone(), start, end);
        let svid = X509svid {
            spiffe_id: self.id(name).to_string(),
            x509_svid: leaf.issue(&self.issuer).unwrap().der().to_vec(),
            x509_svid_key: key.to_pkcs8().to_vec(),
            bundle: self.issuer.certificate().der().to_vec(),
            hint: name.to_owned(),
        };
        X509svidResponse { svids: vec![svid], ..X509svidResponse::default() }
    }

    fn program(&self, name: &str) -> Shown {
        let shown = Shown::new();
        shown.take(&self.answers(name), name).unwrap();
        shown
    }

    /// A greeter that answers the caller, and its address.
    async fn greeter(&self, shown: &Shown) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (peer, shown) = (self.id("caller"), shown.clone());
        tokio::spawn(async move { greeter::accept(listener, &peer, &shown).await });
        address
    }
}

fn life(seconds: u64) -> (SystemTime, SystemTime) {
    let now = SystemTime::now();
    (now - Duration::from_secs(10), now + Duration::from_secs(seconds))
}

#[tokio::test]
async fn a_greeting_after_a_rotation_shows_the_new_svid() {
    let authority = Authority::new();
    let (greeting, calling) = (authority.program("greeter"), authority.program("caller"));
    let address = authority.greeter(&greeting).await;
    let connector = caller::connector(&authority.id("greeter"), &calling).unwrap();
    let (before, said) = caller::greet(&connector, &address, &calling).await.unwrap();
    assert_eq!((before.id(), said.as_str()), (&authority.id("greeter"), "Good day to you too, /demo/caller"));

    greeting.take(&authority.answers("greeter"), "greeter").unwrap();
    let (after, _) = caller::greet(&connector, &address, &calling).await.unwrap();
    assert_ne!(before.leaf().serial(), after.leaf().serial());
    assert_eq!(greeting.svid().unwrap().leaf(), after.leaf());
}

#[tokio::test]
async fn the_greeter_answers_nobody_but_the_caller() {
    let authority = Authority::new();
    let (greeting, stranger) = (authority.program("greeter"), authority.program("stranger"));
    let address = authority.greeter(&greeting).await;
    let connector = caller::connector(&authority.id("greeter"), &stranger).unwrap();
    assert!(caller::greet(&connector, &address, &stranger).await.is_err());
}

#[tokio::test]
async fn the_caller_speaks_to_nobody_but_the_greeter() {
    let authority = Authority::new();
    let (impostor, calling) = (authority.program("impostor"), authority.program("caller"));
    let address = authority.greeter(&impostor).await;
    let connector = caller::connector(&authority.id("greeter"), &calling).unwrap();
    assert!(caller::greet(&connector, &address, &calling).await.is_err());
}
