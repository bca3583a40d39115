//! Writes to join tokens. Changes do not tell which token they are about.

use model::{Footprint, JoinToken, RowKey, UnixTime, WriteFault};

use super::Ledger;
use crate::code::token_hash;

impl Ledger {
    pub(super) fn create_token(&mut self, token: &JoinToken) -> Result<(), WriteFault> {
        let hash = token_hash(&token.value);
        if self.tokens.has(&hash) {
            return Err(WriteFault::Exists("join token"));
        }
        self.tokens.set(hash, Some(token.expires_at));
        self.step(RowKey::Token, None, Some(Footprint::default()));
        Ok(())
    }

    pub(super) fn spend_token(&mut self, value: &str, now: UnixTime) -> Result<(), WriteFault> {
        let hash = token_hash(value);
        let Some(expires_at) = self.tokens.get(&hash).copied() else {
            return Err(WriteFault::NotFound("join token"));
        };
        if expires_at < now {
            self.spoilt.push(hash);
            return Err(WriteFault::TokenExpired);
        }
        self.tokens.set(hash, None);
        self.step(RowKey::Token, Some(Footprint::default()), None);
        Ok(())
    }

    /// One change tells of them all; none is made when there was nothing to sweep.
    pub(super) fn sweep_tokens(&mut self, now: UnixTime) -> Result<(), WriteFault> {
        let expired: Vec<_> =
            self.tokens.rows().filter(|(_, end)| **end < now).map(|(hash, _)| *hash).collect();
        if expired.is_empty() {
            return Ok(());
        }
        expired.into_iter().for_each(|hash| self.tokens.set(hash, None));
        self.step(RowKey::Token, Some(Footprint::default()), None);
        Ok(())
    }
}
