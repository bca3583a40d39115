//! Making revocation lists.

use std::time::SystemTime;

use super::{Crl, Reason};
use crate::key::SigAlg;
use crate::x509::oid;
use crate::x509::template::{IssueError, X509Issuer, assemble, authority_key_id, positive};
use crate::x509::tlv::{SEQUENCE, extension, time, tlv};

/// A certificate to be revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// Its serial number, as [`super::super::Certificate::serial`] has it: at most 20 bytes.
    pub serial: Vec<u8>,
    /// Since when.
    pub at: SystemTime,
    /// Why; [`Reason::Unspecified`] is left away, as RFC 5280 §5.3.1 asks.
    pub reason: Reason,
}

/// The parts of a revocation list before it is signed.
#[derive(Clone, Debug)]
pub struct CrlTemplate {
    number: u64,
    this_update: SystemTime,
    next_update: SystemTime,
    revoked: Vec<Revoked>,
}

impl CrlTemplate {
    /// The list of that number, which has to be higher than the one before (RFC 5280 §5.2.3), made at `this_update` and
    /// to be replaced by `next_update`.
    pub fn new(number: u64, this_update: SystemTime, next_update: SystemTime) -> Self {
        Self { number, this_update, next_update, revoked: Vec::new() }
    }

    /// With one more certificate.
    pub fn revoke(mut self, one: Revoked) -> Self {
        self.revoked.push(one);
        self
    }

    /// Signs it with an authority for what that authority issued.
    ///
    /// # Errors
    ///
    /// When the authority may not sign lists, a serial number is none, or a moment cannot be written.
    pub fn issue(&self, issuer: &X509Issuer) -> Result<Crl, IssueError> {
        if !issuer.certificate().may_sign_crls() {
            return Err(IssueError::NotAnAuthority("its key usage lacks cRLSign".to_owned()));
        }
        let alg = SigAlg::for_x509(issuer.signer().public());
        let content = self.content(issuer, alg)?;
        let signature = issuer.signer().sign(alg, &content).map_err(IssueError::Sign)?;
        Crl::parse(assemble(&content, alg, &signature)).map_err(IssueError::ListReadBack)
    }

    fn content(&self, issuer: &X509Issuer, alg: SigAlg) -> Result<Vec<u8>, IssueError> {
        if self.next_update < self.this_update {
            return Err(IssueError::Period);
        }
        let entries = self.revoked.iter().map(Revoked::der).collect::<Result<Vec<_>, _>>()?.concat();
        // An empty list is left away (RFC 5280 §5.1.2.6).
        let entries = if entries.is_empty() { entries } else { tlv(SEQUENCE, &[&entries]) };
        let number = positive(&self.number.to_be_bytes());
        let extensions =
            [authority_key_id(issuer.key_id()), extension(oid::CRL_NUMBER, false, &number)].concat();
        Ok(tlv(
            SEQUENCE,
            &[
                // version 2
                &[2, 1, 1],
                oid::algorithm(alg),
                issuer.certificate().subject_der(),
                &moment(self.this_update)?,
                &moment(self.next_update)?,
                &entries,
                &tlv(0xa0, &[&tlv(SEQUENCE, &[&extensions])]),
            ],
        ))
    }
}

impl Revoked {
    fn der(&self) -> Result<Vec<u8>, IssueError> {
        let digits = self.serial.iter().skip_while(|byte| **byte == 0).count();
        if self.serial.is_empty() || digits > 20 {
            return Err(IssueError::Serial(self.serial.len()));
        }
        let reason = match self.reason {
            Reason::Unspecified => Vec::new(),
            reason => tlv(SEQUENCE, &[&extension(oid::REASON_CODE, false, &[0x0a, 1, reason as u8])]),
        };
        Ok(tlv(SEQUENCE, &[&positive(&self.serial), &moment(self.at)?, &reason]))
    }
}

fn moment(at: SystemTime) -> Result<Vec<u8>, IssueError> {
    time(at).map_err(|e| IssueError::Time(e.to_string()))
}
