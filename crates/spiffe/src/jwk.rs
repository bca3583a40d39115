//! Public keys as JSON Web Keys (RFC 7517, RFC 7518 §6).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use der::{Decode, Encode};
use serde::Serialize;
use serde_json::{Map, Value};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use crate::key::{KeyError, PublicKey, RSA, SigAlg};

mod private;
mod thumbprint;

pub use private::{from_private_jwk, to_private_jwk};
pub use thumbprint::thumbprint;

/// Why a JWK is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum JwkError {
    #[error("key type {0} is not known")]
    UnknownType(String),
    #[error("curve {0} is not supported")]
    Curve(String),
    #[error("\"{0}\" is missing or not base64url")]
    Member(&'static str),
    #[error("it holds the private key too, which is then known to whoever reads it")]
    Private,
    #[error("it is longer than 16 KiB, or not a JSON object with distinct names")]
    NotJson,
    #[error("it holds no private key")]
    NoPrivate,
    #[error("its private and its public half do not belong together")]
    Halves,
    #[error("\"alg\" is {0}, which is not an algorithm of SVIDs that fits the key")]
    Algorithm(String),
    #[error("{0}")]
    Key(KeyError),
}

/// The curves, and how long a coordinate of each is.
const CURVES: [(&str, usize); 3] = [("P-256", 32), ("P-384", 48), ("P-521", 66)];

/// The members of a JWK that are secret: of a private or a symmetric key (RFC 7518 §6.2.2, §6.3.2, §6.4).
const SECRETS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];

/// A public key as the members of a JWK, with `alg` if it is limited to one.
pub fn to_jwk(key: &PublicKey) -> Map<String, Value> {
    match serde_json::to_value(Members::of(key)) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

/// The members of a public JWK, in the order in which others write them.
#[derive(Default, Serialize)]
pub(crate) struct Members {
    kty: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<&'static str>,
}

impl Members {
    pub(crate) fn of(key: &PublicKey) -> Self {
        let alg = key.limit().map(SigAlg::jws_name);
        let text = |number: &[u8]| Some(URL_SAFE_NO_PAD.encode(number));
        match key.curve() {
            Some(crv) => {
                // Uncompressed: a byte 4, then both coordinates.
                let point = key.raw().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                Self { alg, crv: Some(crv), kty: "EC", x: text(x), y: text(y), ..Self::default() }
            }
            None => {
                let rsa = RsaPublicKey::from_der(key.raw()).ok();
                let (n, e) = rsa.map_or((None, None), |rsa| {
                    (text(rsa.modulus.as_bytes()), text(rsa.exponent.as_bytes()))
                });
                Self { alg, kty: "RSA", n, e, ..Self::default() }
            }
        }
    }
}

/// The public key of a JWK, limited to the algorithm that it names, if it names one (RFC 7517 §4.4).
///
/// # Errors
///
/// If it is private or symmetric, of an unknown type or curve, is no key, or names an algorithm that is not one of the
/// nine of SVIDs or does not fit the key.
pub fn from_jwk(jwk: &Value) -> Result<PublicKey, JwkError> {
    if jwk.as_object().is_some_and(|jwk| jwk.keys().any(|name| SECRETS.contains(&name.as_str()))) {
        return Err(JwkError::Private);
    }
    let key = public_half(jwk)?;
    let Some(named) = jwk.get("alg") else { return Ok(key) };
    let alg = named.as_str().and_then(SigAlg::from_jws);
    alg.and_then(|alg| key.limited_to(alg).ok()).ok_or_else(|| JwkError::Algorithm(named.to_string()))
}

fn public_half(jwk: &Value) -> Result<PublicKey, JwkError> {
    let text = |name: &'static str| jwk.get(name).and_then(Value::as_str).ok_or(JwkError::Member(name));
    let bytes = |name: &'static str| URL_SAFE_NO_PAD.decode(text(name)?).map_err(|_| JwkError::Member(name));
    match text("kty")? {
        "EC" => {
            let curve = text("crv")?;
            let unknown = || JwkError::Curve(curve.to_owned());
            let (_, size) = CURVES.into_iter().find(|(name, _)| *name == curve).ok_or_else(unknown)?;
            let coordinate = |name| {
                let number = bytes(name)?;
                if number.len() == size { Ok(number) } else { Err(JwkError::Member(name)) }
            };
            let key = PublicKey::from_coordinates(curve, &coordinate("x")?, &coordinate("y")?);
            key.ok_or_else(unknown)?.map_err(JwkError::Key)
        }
        "RSA" => {
            let number = |name| der::asn1::Uint::new(&bytes(name)?).map_err(|_| JwkError::Member(name));
            rsa(&RsaPublicKey { modulus: number("n")?, exponent: number("e")? })
        }
        other => Err(JwkError::UnknownType(other.to_owned())),
    }
}

fn rsa(key: &RsaPublicKey) -> Result<PublicKey, JwkError> {
    let raw = key.to_der().map_err(|_| JwkError::Member("n"))?;
    let malformed = |e: der::Error| JwkError::Key(KeyError::MalformedPublic(e.to_string()));
    let algorithm = AlgorithmIdentifierOwned { oid: RSA, parameters: Some(der::Any::null()) };
    let subject_public_key = der::asn1::BitString::from_bytes(&raw).map_err(malformed)?;
    let spki = SubjectPublicKeyInfoOwned { algorithm, subject_public_key };
    PublicKey::from_spki_der(&spki.to_der().map_err(malformed)?).map_err(JwkError::Key)
}

#[derive(der::Sequence)]
struct RsaPublicKey {
    modulus: der::asn1::Uint,
    exponent: der::asn1::Uint,
}
