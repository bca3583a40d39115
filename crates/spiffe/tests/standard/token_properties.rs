//! What holds for any token: what is signed verifies, and a flipped bit ends belief.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use spiffe::bundle::Bundle;
use spiffe::jwt::{JwtSvid, JwtSvidClaims, sign_with};
use spiffe::key::{KeyType, PrivateKey, SigAlg, Signer};
use spiffe::proof::http::{Channel, Request};
use spiffe::proof::http_signature::{HttpSignatureProver, HttpSignatureVerifier};
use spiffe::proof::wpt::{WptBinding, WptProver, WptVerifier};
use spiffe::proof::{Audiences, DangerAcceptReplays, HeldWit, ProofVerifier, Prover, authenticate};
use spiffe::wit::{ConfirmationKey, Lifespan, Wit, WitClaims, WitIssuer};

use super::forge::*;

const NAMES: [&str; 9] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];
const AUDIENCE: &str = "https://shop.example.org/orders";

static KEYS: LazyLock<[Arc<PrivateKey>; 4]> = LazyLock::new(|| {
    let make = |key_type| Arc::new(PrivateKey::generate(key_type).unwrap());
    let rsa = Arc::new(PrivateKey::from_pkcs8(&rsa().to_pkcs8()).unwrap());
    [rsa, make(KeyType::EcP256), make(KeyType::EcP384), make(KeyType::EcP521)]
});

/// An algorithm and a key for it.
fn algorithm() -> impl Strategy<Value = (SigAlg, Arc<PrivateKey>)> {
    proptest::sample::select(&NAMES[..]).prop_map(|name| {
        let alg = SigAlg::from_jws(name).unwrap();
        (alg, KEYS.iter().find(|key| key.public().supports(alg)).unwrap().clone())
    })
}

/// A token with one bit of what its last part or one of its first two parts decodes to flipped.
fn flipped(token: &str, at: prop::sample::Index) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
    let mut parts: Vec<Vec<u8>> = token.split('.').map(|part| B64.decode(part).unwrap()).collect();
    let mut bit = at.index(parts.iter().map(Vec::len).sum::<usize>() * 8);
    for part in &mut parts {
        if bit < part.len() * 8 {
            part[bit / 8] ^= 1 << (bit % 8);
            break;
        }
        bit -= part.len() * 8;
    }
    parts.iter().map(|part| B64.encode(part)).collect::<Vec<_>>().join(".")
}

fn issued(issuer: &WitIssuer, alg: SigAlg, key: &PrivateKey) -> String {
    let claims = WitClaims {
        subject: id("/web"),
        confirmation: ConfirmationKey::new(key.public().clone(), alg).unwrap(),
        expires_at: now() + HOUR,
        not_before: Some(now()),
        issued_at: Some(now()),
        issuer: None,
        jti: None,
    };
    issuer.issue(&claims).unwrap()
}

fn trusting_wits(issuer: &WitIssuer) -> Bundle {
    let mut bundle = Bundle::new(td());
    bundle.push_wit(issuer.authority()).unwrap();
    bundle
}

fn get<'a>(fields: &'a [(&'a str, &'a str)]) -> Request<'a> {
    Request { method: "GET", target: "/orders?all", fields, body: b"", channel: Channel::Tls }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_jwt_svid_by_any_algorithm_verifies_and_none_with_a_flipped_bit(
        (alg, key) in algorithm(), path in "/[a-z]{1,20}", audience in "[ -~]{1,30}", at in any::<prop::sample::Index>(),
    ) {
        let claims = JwtSvidClaims {
            subject: id(&path), audience: vec![audience.clone()], issued_at: now(), expires_at: now() + HOUR,
            issuer: None, jti: None,
        };
        let token = sign_with(alg, &claims, "k", &*key).unwrap();
        let bundle = jwt_bundle("k", key.public());
        let verified = JwtSvid::verify(&token, &bundle, &[&audience], now()).unwrap();
        prop_assert_eq!((verified.id(), verified.expires_at()), (&claims.subject, claims.expires_at));
        prop_assert!(JwtSvid::verify(&flipped(&token, at), &bundle, &[&audience], now()).is_err());
    }

    #[test]
    fn a_wit_svid_by_any_algorithm_verifies_and_none_with_a_flipped_bit(
        (alg, key) in algorithm(), (own_alg, own) in algorithm(), at in any::<prop::sample::Index>(),
    ) {
        let issuer = WitIssuer::new(td(), key).unwrap().with_algorithm(alg).unwrap();
        let bundle = trusting_wits(&issuer);
        let token = issued(&issuer, own_alg, &own);
        let verified = Wit::verify(&token, &bundle, Lifespan::AsIssued, now()).unwrap();
        prop_assert_eq!(verified.wit().confirmation().key(), own.public());
        prop_assert!(Wit::verify(&flipped(&token, at), &bundle, Lifespan::AsIssued, now()).is_err());
    }

    #[test]
    fn a_proof_by_any_algorithm_is_believed_and_none_with_a_flipped_bit(
        (alg, key) in algorithm(), at in any::<prop::sample::Index>(), which in 0..3usize,
    ) {
        let issuer = WitIssuer::new(td(), KEYS[1].clone()).unwrap();
        let bundle = trusting_wits(&issuer);
        let held = HeldWit::new(&issued(&issuer, alg, &key), key).unwrap();
        let audiences = Audiences::default().origin("https://shop.example.org").unwrap();
        let used = Arc::new(DangerAcceptReplays);
        let (prover, verifier): (Box<dyn Prover>, Box<dyn ProofVerifier>) = match which {
            0 => (
                Box::new(WptProver::new(WptBinding::ProofTokenField)),
                Box::new(WptVerifier::new(WptBinding::ProofTokenField, audiences, used)),
            ),
            1 => (
                Box::new(WptProver::new(WptBinding::Authorization)),
                Box::new(WptVerifier::new(WptBinding::Authorization, audiences, used)),
            ),
            _ => (Box::new(HttpSignatureProver::default()), Box::new(HttpSignatureVerifier::new(audiences, used))),
        };
        let added = prover.present(&held, &get(&[]), AUDIENCE, now()).unwrap();
        let judged = |added: &[(&'static str, String)]| {
            let fields: Vec<(&str, &str)> = added.iter().map(|(name, value)| (*name, value.as_str())).collect();
            authenticate(&get(&fields), &bundle, Lifespan::AsIssued, &*verifier, now())
        };
        let peer = judged(&added).unwrap();
        prop_assert_eq!(peer.id(), &id("/web"));
        // The last field is the proof, or its signature.
        let mut spoilt = added.clone();
        let proof = &mut spoilt.last_mut().unwrap().1;
        *proof = match which {
            0 => flipped(proof, at),
            1 => format!("WPT {}", flipped(proof.strip_prefix("WPT ").unwrap(), at)),
            _ => {
                use base64::Engine;
                use base64::engine::general_purpose::STANDARD;
                let inner = proof.strip_prefix("wimse=:").unwrap().strip_suffix(':').unwrap();
                let mut signature = STANDARD.decode(inner).unwrap();
                let bit = at.index(signature.len() * 8);
                signature[bit / 8] ^= 1 << (bit % 8);
                format!("wimse=:{}:", STANDARD.encode(signature))
            }
        };
        prop_assert!(judged(&spoilt).is_err());
    }
}
