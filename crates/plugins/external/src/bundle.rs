//! Bundles on the plugins' wire.

use std::time::{SystemTime, UNIX_EPOCH};

use proto::spire::plugin::types as wire;
use spiffe::bundle::{Bundle, JwtAuthority};

/// A bundle as plugins get it.
pub(crate) fn wire(bundle: &Bundle) -> wire::Bundle {
    let certificate = |authority: &spiffe::bundle::X509Authority| wire::X509Certificate {
        asn1: authority.certificate.der().to_vec(),
        tainted: authority.tainted,
    };
    wire::Bundle {
        trust_domain: bundle.trust_domain().as_str().to_owned(),
        x509_authorities: bundle.x509_authorities().iter().map(certificate).collect(),
        jwt_authorities: bundle.jwt_authorities().iter().map(jwt).collect(),
        refresh_hint: bundle.refresh_hint.map_or(0, |hint| i64::try_from(hint.as_secs()).unwrap_or(i64::MAX)),
        sequence_number: bundle.sequence,
        wit_authorities: Vec::new(),
    }
}

/// A key as plugins get it.
pub(crate) fn jwt(key: &JwtAuthority) -> wire::JwtKey {
    wire::JwtKey {
        public_key: key.public_key.spki_der().to_vec(),
        key_id: key.key_id.clone(),
        expires_at: key.expires_at.map_or(0, seconds),
        tainted: key.tainted,
    }
}

fn seconds(at: SystemTime) -> i64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
