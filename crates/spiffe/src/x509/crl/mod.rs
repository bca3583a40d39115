//! Certificate revocation lists (RFC 5280 §5), for authorities that keep them. SPIFFE itself revokes by taking an
//! authority out of its bundle, and hands lists on where they exist (SPIFFE Workload API §5.2.1).
//!
//! A list is parsed, then [`Crl::verify`] with the certificate of its issuer makes a [`SignedCrl`] of it, once; chains
//! are verified with those, and whether a list holds at that moment is judged then.
//!
//! What is not supported is refused, never passed over: lists without a next update, of version 1, deltas, and all that
//! have an issuing distribution point (indirect ones, and such as cover only some certificates or reasons). A list counts
//! for the certificates that the same name issued with the same key.

mod issue;
mod parse;
mod status;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::certificate::Certificate;
use super::signature::{self, Unsigned};
use super::span::Span;

pub use issue::{CrlTemplate, Revoked};
pub use status::{Revocation, WithoutCrl};

/// The largest list that is looked at, in bytes.
pub const MAX_CRL: usize = 16 * 1024 * 1024;

/// Why a revocation list is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum CrlError {
    #[error("the revocation list is {0} bytes long; at most 16 MiB are accepted")]
    TooLarge(usize),
    #[error("the revocation list is not valid DER: {0}")]
    Malformed(&'static str),
    #[error(
        "the revocation list does not say when the next one comes (RFC 5280 §5.1.2.5), so it would hold for ever"
    )]
    NoNextUpdate,
    #[error(
        "the revocation list is a delta to another (RFC 5280 §5.2.4), which is not supported; use the whole list"
    )]
    Delta,
    #[error(
        "the revocation list is indirect or covers only a part (RFC 5280 §5.2.5), which is not supported; use the whole list of one authority"
    )]
    Partial,
    #[error(
        "the revocation list has the critical extension {0}, which is not understood (RFC 5280 §5.2, §5.3)"
    )]
    UnknownCritical(String),
    #[error("the revocation list is of {list}, and not of {issuer}")]
    OtherIssuer { list: String, issuer: String },
    #[error("{0} may not sign revocation lists: its key usage lacks cRLSign (RFC 5280 §6.3.3 (f))")]
    MayNotSign(String),
    #[error(
        "the revocation list is signed with algorithm {0}, which is not accepted or does not go with its issuer's key"
    )]
    Algorithm(String),
    #[error("the revocation list carries a signature that its issuer did not make")]
    Signature,
}

/// Why a certificate was revoked (RFC 5280 §5.3.1), by the number of each reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names are the RFC's
pub enum Reason {
    Unspecified = 0,
    KeyCompromise = 1,
    CaCompromise = 2,
    AffiliationChanged = 3,
    Superseded = 4,
    CessationOfOperation = 5,
    CertificateHold = 6,
    PrivilegeWithdrawn = 9,
    AaCompromise = 10,
}

impl Reason {
    const ALL: [Self; 9] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::CertificateHold,
        Self::PrivilegeWithdrawn,
        Self::AaCompromise,
    ];

    fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| *reason as u8 == number)
    }
}

/// A revocation list, parsed; not verified. Cheap to clone, equal by its bytes.
#[derive(Clone)]
pub struct Crl(Arc<Parsed>);

struct Parsed {
    der: Vec<u8>,
    layout: Layout,
    /// By serial number.
    entries: Vec<Entry>,
}

/// Where the parts lie in the list.
struct Layout {
    content: Span,
    algorithm: Span,
    signature: Span,
    issuer: Span,
    this_update: SystemTime,
    next_update: SystemTime,
    number: Option<Span>,
    authority_key_id: Option<Span>,
}

struct Entry {
    serial: Span,
    at: SystemTime,
    reason: Option<Reason>,
}

impl Crl {
    /// From DER.
    ///
    /// # Errors
    ///
    /// [`CrlError`] says what is wrong with it, or what it wants that is not supported.
    pub fn parse(der: impl Into<Vec<u8>>) -> Result<Self, CrlError> {
        let der = der.into();
        if der.len() > MAX_CRL {
            return Err(CrlError::TooLarge(der.len()));
        }
        let (layout, mut entries) = parse::parts(&der)?;
        entries.sort_by(|a, b| a.serial.of_bytes(&der).cmp(b.serial.of_bytes(&der)));
        Ok(Self(Arc::new(Parsed { der, layout, entries })))
    }

