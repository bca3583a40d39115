//! What a publisher of a bundle owes its readers, checked before it is said.

use super::{Bundle, MAX_REFRESH_HINT, WitAuthority};

/// Whether a published document holds the keys of WIT-SVIDs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WitKeys {
    /// They stay out of it, for readers that refuse a document with a use that they do not know (SPIRE before it knew
    /// this one).
    Omitted,
    /// They are in it (WIT-SVID §6.1).
    Included,
}

/// Why a bundle may not be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum PublishError {
    #[error(
        "the certificate of {subject:?} may not sign certificates, so it is no authority (X509-SVID §6.1)"
    )]
    NotAnAuthority { subject: String },
    #[error(
        "the sequence number goes from {before} to {now} with other contents; it must grow (Trust Domain and Bundle \
         §4.1.1)"
    )]
    Sequence { before: u64, now: u64 },
    #[error(
        "the key id {0:?} was that of another key for WIT-SVIDs; a key id is one key's for good (WIT-SVID §2.1)"
    )]
    KeyId(String),
    #[error("the bundle published before is the one of {0}")]
    OtherTrustDomain(crate::TrustDomain),
    #[error("the refresh hint must be from a second to a year, in whole seconds")]
    Hint,
}

impl Bundle {
    /// The SPIFFE bundle document for other trust domains, after `previous`, which was published last.
    ///
    /// # Errors
    ///
    /// An authority that may not sign, contents that changed without a greater sequence number, a smaller number, a refresh
    /// hint that readers would not take as it is, or another trust domain than before.
    pub fn publish(&self, previous: Option<&Bundle>, wit: WitKeys) -> Result<String, PublishError> {
        if let Some(authority) =
            self.x509_authorities().iter().find(|a| !a.certificate.may_sign_certificates())
        {
            return Err(PublishError::NotAnAuthority { subject: authority.certificate.subject().to_owned() });
        }
        if let Some(hint) = self.refresh_hint
            && (hint.as_secs() == 0 || hint.subsec_nanos() > 0 || hint > MAX_REFRESH_HINT)
        {
            return Err(PublishError::Hint);
        }
        if let Some(previous) = previous {
            self.follows(previous)?;
        }
        Ok(match wit {
            WitKeys::Omitted => self.to_spiffe_json(),
            WitKeys::Included => self.to_spiffe_json_with_wit(),
        })
    }

    fn follows(&self, previous: &Bundle) -> Result<(), PublishError> {
        if previous.trust_domain() != self.trust_domain() {
            return Err(PublishError::OtherTrustDomain(previous.trust_domain().clone()));
        }
        if let Some(key_id) = previous.wit_authorities().iter().find_map(|old| self.reused(old)) {
            return Err(PublishError::KeyId(key_id.to_owned()));
        }
        let (before, now) = (previous.sequence, self.sequence);
        match now > before || (now == before && self.same_contents(previous)) {
            true => Ok(()),
            false => Err(PublishError::Sequence { before, now }),
        }
    }

    /// The name of a key for WIT-SVIDs, if another key has it now.
    fn reused<'a>(&self, old: &'a WitAuthority) -> Option<&'a str> {
        let wit = self.wit_authority(&old.key_id).map(|new| &new.public_key);
        let jwt = self.jwt_authority(&old.key_id).map(|new| &new.public_key);
        wit.or(jwt).is_some_and(|key| *key != old.public_key).then_some(&*old.key_id)
    }
}
