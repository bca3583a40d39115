//! X.509 CAs.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use kit::metrics::Call;
use model::UnixTime;
use model::ports::UpstreamAuthority;
use proto::journal::{Entries, Status, X509caEntry};
use spiffe::bundle::{Bundle, BundleError, BundleSet, X509Authority};
use spiffe::key::{KeyType, PublicKey, Signer};
use spiffe::x509::{CaTemplate, Certificate, Csr, LeafTemplate, X509Issuer, X509Svid};
use spiffe::{SpiffeId, TrustDomain};

use super::error::AuthorityError;
use super::handle::Desk;
use super::kind::{Kind, Record};
use super::settings::AuthoritySettings;
use super::slot::Slot;
use super::stage::Draft;
use crate::metrics::{X509_CA_ACTIVATE, X509_CA_EXPIRATION, X509_CA_PREPARE, X509_CA_TTL};
use crate::signing::Class;

/// Certificates begin this long before they are made, for relying parties whose clock is behind (SPIRE 1.16).
pub(super) const BACKDATE: Duration = Duration::from_secs(10);

/// A CA certificate and what signs in its name.
pub(super) struct X509Ca {
    id: String,
    certificate: Certificate,
    issuer: Arc<X509Issuer>,
    /// The key of what signed it, in hexadecimal; empty if it signed itself.
    upstream_id: String,
    /// What the upstream authority said that it is to be verified against; empty if it was restored.
    roots: Vec<X509Authority>,
}

impl std::fmt::Debug for X509Ca {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "X509Ca({})", self.id)
    }
}

impl X509Ca {
    fn new(
        certificate: Certificate,
        upstream_chain: Vec<Certificate>,
        signer: Arc<dyn Signer>,
    ) -> Result<Self, spiffe::x509::IssueError> {
        let issuer = X509Issuer::new(certificate.clone(), upstream_chain, signer)?;
        let id = authority_id(&certificate);
        // Not by the names: SPIRE 1.16 gives a server two levels down the name of the one above it.
        let above =
            certificate.authority_key_id().filter(|above| Some(*above) != certificate.subject_key_id());
        let upstream_id = above.map(hex).unwrap_or_default();
        Ok(Self { id, certificate, issuer: Arc::new(issuer), upstream_id, roots: Vec::new() })
    }

    /// One that the authority above signs. It is used only if what it signs would be believed.
    async fn mint(
        signer: Arc<dyn Signer>,
        desk: &Desk,
        upstream: &dyn UpstreamAuthority,
        now: SystemTime,
    ) -> Result<Self, AuthorityError> {
        let unusable = |why: &dyn std::fmt::Display| AuthorityError::Unusable(why.to_string());
        let (td, settings, pool) = (&desk.trust_domain, &desk.settings, &desk.pool);
        let (asking, domain, subject) = (signer.clone(), td.clone(), settings.ca_subject.clone());
        let ask = move || Csr::build_for_authority(&*asking, &domain, &subject);
        let csr = pool.run(Class::Waiting, ask).await?.map_err(|e| unusable(&e))?;
        let minted = upstream.mint(csr, settings.ca_ttl, now).await?;
        kit::steps::done(Self::NAME, "signed above");
        let roots = minted.roots.x509_authorities().to_vec();
        let mut chain = minted.chain.into_iter();
        let certificate = chain.next().ok_or_else(|| unusable(&"it is missing"))?;
        let ca = Self::new(certificate, chain.collect(), signer).map_err(|e| unusable(&e))?;
        if ca.issuer.trust_domain() != td {
            return Err(unusable(&format!("it is of trust domain {}", ca.issuer.trust_domain())));
        }
        let ca = Self { roots, ..ca };
        let (issuer, bundle) = (ca.issuer.clone(), minted.roots);
        pool.run(Class::Waiting, move || try_out(&issuer, bundle, now)).await?.map_err(|e| unusable(&e))?;
        Ok(ca)
    }

    /// The name of the root that its chain ends at.
    pub(super) fn anchor(&self) -> &[u8] {
        anchor(&self.issuer)
    }
}

/// The name of the root that an issuer's chain ends at; its own if it is one.
pub(super) fn anchor(issuer: &X509Issuer) -> &[u8] {
    issuer.topmost().issuer_der()
}

/// Signs something and believes it, or says why it would not be believed.
fn try_out(issuer: &X509Issuer, roots: Bundle, now: SystemTime) -> Result<(), String> {
    let said = |error: &dyn std::error::Error| super::error::chain(error);
    let id = SpiffeId::new(issuer.trust_domain(), "/spire/throwaway").map_err(|e| said(&e))?;
    let key = issuer.certificate().public_key().clone();
    let leaf = LeafTemplate::new(id, key, now, issuer.not_after()).issue(issuer).map_err(|e| said(&e))?;
    let set: BundleSet = std::iter::once(Arc::new(roots)).collect();
    let svid = X509Svid::of(issuer.chain_for(leaf)).map_err(|e| said(&e))?;
    svid.verify(&set, now).map(|_| ()).map_err(|e| said(&e))
}

