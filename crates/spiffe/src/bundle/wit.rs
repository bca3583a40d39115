//! The keys of a bundle that sign WIT-SVIDs (WIT-SVID §6), apart from those of JWT-SVIDs.

use std::time::SystemTime;

use super::{Bundle, BundleError, MAX_AUTHORITIES};
use crate::key::PublicKey;

/// A key that signs WIT-SVIDs. It verifies no JWT-SVID (WIT-SVID §6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitAuthority {
    /// The `kid` of the tokens it signs, compared byte by byte (WIT-SVID §2.1).
    pub key_id: String,
    /// The key.
    pub public_key: PublicKey,
    /// When it stops signing and may be taken out of the bundle, if known. It verifies for as long as it is there.
    pub expires_at: Option<SystemTime>,
    /// No longer to be relied on.
    pub tainted: bool,
}

impl Bundle {
    /// The WIT authorities, in order. None means that the trust domain does not support WIT-SVIDs (WIT-SVID §6.2).
    pub fn wit_authorities(&self) -> &[WitAuthority] {
        &self.wit
    }

    /// The WIT authority of that key id.
    pub fn wit_authority(&self, key_id: &str) -> Option<&WitAuthority> {
        self.wit.iter().find(|a| a.key_id == key_id)
    }

    /// Adds a WIT authority; false if one of that key id was there (with its taint updated, if it became tainted).
    ///
    /// # Errors
    ///
    /// Without a key id, with one that a JWT authority has (WIT-SVID §6.1 wants it unique among both), or when there are
    /// [`MAX_AUTHORITIES`] already.
    pub fn push_wit(&mut self, authority: WitAuthority) -> Result<bool, BundleError> {
        if authority.key_id.is_empty() {
            return Err(BundleError::NoWitKeyId);
        }
        if self.jwt_authority(&authority.key_id).is_some() {
            return Err(BundleError::OtherUse { key_id: authority.key_id });
        }
        if let Some(known) = self.wit.iter_mut().find(|a| a.key_id == authority.key_id) {
            let news = authority.tainted && !known.tainted;
            known.tainted |= authority.tainted;
            return Ok(news);
        }
        if self.wit.len() == MAX_AUTHORITIES {
            return Err(BundleError::TooMany);
        }
        self.wit.push(authority);
        Ok(true)
    }

    /// Keeps the WIT authorities for which `keep` says so; true if one went.
    pub fn retain_wit(&mut self, keep: impl FnMut(&WitAuthority) -> bool) -> bool {
        let before = self.wit.len();
        self.wit.retain(keep);
        self.wit.len() != before
    }
}
