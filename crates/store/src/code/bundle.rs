//! Bundles. Moments are kept in whole seconds.

use std::time::{Duration, SystemTime};

use model::UnixTime;
use prost::Message;
use spiffe::bundle::{Bundle, JwtAuthority, WitAuthority, X509Authority};
use spiffe::key::PublicKey;
use spiffe::x509::Certificate;

use super::CodeError;
use super::text::trust_domain_of;

#[derive(Clone, PartialEq, Message)]
struct StoredBundle {
    #[prost(string, tag = "1")]
    trust_domain: String,
    #[prost(message, repeated, tag = "2")]
    x509: Vec<StoredX509>,
    #[prost(message, repeated, tag = "3")]
    jwt: Vec<StoredKey>,
    #[prost(uint64, optional, tag = "4")]
    refresh_hint: Option<u64>,
    #[prost(uint64, tag = "5")]
    sequence: u64,
    #[prost(message, repeated, tag = "6")]
    wit: Vec<StoredKey>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredX509 {
    #[prost(bytes = "vec", tag = "1")]
    certificate: Vec<u8>,
    #[prost(bool, tag = "2")]
    tainted: bool,
}

#[derive(Clone, PartialEq, Message)]
struct StoredKey {
    #[prost(bytes = "vec", tag = "1")]
    public_key: Vec<u8>,
    #[prost(string, tag = "2")]
    key_id: String,
    #[prost(int64, optional, tag = "3")]
    expires_at: Option<i64>,
    #[prost(bool, tag = "4")]
    tainted: bool,
}

pub(crate) fn bundle_bytes(bundle: &Bundle) -> Vec<u8> {
    let x509 =
        |a: &X509Authority| StoredX509 { certificate: a.certificate.der().to_vec(), tainted: a.tainted };
    let jwt = |a: &JwtAuthority| key(&a.public_key, &a.key_id, a.expires_at, a.tainted);
    let wit = |a: &WitAuthority| key(&a.public_key, &a.key_id, a.expires_at, a.tainted);
    StoredBundle {
        trust_domain: bundle.trust_domain().as_str().to_owned(),
        x509: bundle.x509_authorities().iter().map(x509).collect(),
        jwt: bundle.jwt_authorities().iter().map(jwt).collect(),
        refresh_hint: bundle.refresh_hint.map(|hint| hint.as_secs()),
        sequence: bundle.sequence,
        wit: bundle.wit_authorities().iter().map(wit).collect(),
    }
    .encode_to_vec()
}

fn key(public_key: &PublicKey, key_id: &str, expires_at: Option<SystemTime>, tainted: bool) -> StoredKey {
    StoredKey {
        public_key: public_key.spki_der().to_vec(),
        key_id: key_id.to_owned(),
        expires_at: expires_at.map(|at| UnixTime::of(at).0),
        tainted,
    }
}

pub(crate) fn bundle_of(bytes: &[u8]) -> Result<Bundle, CodeError> {
    let stored = StoredBundle::decode(bytes)?;
    let td = trust_domain_of("trust_domain", &stored.trust_domain)?;
    let mut bundle = Bundle::new(td);
    for authority in stored.x509 {
        bundle.push_x509(x509_of(authority)?).map_err(|why| CodeError::field("x509", why))?;
    }
    for authority in stored.jwt {
        bundle.push_jwt(jwt_of(authority)?).map_err(|why| CodeError::field("jwt", why))?;
    }
    for authority in stored.wit {
        bundle.push_wit(wit_of(authority)?).map_err(|why| CodeError::field("wit", why))?;
    }
    bundle.refresh_hint = stored.refresh_hint.map(Duration::from_secs);
    bundle.sequence = stored.sequence;
    Ok(bundle)
}

fn x509_of(stored: StoredX509) -> Result<X509Authority, CodeError> {
    let certificate =
        Certificate::parse(stored.certificate).map_err(|why| CodeError::field("certificate", why))?;
    Ok(X509Authority { certificate, tainted: stored.tainted })
}

fn jwt_of(stored: StoredKey) -> Result<JwtAuthority, CodeError> {
    let (public_key, expires_at) = stored.parts()?;
    Ok(JwtAuthority { public_key, key_id: stored.key_id, expires_at, tainted: stored.tainted })
}

fn wit_of(stored: StoredKey) -> Result<WitAuthority, CodeError> {
    let (public_key, expires_at) = stored.parts()?;
    Ok(WitAuthority { public_key, key_id: stored.key_id, expires_at, tainted: stored.tainted })
}

impl StoredKey {
    fn parts(&self) -> Result<(PublicKey, Option<SystemTime>), CodeError> {
        let public_key =
            PublicKey::from_spki_der(&self.public_key).map_err(|why| CodeError::field("public_key", why))?;
        Ok((public_key, self.expires_at.map(|at| UnixTime(at).system_time())))
    }
}
