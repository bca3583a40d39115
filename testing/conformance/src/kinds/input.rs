//! Members that inputs of several kinds have.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use spiffe::TrustDomain;
use spiffe::bundle::{Bundle, BundleSet, JwtAuthority, WitAuthority, X509Authority};
use spiffe::key::PublicKey;
use spiffe::x509::Certificate;

/// Bytes, written in standard base64 with padding.
#[derive(Clone, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(&self.0))
    }
}

/// What a verifier holds of one trust domain: authorities that are already read, so that nothing but the SVID is judged.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorities {
    /// Signing certificates, DER.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub x509: Vec<Bytes>,
    /// Keys of JWT-SVIDs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jwt: Vec<KeyEntry>,
    /// Keys of WIT-SVIDs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wit: Vec<KeyEntry>,
}

/// A public key and its name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// The `kid`.
    pub kid: String,
    /// A DER SubjectPublicKeyInfo.
    pub spki: Bytes,
}

/// What a verifier holds, by the name of the trust domain.
pub type Bundles = BTreeMap<String, Authorities>;

/// The bundles as the library has them. An authority that the library cannot read is one that it does not have.
pub fn bundle_set(bundles: &Bundles) -> Result<BundleSet, String> {
    let mut set = Vec::new();
    for (name, authorities) in bundles {
        let mut bundle = Bundle::new(TrustDomain::parse(name).map_err(|e| e.to_string())?);
        for der in &authorities.x509 {
            if let Ok(certificate) = Certificate::parse(der.0.clone()) {
                bundle.push_x509(X509Authority { certificate, tainted: false }).map_err(|e| e.to_string())?;
            }
        }
        for key in &authorities.jwt {
            if let Ok(public_key) = PublicKey::from_spki_der(&key.spki.0) {
                let key_id = key.kid.clone();
                bundle
                    .push_jwt(JwtAuthority { key_id, public_key, expires_at: None, tainted: false })
                    .map_err(|e| e.to_string())?;
            }
        }
        for key in &authorities.wit {
            if let Ok(public_key) = PublicKey::from_spki_der(&key.spki.0) {
                let key_id = key.kid.clone();
                bundle
                    .push_wit(WitAuthority { key_id, public_key, expires_at: None, tainted: false })
                    .map_err(|e| e.to_string())?;
            }
        }
        set.push(std::sync::Arc::new(bundle));
    }
    Ok(set.into_iter().collect())
}

/// The moment of so many seconds after the start of 1970.
pub fn moment(seconds: i64) -> SystemTime {
    let span = Duration::from_secs(seconds.unsigned_abs());
    match seconds {
        0.. => SystemTime::UNIX_EPOCH + span,
        _ => SystemTime::UNIX_EPOCH - span,
    }
}