    /// The list's bytes.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The name of its issuer, as DER.
    pub fn issuer_der(&self) -> &[u8] {
        self.part(self.0.layout.issuer)
    }

    /// When it was made.
    pub fn this_update(&self) -> SystemTime {
        self.0.layout.this_update
    }

    /// When the next one will be there at the latest.
    pub fn next_update(&self) -> SystemTime {
        self.0.layout.next_update
    }

    /// Its number, most significant byte first, if it has one: a later list has a higher one (RFC 5280 §5.2.3).
    pub fn number(&self) -> Option<&[u8]> {
        self.0.layout.number.map(|number| self.part(number))
    }

    /// How many certificates it revokes.
    pub fn len(&self) -> usize {
        self.0.entries.len()
    }

    /// Whether it revokes none.
    pub fn is_empty(&self) -> bool {
        self.0.entries.is_empty()
    }

    /// Since when and why the certificate of this serial number (as [`Certificate::serial`] has it) is revoked, if it is.
    pub fn revoked(&self, serial: &[u8]) -> Option<(SystemTime, Option<Reason>)> {
        let found = self.0.entries.binary_search_by(|entry| self.part(entry.serial).cmp(serial)).ok()?;
        self.0.entries.get(found).map(|entry| (entry.at, entry.reason))
    }

    /// Checks that `issuer` made it (RFC 5280 §6.3.3 (f), (g)). Whether the issuer itself is to be believed is not
    /// looked at here: a list counts where a chain that verifies goes through its issuer.
    ///
    /// # Errors
    ///
    /// Where the names, key identifiers or signature do not fit, or the issuer's key usage lacks `cRLSign`.
    pub fn verify(self, issuer: &Certificate) -> Result<SignedCrl, CrlError> {
        let layout = &self.0.layout;
        let ids = (layout.authority_key_id.map(|id| self.part(id)), issuer.subject_key_id());
        let other_key = matches!(ids, (Some(wanted), Some(own)) if wanted != own);
        if self.issuer_der() != issuer.subject_der() || other_key {
            let list = super::DistinguishedName::parse(self.issuer_der()).unwrap_or_default().to_string();
            return Err(CrlError::OtherIssuer { list, issuer: issuer.subject().to_owned() });
        }
        if !issuer.may_sign_crls() {
            return Err(CrlError::MayNotSign(issuer.subject().to_owned()));
        }
        let (content, signature) = (self.part(layout.content), self.part(layout.signature));
        let algorithm = self.part(layout.algorithm);
        signature::verify(algorithm, issuer.public_key(), content, signature).map_err(|why| match why {
            Unsigned::Bad => CrlError::Signature,
            Unsigned::Algorithm(_) | Unsigned::OtherKind => CrlError::Algorithm(signature::named(algorithm)),
        })?;
        Ok(SignedCrl { crl: self, issuer: issuer.clone() })
    }

    fn part(&self, span: Span) -> &[u8] {
        span.of_bytes(&self.0.der)
    }
}

impl PartialEq for Crl {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Crl {}

impl fmt::Debug for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crl").field("revoked", &self.len()).finish_non_exhaustive()
    }
}

/// A revocation list that its issuer signed; nothing but [`Crl::verify`] builds one.
#[derive(Clone, Debug)]
pub struct SignedCrl {
    crl: Crl,
    issuer: Certificate,
}

impl SignedCrl {
    /// The list.
    pub fn crl(&self) -> &Crl {
        &self.crl
    }

    /// Whose it is.
    pub fn issuer(&self) -> &Certificate {
        &self.issuer
    }

    /// Whether it was made by `now`, and the next one need not be there yet; the last second counts.
    pub fn holds_at(&self, now: SystemTime) -> bool {
        let late =
            now.duration_since(self.crl.next_update()).is_ok_and(|since| since >= Duration::from_secs(1));
        self.crl.this_update() <= now && !late
    }

    /// Whether it is a list of this name and key.
    fn is_of(&self, issuer: &Certificate) -> bool {
        self.issuer.subject_der() == issuer.subject_der() && self.issuer.spki() == issuer.spki()
    }
}