/// The name of a CA among authorities: its subject key ID in hexadecimal (SPIRE 1.16).
pub(super) fn authority_id(certificate: &Certificate) -> String {
    certificate.subject_key_id().map(hex).unwrap_or_default()
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[async_trait]
impl Kind for X509Ca {
    const NAME: &'static str = "X509 CA";
    type Record = X509caEntry;

    fn records(journal: &mut Entries) -> &mut Vec<X509caEntry> {
        &mut journal.x509_c_as
    }

    fn key_name(slot: Slot) -> &'static str {
        match slot {
            Slot::A => "x509-CA-A",
            Slot::B => "x509-CA-B",
        }
    }

    fn key_type(settings: &AuthoritySettings) -> KeyType {
        settings.ca_key_type
    }

    async fn make(signer: Arc<dyn Signer>, desk: &Desk, now: SystemTime) -> Result<Self, AuthorityError> {
        if let Some(upstream) = &desk.upstream {
            return Self::mint(signer, desk, &**upstream, now).await;
        }
        let template = CaTemplate::new(
            desk.trust_domain.clone(),
            desk.settings.ca_subject.clone(),
            now.checked_sub(BACKDATE).unwrap_or(now),
            now + desk.settings.ca_ttl,
        );
        let make = move || Self::new(template.self_sign(&*signer)?, Vec::new(), signer);
        desk.pool
            .run(Class::Waiting, make)
            .await?
            .map_err(|cause| AuthorityError::Certificate(Arc::new(cause)))
    }

    fn restore(record: &X509caEntry, signer: Arc<dyn Signer>) -> Result<Self, String> {
        let parse = |der: &Vec<u8>| Certificate::parse(der.clone()).map_err(|e| e.to_string());
        let certificate = parse(&record.certificate)?;
        let recorded = record.upstream_chain.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        // SPIRE records the CA itself as the first of the chain.
        let upstream_chain = recorded.into_iter().filter(|c| *c != certificate).collect();
        Self::new(certificate, upstream_chain, signer).map_err(|e| e.to_string())
    }

    fn record(draft: &Draft<Self>) -> X509caEntry {
        X509caEntry {
            slot_id: draft.slot.as_str().to_owned(),
            issued_at: UnixTime::of(draft.issued_at).0,
            not_after: UnixTime::of(draft.key.not_after()).0,
            certificate: draft.key.certificate.der().to_vec(),
            upstream_chain: draft.key.issuer.intermediates().iter().map(|c| c.der().to_vec()).collect(),
            status: Status::Prepared.into(),
            authority_id: draft.key.id.clone(),
            upstream_authority_id: draft.key.upstream_id().to_owned(),
        }
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn upstream_id(&self) -> &str {
        &self.upstream_id
    }

    fn not_after(&self) -> SystemTime {
        self.certificate.not_after()
    }

    /// Or the root that its chain ends at.
    fn is_in(&self, bundle: &Bundle) -> bool {
        let anchor = (!self.upstream_id.is_empty()).then(|| self.anchor());
        is_in(bundle, &self.certificate, anchor)
    }

    fn add_to(&self, bundle: &mut Bundle) -> Result<bool, BundleError> {
        if self.upstream_id.is_empty() {
            return bundle.push_x509(X509Authority { certificate: self.certificate.clone(), tainted: false });
        }
        // A root that is known and newly tainted is dealt with by who follows the bundle above: first this server has
        // to stop signing below it.
        let known = |root: &X509Authority, bundle: &Bundle| {
            bundle.x509_authorities().iter().any(|held| held.certificate == root.certificate)
        };
        self.roots.iter().try_fold(false, |news, root| match known(root, bundle) {
            true => Ok(news),
            false => Ok(bundle.push_x509(root.clone())? || news),
        })
    }

    fn preparations() -> &'static Call {
        &X509_CA_PREPARE
    }

    fn serve(self: &Arc<Self>, desk: &Desk) {
        measure(&desk.trust_domain, self.not_after(), desk.clock.now());
        desk.x509.store(Some(self.issuer.clone()));
    }
}

impl Record for X509caEntry {
    fn slot(&self) -> &str {
        &self.slot_id
    }

    fn issued_at(&self) -> i64 {
        self.issued_at
    }

    fn not_after(&self) -> i64 {
        self.not_after
    }

    fn authority_id(&self) -> &str {
        &self.authority_id
    }

    fn status(&self) -> Status {
        X509caEntry::status(self)
    }

    fn set_status(&mut self, status: Status) {
        X509caEntry::set_status(self, status);
    }

    fn upstream_id(&self) -> &str {
        &self.upstream_authority_id
    }

    fn is_in(&self, bundle: &Bundle) -> bool {
        let parse = |der: &Vec<u8>| Certificate::parse(der.clone()).ok();
        let Some(certificate) = parse(&self.certificate) else { return false };
        let top = self.upstream_chain.last().and_then(parse).unwrap_or_else(|| certificate.clone());
        let anchor = (!self.upstream_authority_id.is_empty()).then(|| top.issuer_der());
        is_in(bundle, &certificate, anchor)
    }

    fn public_key(&self) -> Option<PublicKey> {
        Some(Certificate::parse(self.certificate.clone()).ok()?.public_key().clone())
    }
}

/// Whether a bundle has a CA that is a root, or the root of this name that its chain ends at.
fn is_in(bundle: &Bundle, certificate: &Certificate, anchor: Option<&[u8]>) -> bool {
    bundle.x509_authorities().iter().any(|authority| match anchor {
        None => authority.certificate == *certificate,
        Some(anchor) => authority.certificate.subject_der() == anchor,
    })
}

/// Measures a CA that begins to sign.
fn measure(trust_domain: &TrustDomain, ends: SystemTime, now: SystemTime) {
    let labels = [trust_domain.as_str()];
    X509_CA_ACTIVATE.add(1, &[]);
    X509_CA_EXPIRATION
        .set(ends.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64().trunc(), &labels);
    X509_CA_TTL.set(ends.duration_since(now).unwrap_or_default().as_secs_f64(), &labels);
}
