//! What revocation lists say of the certificates of a path.

use std::time::SystemTime;

use super::SignedCrl;
use crate::x509::certificate::{Certificate, decimal};
use crate::x509::path::PathFault;

/// What is done with a certificate of whose issuer there is no list that holds at the moment: none at all, one that
/// should have been replaced, or one of the future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutCrl {
    /// It is taken for good. A list that is out of date still revokes what it names.
    Accept,
    /// It is refused.
    Refuse,
}

/// The revocation lists with which a chain is verified. Each certificate is looked up but the authority at its end.
#[derive(Clone, Copy, Debug)]
pub struct Revocation<'a> {
    crls: &'a [SignedCrl],
    without: WithoutCrl,
}

impl<'a> Revocation<'a> {
    /// By these lists, and without one of an issuer as `without` says.
    pub fn by(crls: &'a [SignedCrl], without: WithoutCrl) -> Self {
        Self { crls, without }
    }

    /// Whether `certificate`, which `issuer` signed, may be relied on at `now`.
    pub(in crate::x509) fn check(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        now: SystemTime,
    ) -> Result<(), PathFault> {
        let lists = || self.crls.iter().filter(|list| list.is_of(issuer) && list.crl().this_update() <= now);
        // The newest one counts: what was on hold may be free again.
        let Some(newest) = lists().max_by_key(|list| list.crl().this_update()) else {
            return self.unknown();
        };
        if newest.crl().revoked(certificate.serial()).is_some() {
            return Err(PathFault::Revoked(decimal(certificate.serial())));
        }
        if newest.holds_at(now) { Ok(()) } else { self.unknown() }
    }

    fn unknown(&self) -> Result<(), PathFault> {
        match self.without {
            WithoutCrl::Accept => Ok(()),
            WithoutCrl::Refuse => Err(PathFault::RevocationUnknown),
        }
    }
}
