use std::time::SystemTime;

use super::admission::Admission;
use super::{MAX_SIGNATURES, PathError, PathFault, Position};
use crate::bundle::X509Authority;
use crate::x509::certificate::Certificate;
use crate::x509::signature::Unsigned;
use crate::x509::usage::Sides;
use crate::x509::{MAX_CHAIN, Revocation, Side};

/// From the leaf to the authority.
pub(in crate::x509) type Path = Vec<Certificate>;

/// What a chain is judged by.
pub(in crate::x509) struct Judge<'a> {
    pub(in crate::x509) authorities: &'a [X509Authority],
    pub(in crate::x509) now: SystemTime,
    /// The side of TLS on which the leaf stands; either if `None`.
    pub(in crate::x509) side: Option<Side>,
    /// The revocation lists, if there are any.
    pub(in crate::x509) revocation: Option<Revocation<'a>>,
}

impl Judge<'_> {
    /// The path from the first certificate of `chain` to an authority.
    pub(in crate::x509) fn path(&self, chain: &[Certificate]) -> Result<Path, PathError> {
        let Some((leaf, rest)) = chain.split_first() else {
            return Err(PathError { position: Position::Leaf, fault: PathFault::NoAuthority });
        };
        let mut search = Search {
            judge: self,
            intermediates: rest,
            path: vec![(leaf, Place::Leaf)],
            signatures: MAX_SIGNATURES,
            admission: Admission::new(self.now, self.side),
            fault: None,
        };
        search.admission.leaf(leaf).map_err(|fault| PathError { position: Position::Leaf, fault })?;
        match search.extend(leaf.sides()) {
            Ok(true) => Ok(search.path.iter().map(|(certificate, _)| (*certificate).clone()).collect()),
            Ok(false) => Err(search.fault()),
            Err(stop) => Err(stop),
        }
    }
}

/// Where a certificate of the path was found. Printed only if something is wrong with it.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Leaf,
    Intermediate(usize),
    Authority,
}

impl Place {
    pub(super) fn of(self, certificate: &Certificate) -> Position {
        match self {
            Self::Leaf => Position::Leaf,
            Self::Intermediate(index) => Position::Intermediate(index),
            Self::Authority => Position::Authority(certificate.subject().to_owned()),
        }
    }
}

/// A certificate of the path, and where it was found.
pub(super) type Step<'a> = (&'a Certificate, Place);

struct Search<'a> {
    judge: &'a Judge<'a>,
    intermediates: &'a [Certificate],
    path: Vec<Step<'a>>,
    /// How many signatures may still be verified.
    signatures: u32,
    admission: Admission,
    /// The fault at the end of the longest path so far.
    fault: Option<(usize, PathError)>,
}

impl<'a> Search<'a> {
    /// Looks for who signed the last certificate of the path, and for the rest of the way. An error ends the search.
    fn extend(&mut self, sides: Sides) -> Result<bool, PathError> {
        let Some(&last) = self.path.last() else { return Ok(false) };
        // Authorities first, so that the shortest path is found; then those whose key the certificate names, so that
        // many of one name cost little.
        let roots = self.judge.authorities;
        for named in [true, false] {
            for root in roots.iter().map(|a| &a.certificate).filter(|c| issued(last.0, c, named)) {
                if self.step((root, Place::Authority), sides)?.is_some() {
                    return Ok(true);
                }
            }
        }
        if self.path.len() == MAX_CHAIN {
            self.note(last, PathFault::TooLong);
            return Ok(false);
        }
        for named in [true, false] {
            for (index, above) in self.intermediates.iter().enumerate() {
                if !issued(last.0, above, named) || self.holds(above) {
                    continue;
                }
                if let Some(sides) = self.step((above, Place::Intermediate(index + 1)), sides)? {
                    if self.extend(sides)? {
                        return Ok(true);
                    }
                    self.path.pop();
                }
            }
        }
        self.note(last, PathFault::NoAuthority);
        Ok(false)
    }

    /// Takes a certificate into the path if it may be there; gives the sides that are left below it.
    fn step(&mut self, above: Step<'a>, sides: Sides) -> Result<Option<Sides>, PathError> {
        let admitted = self.admission.above(above, &self.path, sides);
        let sides = match admitted {
            Ok(sides) => sides,
            Err(stop) if stop.fault == PathFault::TooMuchWork => return Err(stop),
            Err(fault) => return Ok(self.keep(fault)),
        };
        let Some(&below) = self.path.last() else { return Ok(None) };
        self.signatures = match self.signatures.checked_sub(1) {
            Some(left) => left,
            None => return Err(error(below, PathFault::TooMuchWork)),
        };
        let signed = below.0.signed_by(above.0.public_key()).map_err(|why| unsigned(why, above));
        match signed.and_then(|()| self.unrevoked(below.0, above.0)) {
            Ok(()) => {
                self.path.push(above);
                Ok(Some(sides))
            }
            Err(why) => {
                self.note(below, why);
                Ok(None)
            }
        }
    }

    fn unrevoked(&self, below: &Certificate, above: &Certificate) -> Result<(), PathFault> {
        self.judge.revocation.map_or(Ok(()), |lists| lists.check(below, above, self.judge.now))
    }

    /// Whether the path went through that key under that name already.
    fn holds(&self, certificate: &Certificate) -> bool {
        let same =
            |c: &Certificate| c.spki() == certificate.spki() && c.subject_der() == certificate.subject_der();
        self.path.iter().any(|(known, _)| same(known))
    }

    fn note(&mut self, step: Step<'_>, fault: PathFault) {
        self.keep(error(step, fault));
    }

    fn keep(&mut self, fault: PathError) -> Option<Sides> {
        let length = self.path.len();
        if self.fault.as_ref().is_none_or(|(longest, _)| length > *longest) {
            self.fault = Some((length, fault));
        }
        None
    }

    fn fault(self) -> PathError {
        let none = PathError { position: Position::Leaf, fault: PathFault::NoAuthority };
        self.fault.map_or(none, |(_, fault)| fault)
    }
}

fn error((certificate, place): Step<'_>, fault: PathFault) -> PathError {
    PathError { position: place.of(certificate), fault }
}

/// Whether `above` has the name of `below`'s issuer; and, if `named`, the key that it names, or not.
fn issued(below: &Certificate, above: &Certificate, named: bool) -> bool {
    if below.issuer_der() != above.subject_der() {
        return false;
    }
    let key = match (below.authority_key_id(), above.subject_key_id()) {
        (Some(wanted), Some(own)) => wanted == own,
        _ => true,
    };
    key == named
}

fn unsigned(why: Unsigned, (above, place): Step<'_>) -> PathFault {
    match why {
        Unsigned::Algorithm(oid) => PathFault::Algorithm(oid),
        Unsigned::OtherKind => PathFault::OtherKind,
        Unsigned::Bad => PathFault::Signature { issuer: place.of(above) },
    }
}
