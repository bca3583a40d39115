//! X.509 CAs.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use kit::metrics::Call;
use model::UnixTime;
use proto::journal::{Entries, Status, X509caEntry};
use spiffe::TrustDomain;
use spiffe::bundle::{Bundle, BundleError, X509Authority};
use spiffe::key::{KeyType, PublicKey, Signer};
use spiffe::x509::{CaTemplate, Certificate, X509Issuer};

use super::error::AuthorityError;
use super::handle::Desk;
use super::kind::{Kind, Record};
use super::settings::AuthoritySettings;
use super::slot::Slot;
use super::stage::Draft;
use crate::metrics::{X509_CA_ACTIVATE, X509_CA_EXPIRATION, X509_CA_PREPARE, X509_CA_TTL};
use crate::signing::{Class, SigningPool};

/// Certificates begin this long before they are made, for relying parties whose clock is behind (SPIRE 1.16).
pub(super) const BACKDATE: Duration = Duration::from_secs(10);

/// A CA certificate and what signs in its name.
pub(super) struct X509Ca {
    id: String,
    certificate: Certificate,
    issuer: Arc<X509Issuer>,
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
        Ok(Self { id: authority_id(&certificate), certificate, issuer: Arc::new(issuer) })
    }
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

    async fn make(
        signer: Arc<dyn Signer>,
        td: &TrustDomain,
        settings: &AuthoritySettings,
        pool: &SigningPool,
        now: SystemTime,
    ) -> Result<Self, AuthorityError> {
        let template = CaTemplate::new(
            td.clone(),
            settings.ca_subject.clone(),
            now.checked_sub(BACKDATE).unwrap_or(now),
            now + settings.ca_ttl,
        );
        let make = move || Self::new(template.self_sign(&*signer)?, Vec::new(), signer);
        pool.run(Class::Waiting, make).await?.map_err(|cause| AuthorityError::Certificate(Arc::new(cause)))
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
        // Self-signed: nothing stands above it.
        ""
    }

    fn not_after(&self) -> SystemTime {
        self.certificate.not_after()
    }

    fn is_in(&self, bundle: &Bundle) -> bool {
        bundle.x509_authorities().iter().any(|authority| authority.certificate == self.certificate)
    }

    fn add_to(&self, bundle: &mut Bundle) -> Result<bool, BundleError> {
        bundle.push_x509(X509Authority { certificate: self.certificate.clone(), tainted: false })
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

    fn public_key(&self) -> Option<PublicKey> {
        Some(Certificate::parse(self.certificate.clone()).ok()?.public_key().clone())
    }
}

/// Measures a CA that begins to sign.
fn measure(trust_domain: &TrustDomain, ends: SystemTime, now: SystemTime) {
    let labels = [trust_domain.as_str()];
    X509_CA_ACTIVATE.add(1, &[]);
    X509_CA_EXPIRATION
        .set(ends.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64().trunc(), &labels);
    X509_CA_TTL.set(ends.duration_since(now).unwrap_or_default().as_secs_f64(), &labels);
}
