//! Private keys as JSON Web Keys (RFC 7518 §6.2.2, §6.3.2), as the Workload API hands them out with WIT-SVIDs (§7.2.1).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

use super::{JwkError, public_half, to_jwk};
use crate::json;
use crate::key::{PrivateKey, RsaParts, SigAlg, Signer};

/// The longest private JWK that is looked at, in bytes: RSA-8192 takes less than 8 KiB.
const MAX_JWK: usize = 16 * 1024;

/// A private key as the text of a JWK, limited to `alg` if one is given. The text is wiped when dropped.
///
/// # Errors
///
/// If the algorithm does not fit the key.
pub fn to_private_jwk(key: &PrivateKey, alg: Option<SigAlg>) -> Result<Zeroizing<String>, JwkError> {
    let public = key.public().clone();
    let public = match alg {
        None => public,
        Some(alg) => {
            public.limited_to(alg).map_err(|_| JwkError::Algorithm(format!("{:?}", alg.jws_name())))?
        }
    };
    // Written at the end of the public half, into room that is there already, so that no copy is left behind.
    let open = Value::Object(to_jwk(&public)).to_string();
    let mut text = Zeroizing::new(String::with_capacity(MAX_JWK));
    text.push_str(open.trim_end_matches('}'));
    let mut member = |name: &str, value: &[u8]| {
        text.push_str(",\"");
        text.push_str(name);
        text.push_str("\":\"");
        URL_SAFE_NO_PAD.encode_string(value, &mut text);
        text.push('"');
    };
    match key.rsa_parts() {
        None => member("d", &key.scalar().ok_or(JwkError::NoPrivate)?),
        Some(parts) => {
            for (name, value) in RsaParts::NAMES.iter().zip(parts.all()) {
                member(name, value);
            }
        }
    }
    text.push('}');
    Ok(text)
}

/// The private key of a JWK, and the algorithm that it names, if it names one.
///
/// # Errors
///
/// If it is longer than 16 KiB, is no JSON object or names a member twice, is of an unknown type or curve, holds no
/// private key (RSA: with all of `p`, `q`, `dp`, `dq` and `qi`), holds halves that do not belong together, or names an
/// algorithm that does not fit the key.
pub fn from_private_jwk(text: &str) -> Result<(PrivateKey, Option<SigAlg>), JwkError> {
    if text.len() > MAX_JWK {
        return Err(JwkError::NotJson);
    }
    let mut jwk = Value::Object(json::object(text.as_bytes()).map_err(|_| JwkError::NotJson)?);
    let read = read(&jwk);
    wipe(&mut jwk);
    read
}

fn read(jwk: &Value) -> Result<(PrivateKey, Option<SigAlg>), JwkError> {
    let public = public_half(jwk)?;
    let alg = match jwk.get("alg") {
        None => None,
        Some(named) => {
            let alg = named.as_str().and_then(SigAlg::from_jws).filter(|alg| public.supports(*alg));
            Some(alg.ok_or_else(|| JwkError::Algorithm(named.to_string()))?)
        }
    };
    let secret = |name: &'static str| {
        let text = jwk.get(name).and_then(Value::as_str).ok_or(JwkError::NoPrivate)?;
        URL_SAFE_NO_PAD.decode(text).map(Zeroizing::new).map_err(|_| JwkError::Member(name))
    };
    let key = match public.rsa_bits() {
        None => PrivateKey::from_scalar(&public, &secret("d")?),
        Some(_) => {
            let [d, p, q, dp, dq, qi] = RsaParts::NAMES;
            let (d, p, q) = (secret(d)?, secret(p)?, secret(q)?);
            PrivateKey::from_rsa_parts(
                &public,
                RsaParts { d, p, q, dp: secret(dp)?, dq: secret(dq)?, qi: secret(qi)? },
            )
        }
    };
    Ok((key.map_err(|_| JwkError::Halves)?, alg))
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(all) => all.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyType;

    #[test]
    fn a_private_key_is_written_and_read_and_still_the_same() {
        for (key_type, alg) in [
            (KeyType::EcP256, SigAlg::EcdsaP256Sha256),
            (KeyType::EcP384, SigAlg::EcdsaP384Sha384),
            (KeyType::EcP521, SigAlg::EcdsaP521Sha512),
            (KeyType::Rsa2048, SigAlg::RsaPssSha256),
        ] {
            let key = PrivateKey::generate(key_type).unwrap();
            for limit in [None, Some(alg)] {
                let text = to_private_jwk(&key, limit).unwrap();
                let (again, named) = from_private_jwk(&text).unwrap();
                assert_eq!((again.public(), again.key_type(), named), (key.public(), key_type, limit));
                let signature = again.sign(alg, b"message").unwrap();
                key.public().verify(alg, b"message", &signature).unwrap();
                // What is public refuses to be read from it.
                let value: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(super::super::from_jwk(&value).err(), Some(JwkError::Private));
            }
        }
    }

    #[test]
    fn halves_of_different_keys_are_no_key() {
        let (one, two) =
            (PrivateKey::generate(KeyType::EcP256).unwrap(), PrivateKey::generate(KeyType::EcP256).unwrap());
        let of = |key: &PrivateKey| -> Value {
            serde_json::from_str(&to_private_jwk(key, None).unwrap()).unwrap()
        };
        let mut mixed = of(&one);
        mixed["d"] = of(&two)["d"].clone();
        assert_eq!(from_private_jwk(&mixed.to_string()).err(), Some(JwkError::Halves));
        mixed["d"] = Value::Null;
        assert_eq!(from_private_jwk(&mixed.to_string()).err(), Some(JwkError::NoPrivate));
        let mut other = of(&one);
        other["alg"] = "ES384".into();
        assert!(matches!(from_private_jwk(&other.to_string()).err(), Some(JwkError::Algorithm(_))));
        for bad in ["", "[]", "{}", r#"{"kty":"EC","kty":"EC"}"#] {
            assert!(from_private_jwk(bad).is_err(), "{bad}");
        }
    }
}
