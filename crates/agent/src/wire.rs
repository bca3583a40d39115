//! Bundles off the wire.

use std::time::Duration;

use model::UnixTime;
use proto::spire::api::types;
use spiffe::bundle::{Bundle, BundleError, JwtAuthority, WitAuthority, X509Authority};
use spiffe::key::PublicKey;
use spiffe::x509::{Certificate, CertificateError};
use spiffe::{IdError, TrustDomain};

/// Why a bundle cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BundleFault {
    #[error("its trust domain is malformed: {0}")]
    TrustDomain(#[from] IdError),
    #[error("an X.509 authority is malformed: {0}")]
    X509(#[from] CertificateError),
    #[error("{0}")]
    Bundle(#[from] BundleError),
}

/// Reads a bundle.
pub(crate) fn bundle(wire: &types::Bundle) -> Result<Bundle, BundleFault> {
    let name = wire.trust_domain.strip_prefix("spiffe://").unwrap_or(&wire.trust_domain);
    let mut bundle = Bundle::new(TrustDomain::parse(name)?);
    for one in &wire.x509_authorities {
        let certificate = Certificate::parse(one.asn1.clone())?;
        bundle.push_x509(X509Authority { certificate, tainted: one.tainted })?;
    }
    for one in &wire.jwt_authorities {
        // Of a kind that is not known here, it is of no use, but the others are.
        let Some(public_key) = usable(&one.public_key, &one.key_id) else { continue };
        let expires_at = UnixTime::from_wire(one.expires_at).map(UnixTime::system_time);
        bundle.push_jwt(JwtAuthority {
            key_id: one.key_id.clone(),
            public_key,
            expires_at,
            tainted: one.tainted,
        })?;
    }
    for one in &wire.wit_authorities {
        let Some(public_key) = usable(&one.public_key, &one.key_id) else { continue };
        let expires_at = UnixTime::from_wire(one.expires_at).map(UnixTime::system_time);
        let key_id = one.key_id.clone();
        let pushed = bundle.push_wit(WitAuthority { key_id, public_key, expires_at, tainted: one.tainted });
        if let Err(error) = pushed {
            tracing::warn!(error = %error, kid = one.key_id, "Ignoring a WIT authority that cannot be used");
        }
    }
    bundle.sequence = wire.sequence_number;
    bundle.refresh_hint =
        u64::try_from(wire.refresh_hint).ok().filter(|hint| *hint > 0).map(Duration::from_secs);
    Ok(bundle)
}

fn usable(public_key: &[u8], kid: &str) -> Option<PublicKey> {
    PublicKey::from_spki_der(public_key)
        .inspect_err(
            |error| tracing::warn!(error = %error, kid, "Ignoring an authority's key that cannot be used"),
        )
        .ok()
}

/// Reads those that can be read and says which cannot.
pub(crate) fn bundles(wire: &[types::Bundle]) -> Vec<Bundle> {
    let read = |one: &types::Bundle| match bundle(one) {
        Ok(bundle) => Some(bundle),
        Err(error) => {
            tracing::warn!(error = %error, trust_domain = one.trust_domain, "Received malformed bundle from the server; are the server and agent versions compatible?");
            None
        }
    };
    wire.iter().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use spiffe::key::{KeyType, PrivateKey, Signer as _};

    use super::*;

    #[test]
    fn a_key_that_cannot_be_used_costs_no_other() {
        let public_key = PrivateKey::generate(KeyType::EcP256).unwrap().public().spki_der().to_vec();
        let jwt = |public_key: &[u8], kid: &str| types::JwtKey {
            public_key: public_key.to_vec(),
            key_id: kid.into(),
            ..Default::default()
        };
        let wit = |public_key: &[u8], kid: &str| types::WitKey {
            public_key: public_key.to_vec(),
            key_id: kid.into(),
            ..Default::default()
        };
        let wire = types::Bundle {
            trust_domain: "example.org".into(),
            jwt_authorities: vec![jwt(b"x", "broken"), jwt(&public_key, "j")],
            wit_authorities: vec![wit(b"x", "broken"), wit(&public_key, "j"), wit(&public_key, "w")],
            ..Default::default()
        };
        let bundle = bundle(&wire).unwrap();
        let kids: Vec<_> = bundle.jwt_authorities().iter().map(|a| a.key_id.as_str()).collect();
        assert_eq!(kids, ["j"]);
        let kids: Vec<_> = bundle.wit_authorities().iter().map(|a| a.key_id.as_str()).collect();
        assert_eq!(kids, ["w"]);
    }
}
