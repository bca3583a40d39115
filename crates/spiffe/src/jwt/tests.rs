//! Sign and verify.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;
use crate::SpiffeId;
use crate::bundle::{Bundle, JwtAuthority};
use crate::key::{KeyType, PrivateKey, Signer};

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn issue(key_type: KeyType) -> (String, Bundle) {
    let key = PrivateKey::generate(key_type).unwrap();
    let id = SpiffeId::parse("spiffe://example.org/a").unwrap();
    let claims = JwtSvidClaims {
        subject: id.clone(),
        audience: vec!["one".into(), "two".into()],
        issued_at: now(),
        expires_at: now() + Duration::from_secs(300),
        issuer: None,
        jti: None,
    };
    let mut bundle = Bundle::new(id.trust_domain());
    let authority = JwtAuthority {
        key_id: "k".into(),
        public_key: key.public().clone(),
        expires_at: None,
        tainted: false,
    };
    bundle.push_jwt(authority).unwrap();
    (sign(&claims, "k", &key).unwrap(), bundle)
}

#[test]
fn a_signed_token_verifies_for_its_audiences_until_it_expires() {
    for key_type in [KeyType::EcP256, KeyType::EcP384, KeyType::EcP521, KeyType::Rsa2048] {
        let (token, bundle) = issue(key_type);
        // Through the document and back, as a verifier elsewhere gets it.
        let bundle =
            Bundle::parse_spiffe_json(bundle.trust_domain().clone(), &bundle.to_spiffe_json()).unwrap();
        let verified = JwtSvid::verify(&token, &bundle, &["two"], now()).unwrap();
        assert_eq!(verified.id().as_str(), "spiffe://example.org/a");
        assert!(matches!(
            JwtSvid::verify(&token, &bundle, &["three"], now()),
            Err(JwtError::Audience { .. })
        ));
        let late = now() + Duration::from_secs(300);
        assert_eq!(JwtSvid::verify(&token, &bundle, &["one"], late).err(), Some(JwtError::Expired));
    }
}

#[test]
fn any_changed_character_is_refused() {
    let (token, bundle) = issue(KeyType::EcP256);
    for index in 0..token.len() {
        let mut bad = token.clone().into_bytes();
        bad[index] = if bad[index] == b'A' { b'B' } else { b'A' };
        let bad = String::from_utf8(bad).unwrap();
        assert!(JwtSvid::verify(&bad, &bundle, &["one"], now()).is_err(), "character {index}");
    }
}

#[test]
fn tokens_without_a_signature_or_with_a_shared_secret_are_refused() {
    let (token, _) = issue(KeyType::EcP256);
    let body = token.split('.').nth(1).unwrap();
    for alg in ["none", "HS256", ""] {
        let header = URL_SAFE_NO_PAD.encode(json!({ "alg": alg, "kid": "k" }).to_string());
        let forged = format!("{header}.{body}.");
        assert!(matches!(JwtSvid::parse_unverified(&forged), Err(JwtError::Jws(JwsError::Algorithm(_)))));
    }
}
