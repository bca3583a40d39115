//! What a server has signed, held against what it publishes.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use harness::Domain;
use spiffe::bundle::Bundle;
use spiffe::jwt::JwtSvid;
use spiffe::x509::X509Svid;
use spiffe::{BundleSet, TrustDomain, pem};

/// An SVID of either kind, and when it was signed.
pub(crate) enum Signed {
    X509(X509Svid, SystemTime),
    Jwt(String, SystemTime),
}

/// Has the server sign one SVID of each kind; none if it has just stopped.
pub(crate) fn sign(domain: &Domain) -> Vec<Signed> {
    let id = domain.id("minted");
    let now = SystemTime::now();
    let x509 = domain.cli(&["x509", "mint", "-spiffeID", &id]);
    let jwt = domain.cli(&["jwt", "mint", "-spiffeID", &id, "-audience", "a"]);
    let mut signed = Vec::new();
    if x509.ok() {
        let chain = x509.stdout.split("Private key:").next().unwrap();
        let chain = pem::decode_all(&chain[chain.find("-----").unwrap()..], "CERTIFICATE").unwrap();
        let svid = X509Svid::parse_chain(chain.into_iter().map(|block| block.der.to_vec())).unwrap();
        signed.push(Signed::X509(svid, now));
    }
    if jwt.ok() {
        signed.push(Signed::Jwt(jwt.stdout.trim().to_owned(), now));
    }
    signed
}

/// The bundle as it is published.
pub(crate) fn published(domain: &Domain) -> Arc<Bundle> {
    let shown = domain.cli(&["bundle", "show", "-format", "spiffe"]).succeeds().stdout;
    Arc::new(Bundle::parse_spiffe_json(TrustDomain::parse("example.org").unwrap(), &shown).unwrap())
}

impl Signed {
    /// Whether a relying party with this bundle believes it, just after it was signed.
    pub(crate) fn believed(&self, bundle: &Arc<Bundle>) -> bool {
        let soon = |at: &SystemTime| *at + Duration::from_millis(1);
        match self {
            Signed::X509(svid, at) => {
                let set: BundleSet = std::iter::once(bundle.clone()).collect();
                svid.verify(&set, soon(at)).is_ok()
            }
            Signed::Jwt(token, at) => JwtSvid::verify(token, &**bundle, &["a"], soon(at)).is_ok(),
        }
    }
}
