//! Issue and verify.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::*;
use crate::bundle::{Bundle, BundleSet, X509Authority};
use crate::key::{KeyType, PrivateKey, Signer};
use crate::{SpiffeId, TrustDomain};

const HOUR: Duration = Duration::from_secs(3600);

fn td() -> TrustDomain {
    TrustDomain::parse("example.org").unwrap()
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn authority(key_type: KeyType) -> (X509Issuer, Bundle) {
    let key = Arc::new(PrivateKey::generate(key_type).unwrap());
    let ca = CaTemplate::new(td(), CaSubject::default(), now() - HOUR, now() + 24 * HOUR)
        .self_sign(&*key)
        .unwrap();
    let mut bundle = Bundle::new(td());
    bundle.push_x509(X509Authority { certificate: ca.clone(), tainted: false }).unwrap();
    (X509Issuer::new(ca, vec![], key).unwrap(), bundle)
}

fn leaf(issuer: &X509Issuer, path: &str) -> Certificate {
    let key = PrivateKey::generate(KeyType::EcP256).unwrap();
    let id = SpiffeId::new(&td(), path).unwrap();
    LeafTemplate::new(id, key.public().clone(), now() - HOUR, now() + HOUR)
        .dns(&["a.example.org".into(), "b.example.org".into()])
        .issue(issuer)
        .unwrap()
}

#[test]
fn an_issued_svid_verifies_and_says_what_it_was_issued_for() {
    for key_type in [KeyType::EcP256, KeyType::EcP384, KeyType::Rsa2048] {
        let (issuer, bundle) = authority(key_type);
        let svid = X509Svid::of(issuer.chain_for(leaf(&issuer, "/a"))).unwrap();
        let verified = svid.verify(&bundle, now()).unwrap();
        assert_eq!(verified.id().as_str(), "spiffe://example.org/a");
        assert_eq!(verified.leaf().dns_names(), ["a.example.org", "b.example.org"]);
        assert_eq!(verified.leaf().common_name(), Some("a.example.org"));
        assert_eq!(verified.expires_at(), now() + HOUR);
        assert_eq!(svid, X509Svid::parse_concatenated(&svid.der_concatenated()).unwrap());
    }
}

#[test]
fn an_svid_is_refused_out_of_its_time_or_by_another_bundle() {
    let (issuer, bundle) = authority(KeyType::EcP256);
    let svid = X509Svid::of(issuer.chain_for(leaf(&issuer, "/a"))).unwrap();
    assert!(matches!(svid.verify(&bundle, now() + 2 * HOUR), Err(VerifyError::Chain { .. })));
    assert!(matches!(svid.verify(&bundle, now() - 2 * HOUR), Err(VerifyError::Chain { .. })));
    assert!(matches!(svid.verify(&BundleSet::default(), now()), Err(VerifyError::NoBundle(_))));
    let (_, stranger) = authority(KeyType::EcP256);
    assert!(matches!(svid.verify(&stranger, now()), Err(VerifyError::Chain { .. })));
}

#[test]
fn an_authority_signs_for_its_own_trust_domain_and_not_past_its_end() {
    let (issuer, _) = authority(KeyType::EcP256);
    let key = PrivateKey::generate(KeyType::EcP256).unwrap();
    let foreign = SpiffeId::parse("spiffe://other.org/a").unwrap();
    let template = LeafTemplate::new(foreign, key.public().clone(), now(), now() + HOUR);
    assert!(matches!(template.issue(&issuer), Err(IssueError::ForeignTrustDomain { .. })));
    let own = SpiffeId::new(&td(), "/a").unwrap();
    let long =
        LeafTemplate::new(own, key.public().clone(), now(), now() + 1000 * HOUR).issue(&issuer).unwrap();
    assert_eq!(long.not_after(), issuer.not_after());
}

#[test]
fn an_intermediate_authority_comes_with_the_chain() {
    let (root, bundle) = authority(KeyType::EcP256);
    let key = Arc::new(PrivateKey::generate(KeyType::EcP256).unwrap());
    let ca = CaTemplate::new(td(), CaSubject::default(), now() - HOUR, now() + HOUR)
        .issue(key.public(), &root)
        .unwrap();
    let issuer = X509Issuer::new(ca.clone(), vec![ca], key).unwrap();
    assert!(X509Svid::of(issuer.chain_for(leaf(&issuer, "/a"))).unwrap().verify(&bundle, now()).is_ok());
}

#[test]
fn a_leaf_that_may_sign_is_no_svid() {
    let (issuer, _) = authority(KeyType::EcP256);
    assert_eq!(X509Svid::of(vec![issuer.certificate().clone()]), Err(SvidError::LeafIsCa));
}

#[test]
fn any_flipped_bit_of_a_leaf_is_refused() {
    let (issuer, bundle) = authority(KeyType::EcP256);
    let der = leaf(&issuer, "/a").der().to_vec();
    for bit in 0..der.len() * 8 {
        let mut bad = der.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let accepted = X509Svid::parse_chain([bad]).is_ok_and(|svid| svid.verify(&bundle, now()).is_ok());
        assert!(!accepted, "bit {bit}");
    }
}

/// An authority below a root with these constraints, and that root in a bundle.
fn below(root: CaTemplate, ca: CaTemplate) -> (X509Issuer, Bundle) {
    let (top, key) = (PrivateKey::generate(KeyType::EcP256), PrivateKey::generate(KeyType::EcP256));
    let (top, key) = (Arc::new(top.unwrap()), Arc::new(key.unwrap()));
    let root = root.self_sign(&*top).unwrap();
    let mut bundle = Bundle::new(td());
    bundle.push_x509(X509Authority { certificate: root.clone(), tainted: false }).unwrap();
    let above = X509Issuer::new(root.clone(), vec![], top).unwrap();
    let ca = ca.issue(key.public(), &above).unwrap();
    (X509Issuer::new(ca, vec![root], key).unwrap(), bundle)
}

fn template() -> CaTemplate {
    CaTemplate::new(td(), CaSubject::default(), now() - HOUR, now() + 24 * HOUR)
}

#[test]
fn no_authority_is_issued_deeper_than_those_above_allow() {
    let key = PrivateKey::generate(KeyType::EcP256).unwrap();
    for (root, ca) in [(template().path_len(1), template()), (template(), template().path_len(0))] {
        let (issuer, bundle) = below(root, ca);
        let refused = template().issue(key.public(), &issuer).unwrap_err();
        assert!(matches!(refused, IssueError::TooDeep { .. }), "{refused}");
        assert!(refused.to_string().contains("allows"), "{refused}");
        let svid = X509Svid::of(issuer.chain_for(leaf(&issuer, "/a"))).unwrap();
        svid.verify(&bundle, now()).unwrap();
    }
    let (issuer, _) = below(template().path_len(2), template().path_len(1));
    template().issue(key.public(), &issuer).unwrap();
}
