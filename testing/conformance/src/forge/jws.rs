//! Tokens with any header and claims (RFC 7515).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::key::{Hash, Key, Scheme};

/// How each JWS algorithm signs; `None` for one that no key here has.
pub fn scheme(alg: &str) -> Option<Scheme> {
    Some(match alg {
        "RS256" => Scheme::Pkcs1(Hash::Sha256),
        "RS384" => Scheme::Pkcs1(Hash::Sha384),
        "RS512" => Scheme::Pkcs1(Hash::Sha512),
        "PS256" => Scheme::Pss(Hash::Sha256),
        "PS384" => Scheme::Pss(Hash::Sha384),
        "PS512" => Scheme::Pss(Hash::Sha512),
        "ES256" => Scheme::Ecdsa(Hash::Sha256),
        "ES384" => Scheme::Ecdsa(Hash::Sha384),
        "ES512" => Scheme::Ecdsa(Hash::Sha512),
        _ => return None,
    })
}

/// A part of a token.
pub fn part(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token of header and claims as they are given, signed by the key's usual algorithm whatever the header says.
pub fn token(header: &str, claims: &str, key: &Key) -> String {
    token_with(header, claims, key, key.usual())
}

/// As [`token`], signed by another algorithm.
pub fn token_with(header: &str, claims: &str, key: &Key, scheme: Scheme) -> String {
    sign(&format!("{}.{}", part(header), part(claims)), key, scheme)
}

/// The two parts that are given, with their signature behind them.
pub fn sign(signed: &str, key: &Key, scheme: Scheme) -> String {
    let signature = key.sign_fixed(scheme, signed.as_bytes());
    format!("{signed}.{}", part(signature))
}
