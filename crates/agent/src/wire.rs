//! Bundles off the wire.

use std::time::Duration;

use model::UnixTime;
use proto::spire::api::types;
use spiffe::bundle::{Bundle, BundleError, JwtAuthority, X509Authority};
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
        let Some(public_key) = jwt_key(one) else { continue };
        let expires_at = UnixTime::from_wire(one.expires_at).map(UnixTime::system_time);
        bundle.push_jwt(JwtAuthority {
            key_id: one.key_id.clone(),
            public_key,
            expires_at,
            tainted: one.tainted,
        })?;
    }
    bundle.sequence = wire.sequence_number;
    bundle.refresh_hint =
        u64::try_from(wire.refresh_hint).ok().filter(|hint| *hint > 0).map(Duration::from_secs);
    Ok(bundle)
}

fn jwt_key(wire: &types::JwtKey) -> Option<PublicKey> {
    PublicKey::from_spki_der(&wire.public_key)
        .inspect_err(|error| tracing::warn!(error = %error, kid = wire.key_id, "Ignoring a JWT authority that cannot be used"))
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
