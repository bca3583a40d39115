//! Whether a certificate may stand where it is in a path, its signature left aside.

use std::time::SystemTime;

use x509_cert::spki::ObjectIdentifier;

use super::build::Step;
use super::constraints::{self, Budget};
use super::{MAX_COMPARISONS, PathError, PathFault};
use crate::x509::Side;
use crate::x509::certificate::Certificate;
use crate::x509::usage::Sides;

pub(super) struct Admission {
    now: SystemTime,
    side: Option<Side>,
    comparisons: Budget,
}

impl Admission {
    pub(super) fn new(now: SystemTime, side: Option<Side>) -> Self {
        Self { now, side, comparisons: Budget(MAX_COMPARISONS) }
    }

    /// Whether `leaf` may stand first.
    pub(super) fn leaf(&self, leaf: &Certificate) -> Result<(), PathFault> {
        self.any(leaf)?;
        self.left(leaf.sides()).map(|_| ())
    }

    /// Whether `above` may stand over `path`, of which `sides` are left. Gives what is left then.
    pub(super) fn above(
        &mut self,
        above: Step<'_>,
        path: &[Step<'_>],
        sides: Sides,
    ) -> Result<Sides, PathError> {
        let (certificate, place) = above;
        let at = |fault| PathError { position: place.of(certificate), fault };
        self.any(certificate).map_err(at)?;
        signs(certificate).map_err(at)?;
        length(certificate, path).map_err(at)?;
        let sides = self.left(sides.and(certificate.sides())).map_err(at)?;
        constraints::check(above, path, &mut self.comparisons)?;
        Ok(sides)
    }

    /// What holds for every certificate.
    fn any(&self, certificate: &Certificate) -> Result<(), PathFault> {
        if !certificate.begun_at(self.now) {
            return Err(PathFault::NotYetValid(certificate.not_before()));
        }
        if certificate.over_at(self.now) {
            return Err(PathFault::Expired(certificate.not_after()));
        }
        if let Some(kind) = certificate.unknown_critical() {
            return Err(PathFault::UnknownCritical(dotted(kind)));
        }
        match certificate.wants_policy() {
            true => Err(PathFault::ExplicitPolicy),
            false => Ok(()),
        }
    }

    fn left(&self, sides: Sides) -> Result<Sides, PathFault> {
        let enough = match self.side {
            None => sides.server || sides.client,
            Some(Side::Server) => sides.server,
            Some(Side::Client) => sides.client,
        };
        enough.then_some(sides).ok_or(PathFault::Purpose)
    }
}

fn signs(certificate: &Certificate) -> Result<(), PathFault> {
    if !certificate.is_ca() {
        return Err(PathFault::NotCa);
    }
    match certificate.may_sign_certificates() {
        true => Ok(()),
        false => Err(PathFault::NoKeyCertSign),
    }
}

/// The leaf does not count, nor do intermediates that were issued in their own name (RFC 5280 §6.1.4 (l)).
fn length(certificate: &Certificate, path: &[Step<'_>]) -> Result<(), PathFault> {
    let Some(allowed) = certificate.path_len() else { return Ok(()) };
    let found = path.iter().skip(1).filter(|(below, _)| !below.self_issued()).count();
    match found > allowed as usize {
        true => Err(PathFault::PathLength { allowed, found }),
        false => Ok(()),
    }
}

/// An OID in DER, with dots.
pub(in crate::x509) fn dotted(kind: &[u8]) -> String {
    let content = kind.get(2..).unwrap_or_default();
    ObjectIdentifier::from_bytes(content).map_or_else(|_| "?".to_owned(), |oid| oid.to_string())
}
