//! What holds for any input.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use spiffe::bundle::Bundle;
use spiffe::jwt::{JwtSvid, JwtSvidClaims, sign};
use spiffe::key::{PrivateKey, PublicKey, SigAlg, Signer};
use spiffe::x509::{
    CaSubject, CaTemplate, Certificate, Crl, CrlTemplate, Csr, LeafTemplate, Reason, Revoked, UriConstraints,
    X509Issuer, X509Svid,
};
use spiffe::{SpiffeId, TrustDomain, pem};

use super::forge::*;

struct World {
    issuer: X509Issuer,
    bundle: Bundle,
    svid: Vec<u8>,
    request: Vec<u8>,
    list: Vec<u8>,
    token: String,
    tokens: Bundle,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let (issuer, bundle) = root();
    let own = key();
    let leaf =
        LeafTemplate::new(id("/a"), own.public().clone(), now() - HOUR, now() + HOUR).issue(&issuer).unwrap();
    let claims = JwtSvidClaims {
        subject: id("/a"),
        audience: vec!["x".into()],
        issued_at: now(),
        expires_at: now() + HOUR,
        issuer: None,
        jti: None,
    };
    World {
        svid: leaf.der().to_vec(),
        list: CrlTemplate::new(1, now() - HOUR, now() + HOUR).issue(&issuer).unwrap().der().to_vec(),
        request: Csr::build(&own, Some(&id("/a")), &[]).unwrap(),
        token: sign(&claims, "k", &own).unwrap(),
        tokens: jwt_bundle("k", own.public()),
        issuer,
        bundle,
    }
});

/// A leaf and so many intermediates between it and the world's authority.
fn deep(intermediates: usize) -> Vec<Certificate> {
    let (mut signer, mut ca, mut chain) =
        (WORLD.issuer.signer().clone(), WORLD.issuer.certificate().clone(), vec![]);
    for _ in 0..intermediates {
        let above = X509Issuer::new(ca, vec![], signer).unwrap();
        let below = Arc::new(key());
        let template = CaTemplate::new(td(), CaSubject::default(), now() - HOUR, now() + HOUR);
        ca = template.issue(below.public(), &above).unwrap();
        signer = below;
        chain.insert(0, ca.clone());
    }
    let issuer = X509Issuer::new(ca, vec![], signer).unwrap();
    let leaf =
        LeafTemplate::new(id("/a"), key().public().clone(), now(), now() + HOUR).issue(&issuer).unwrap();
    chain.insert(0, leaf);
    chain
}

static DEEP: LazyLock<Vec<Certificate>> = LazyLock::new(|| deep(2));

