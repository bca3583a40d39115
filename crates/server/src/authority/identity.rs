//! The server's own X.509-SVID, by which agents know it.

use std::sync::Arc;
use std::time::SystemTime;

use model::graph::SERVER_PATH;
use spiffe::SpiffeId;
use spiffe::bundle::Bundle;
use spiffe::key::{PrivateKey, Signer};
use spiffe::x509::{X509Issuer, X509Svid};
use spiffe_tls::{Identity, IdentitySource};
use tonic::Code;
use zeroize::Zeroizing;

use super::error::{AuthorityError, SignError, chain};
use super::handle::Desk;
use super::issue::Leaf;
use super::moment::moment;
use super::x509::{anchor, authority_id};
use crate::metrics::SVID_ROTATE;
use crate::signing::Class;

/// The server's X.509-SVID with its key.
pub struct ServerCredentials {
    svid: X509Svid,
    key: Arc<PrivateKey>,
}

impl ServerCredentials {
    /// The SVID.
    #[must_use]
    pub fn svid(&self) -> &X509Svid {
        &self.svid
    }

    /// Its key, PKCS #8 DER.
    #[must_use]
    pub fn key(&self) -> Zeroizing<Vec<u8>> {
        self.key.to_pkcs8()
    }
}

/// Keeps the server in possession of an X.509-SVID.
pub(super) struct ServerSvid {
    source: Arc<IdentitySource>,
    current: Option<Current>,
}

struct Current {
    /// Half of its life is over then.
    renew_at: SystemTime,
    /// The authority that signed it.
    signed_by: String,
    /// The name of the root above that authority.
    anchor: Vec<u8>,
}

impl ServerSvid {
    pub(super) fn new() -> Self {
        Self { source: IdentitySource::new(), current: None }
    }

    /// Where TLS finds it.
    pub(super) fn source(&self) -> Arc<IdentitySource> {
        self.source.clone()
    }

    /// Whether the authority that signed it is not to be relied on any more.
    pub(super) fn is_tainted(&self, bundle: Option<&Arc<Bundle>>) -> bool {
        let (Some(current), Some(bundle)) = (&self.current, bundle) else { return false };
        bundle.x509_authorities().iter().any(|a| a.tainted && a.certificate.subject_der() == current.anchor)
    }

    /// Replaces it if half of its life is over, or if it is tainted. Returns when it is to be replaced next.
    pub(super) async fn renew_if_due(
        &mut self,
        desk: &Desk,
        bundle: Option<&Arc<Bundle>>,
        now: SystemTime,
    ) -> Result<SystemTime, AuthorityError> {
        let issuer = desk
            .x509
            .load_full()
            .ok_or_else(|| AuthorityError::ServerSvid(SignError::NoX509Ca.to_string()))?;
        let issuer_id = authority_id(issuer.certificate());
        // With the tainted authority still the active one, a new SVID would be no better.
        let tainted =
            self.is_tainted(bundle) && self.current.as_ref().is_some_and(|c| c.signed_by != issuer_id);
        if tainted {
            tracing::info!(
                "Server SVID signed using a tainted authority, forcing rotation of the Server SVID"
            );
        }
        match &self.current {
            Some(current) if now < current.renew_at && !tainted => return Ok(current.renew_at),
            _ => {}
        }
        let call = SVID_ROTATE.start(&[]);
        let anchor = anchor(&issuer).to_vec();
        let made = make(desk, issuer, now).await;
        call.with(&made, |_| Code::Internal);
        let (identity, credentials, not_after) = made?;
        self.source.set(identity);
        desk.credentials.store(Some(Arc::new(credentials)));
        // Counted from now, not from its backdated beginning, which for a life of seconds lies before the half.
        let renew_at = now + not_after.duration_since(now).unwrap_or_default() / 2;
        self.current = Some(Current { renew_at, signed_by: issuer_id, anchor });
        Ok(renew_at)
    }
}

/// A new key and an SVID on it.
async fn make(
    desk: &Desk,
    issuer: Arc<X509Issuer>,
    now: SystemTime,
) -> Result<(Identity, ServerCredentials, SystemTime), AuthorityError> {
    let failed = |why: String| AuthorityError::ServerSvid(why);
    let id = SpiffeId::new(&desk.trust_domain, SERVER_PATH).map_err(|e| failed(e.to_string()))?;
    let leaf = Leaf::new(issuer, now, desk.settings.x509_svid_ttl).map_err(|e| failed(e.to_string()))?;
    let key_type = desk.settings.ca_key_type;
    let sign = move || {
        let key = PrivateKey::generate(key_type).map_err(|e| e.to_string())?;
        let svid = leaf.sign_own(id, key.public().clone()).map_err(|e| chain(&e))?;
        Ok::<_, String>((svid, key))
    };
    let (svid, key) = desk.pool.run(Class::Waiting, sign).await?.map_err(failed)?;
    tracing::debug!(spiffe_id = %svid.id(), expiration = moment(svid.expires_at()), "Signed X509 SVID");
    let not_after = svid.expires_at();
    let svid = X509Svid::of(svid.chain().to_vec()).map_err(|e| failed(e.to_string()))?;
    let key = Arc::new(key);
    let identity = Identity::new(svid.clone(), key.clone()).map_err(|e| failed(e.to_string()))?;
    Ok((identity, ServerCredentials { svid, key }, not_after))
}