fn path() -> impl Strategy<Value = String> {
    let segment = "[a-zA-Z0-9._-]{1,20}".prop_filter("no dot segments", |s| s != "." && s != "..");
    vec(segment, 1..6).prop_map(|all| all.iter().map(|s| format!("/{s}")).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_id_prints_as_it_was_parsed(name in "[a-z0-9._-]{1,60}", path in path()) {
        let td = TrustDomain::parse(&name).unwrap();
        let id = SpiffeId::new(&td, &path).unwrap();
        prop_assert_eq!(SpiffeId::parse(id.as_str()).unwrap(), id.clone());
        prop_assert_eq!(id.to_string(), format!("spiffe://{name}{path}"));
        prop_assert!(id.member_of(&td));
    }

    #[test]
    fn whatever_parses_as_an_id_prints_the_same(text in "spiffe://[ -~]{0,40}") {
        if let Ok(id) = SpiffeId::parse(&text) {
            prop_assert_eq!(id.as_str(), text);
            prop_assert_eq!(SpiffeId::new(&id.trust_domain(), id.path()).unwrap(), id);
        }
    }

    #[test]
    fn any_identity_that_is_issued_verifies(path in path(), dns in vec("[a-z0-9-]{1,20}", 0..4), life in 1u64..86_400) {
        let id = SpiffeId::new(&td(), &path).unwrap();
        let until = now() + Duration::from_secs(life);
        let leaf = LeafTemplate::new(id.clone(), key().public().clone(), now(), until)
            .dns(&dns).issue(&WORLD.issuer).unwrap();
        prop_assert_eq!(leaf.dns_names(), &dns[..]);
        let svid = X509Svid::of(vec![leaf]).unwrap();
        let verified = svid.verify(&WORLD.bundle, now()).unwrap();
        prop_assert_eq!((verified.id(), verified.expires_at()), (&id, until));
        prop_assert!(svid.verify(&WORLD.bundle, until + Duration::from_secs(1)).is_err());
    }

    #[test]
    fn what_is_signed_verifies_and_nothing_else_does(message in vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>()) {
        let key = key();
        let alg = SigAlg::EcdsaP256Sha256;
        let mut signature = key.sign(alg, &message).unwrap();
        key.public().verify(alg, &message, &signature).unwrap();
        let other = [&message[..], b"x"].concat();
        prop_assert!(key.public().verify(alg, &other, &signature).is_err());
        let bit = at.index(signature.len() * 8);
        signature[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(key.public().verify(alg, &message, &signature).is_err());
    }

    #[test]
    fn a_changed_byte_ends_belief(at in any::<prop::sample::Index>(), change in 1u8..) {
        let world = &*WORLD;
        let spoil = |good: &[u8]| {
            let mut bad = good.to_vec();
            bad[at.index(good.len())] ^= change;
            bad
        };
        let svid = X509Svid::parse_chain([spoil(&world.svid)]);
        prop_assert!(!svid.is_ok_and(|svid| svid.verify(&world.bundle, now()).is_ok()));
        prop_assert!(Csr::parse(&spoil(&world.request)).is_err());
        if let Ok(token) = String::from_utf8(spoil(world.token.as_bytes())) {
            prop_assert!(JwtSvid::verify(&token, &world.tokens, &["x"], now()).is_err());
        }
    }

    #[test]
    fn chains_of_any_length_verify_in_any_order(order in Just((1..6usize).collect::<Vec<_>>()).prop_shuffle(), depth in 0..6usize) {
        let chain = deep(depth);
        let shuffled = order.into_iter().filter(|at| *at <= depth).map(|at| chain[at].clone());
        let svid = X509Svid::of(std::iter::once(chain[0].clone()).chain(shuffled).collect()).unwrap();
        let verified = svid.verify(&WORLD.bundle, now()).unwrap();
        prop_assert_eq!(&verified.path()[..=depth], &chain[..]);
        prop_assert_eq!(verified.authority(), WORLD.issuer.certificate());
    }

    #[test]
    fn a_changed_byte_anywhere_in_a_chain_ends_belief(at in any::<prop::sample::Index>(), change in 1u8..) {
        let good: Vec<u8> = DEEP.iter().flat_map(|one| one.der().to_vec()).collect();
        prop_assert!(X509Svid::parse_concatenated(&good).unwrap().verify(&WORLD.bundle, now()).is_ok());
        let mut bad = good;
        let at = at.index(bad.len());
        bad[at] ^= change;
        let svid = X509Svid::parse_concatenated(&bad);
        prop_assert!(!svid.is_ok_and(|svid| svid.verify(&WORLD.bundle, now()).is_ok()));
    }

    #[test]
    fn a_changed_byte_of_a_revocation_list_ends_belief(at in any::<prop::sample::Index>(), change in 1u8..) {
        let issuer = WORLD.issuer.certificate();
        prop_assert!(Crl::parse(&WORLD.list[..]).unwrap().verify(issuer).is_ok());
        let mut bad = WORLD.list.clone();
        let at = at.index(bad.len());
        bad[at] ^= change;
        prop_assert!(!Crl::parse(bad).is_ok_and(|crl| crl.verify(issuer).is_ok()));
    }

    #[test]
    fn a_revocation_list_says_what_it_was_made_of(all in prop::collection::btree_map(vec(any::<u8>(), 1..20), 0u64..1_000_000, 0..8), number in any::<u64>()) {
        let mut template = CrlTemplate::new(number, now(), now() + HOUR);
        for (serial, ago) in &all {
            let at = now() - Duration::from_secs(*ago);
            template = template.revoke(Revoked { serial: serial.clone(), at, reason: Reason::Superseded });
        }
        let made = template.issue(&WORLD.issuer).unwrap();
        let crl = Crl::parse(made.der()).unwrap();
        prop_assert_eq!(crl.len(), all.len());
        for serial in all.keys() {
            // As certificates hold it: without needless zeroes, and with one where the first bit is set.
            let digits: Vec<u8> = serial.iter().copied().skip_while(|byte| *byte == 0).collect();
            let sign = digits.first().is_none_or(|byte| byte & 0x80 != 0);
            let held = [if sign { vec![0] } else { vec![] }, digits].concat();
            prop_assert_eq!(crl.revoked(&held).map(|(_, reason)| reason), Some(Some(Reason::Superseded)));
        }
    }

    #[test]
    fn uri_constraints_hold_as_the_standard_reads(labels in vec("[a-c]{1,2}", 1..4), constraint in vec("[a-c]{1,2}", 1..4), dotted in any::<bool>()) {
        let (host, base) = (labels.join("."), constraint.join("."));
        let inside = match dotted {
            false => host == base,
            true => host.ends_with(&format!(".{base}")),
        };
        let td = TrustDomain::parse(&host).unwrap();
        let limit = UriConstraints::new().permit(format!("{}{base}", if dotted { "." } else { "" }));
        let root = CaTemplate::new(td, CaSubject::default(), now(), now() + HOUR).constrain(limit);
        prop_assert_eq!(root.self_sign(&key()).is_ok(), inside);
    }

    #[test]
    fn a_cut_or_stretched_document_is_refused(at in any::<prop::sample::Index>(), tail in vec(any::<u8>(), 1..4)) {
        let world = &*WORLD;
        for good in [&world.svid, &world.request] {
            let cut = &good[..at.index(good.len())];
            prop_assert!(Certificate::parse(cut).is_err() && Csr::parse(cut).is_err());
            let stretched = [&good[..], &tail].concat();
            prop_assert!(Certificate::parse(stretched.clone()).is_err() && Csr::parse(&stretched).is_err());
        }
    }

    #[test]
    fn no_bytes_make_a_parser_panic(bytes in vec(any::<u8>(), 0..300)) {
        let _ = Certificate::parse(bytes.clone());
        let _ = X509Svid::parse_concatenated(&bytes);
        let _ = Csr::parse(&bytes);
        let _ = Crl::parse(bytes.clone());
        let _ = PublicKey::from_spki_der(&bytes);
        let _ = PrivateKey::from_pkcs8(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = JwtSvid::parse_unverified(&text);
        let _ = pem::decode(&text);
        let _ = Bundle::parse_spiffe_json(td(), &text);
    }

    #[test]
    fn pem_reads_what_it_writes(all in vec(vec(any::<u8>(), 0..200), 1..5), windows in any::<bool>()) {
        let mut text: String = all.iter().map(|der| pem::encode(pem::CERTIFICATE, der)).collect();
        if windows {
            text = text.replace('\n', "\r\n");
        }
        let blocks = pem::decode_all(&text, pem::CERTIFICATE).unwrap();
        prop_assert_eq!(blocks.iter().map(|b| b.der.to_vec()).collect::<Vec<_>>(), all);
    }
}
