//! Name constraints of an authority on the certificates below it (RFC 5280 §4.2.1.10, §6.1.3 (b), (c)).

use super::build::{Place, Step};
use super::{MAX_COMPARISONS, PathError, PathFault, Position, directory, host, mailbox};
use crate::x509::certificate::Certificate;
use crate::x509::general_name::{DIRECTORY_NAME, GeneralName, GeneralNames, IP_ADDRESS, RFC822_NAME};
use crate::x509::name::{decode, walk};
use crate::x509::oid;
use crate::x509::subtrees::{Subtree, Subtrees};
use crate::x509::tlv::{DNS_NAME, URI_NAME};

/// How many comparisons may still be made. A long name counts as several.
pub(super) struct Budget(pub(super) u32);

impl Budget {
    fn spend(&mut self, name: &[u8], constraint: &[u8]) -> Result<(), PathFault> {
        let cost = 1 + (name.len() + constraint.len()) / 256;
        let left = u32::try_from(cost).ok().and_then(|cost| self.0.checked_sub(cost));
        self.0 = left.ok_or(PathFault::TooMuchWork)?;
        Ok(())
    }
}

/// A name and a constraint that cannot be compared: which of both is broken does not matter.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::x509) struct Incomparable;

/// Whether `above` lets the certificates of `path` have their names.
pub(super) fn check(above: Step<'_>, path: &[Step<'_>], budget: &mut Budget) -> Result<(), PathError> {
    let (certificate, place) = above;
    let Some(value) = certificate.name_constraints() else { return Ok(()) };
    let by = || place.of(certificate);
    // It was read when the certificate was parsed.
    let subtrees = Subtrees::parse(value).unwrap_or_default();
    for (index, (below, place)) in path.iter().enumerate() {
        if index > 0 && below.self_issued() {
            continue;
        }
        Names { subtrees, budget, by: &by }
            .of(below)
            .map_err(|fault| PathError { position: place.of(below), fault })?;
    }
    Ok(())
}

/// Whether `above` lets a certificate below it have this subject, URI and these DNS names.
pub(in crate::x509) fn permits(
    above: &Certificate,
    subject: &[u8],
    uri: &str,
    dns: &[String],
) -> Result<(), PathFault> {
    let Some(value) = above.name_constraints() else { return Ok(()) };
    let by = || Place::Authority.of(above);
    let subtrees = Subtrees::parse(value).unwrap_or_default();
    let mut names = Names { subtrees, budget: &mut Budget(MAX_COMPARISONS), by: &by };
    if !directory::is_empty(subject) {
        names.one(GeneralName { kind: DIRECTORY_NAME, content: subject })?;
    }
    names.one(GeneralName { kind: URI_NAME, content: uri.as_bytes() })?;
    dns.iter().try_for_each(|name| names.one(GeneralName { kind: DNS_NAME, content: name.as_bytes() }))
}

struct Names<'a, B> {
    subtrees: Subtrees<'a>,
    budget: &'a mut Budget,
    by: &'a B,
}

impl<B: Fn() -> Position> Names<'_, B> {
    fn of(&mut self, certificate: &Certificate) -> Result<(), PathFault> {
        let names = certificate.alternative_names();
        if names.is_none() {
            for mailbox in mailboxes(certificate.subject_der()) {
                self.one(GeneralName { kind: RFC822_NAME, content: mailbox.as_bytes() })?;
            }
        }
        let subject = certificate.subject_der();
        if !directory::is_empty(subject) {
            self.one(GeneralName { kind: DIRECTORY_NAME, content: subject })?;
        }
        names.unwrap_or(GeneralNames(&[])).try_for_each(|name| self.one(name))
    }

    fn one(&mut self, name: GeneralName<'_>) -> Result<(), PathFault> {
        let (mut constrained, mut permitted) = (false, false);
        for subtree in self.subtrees.permitted().filter(|subtree| subtree.base.kind == name.kind) {
            constrained = true;
            if self.within(&name, &subtree, false)? {
                permitted = true;
                break;
            }
        }
        if constrained && !permitted {
            return Err(PathFault::NotPermitted { name: shown(&name), by: (self.by)() });
        }
        for subtree in self.subtrees.excluded().filter(|subtree| subtree.base.kind == name.kind) {
            if self.within(&name, &subtree, true)? {
                return Err(PathFault::Excluded { name: shown(&name), by: (self.by)() });
            }
        }
        Ok(())
    }

    fn within(
        &mut self,
        name: &GeneralName<'_>,
        subtree: &Subtree<'_>,
        excluding: bool,
    ) -> Result<bool, PathFault> {
        let base = &subtree.base;
        self.budget.spend(name.content, base.content)?;
        let compared = match (subtree.bounded, name.kind) {
            (true, _) => Err(Incomparable),
            (_, URI_NAME) => host::uri_within(name.text(), base.text()),
            (_, DNS_NAME) => host::dns_within(name.text(), base.text(), excluding),
            (_, RFC822_NAME) => mailbox::within(name.content, base.text()),
            (_, IP_ADDRESS) => address_within(name.content, base.content),
            (_, DIRECTORY_NAME) => directory::within(name.content, base.content),
            _ => Err(Incomparable),
        };
        compared.map_err(|Incomparable| PathFault::Incomparable { name: shown(name), by: (self.by)() })
    }
}

/// Where a certificate has no alternative names, the addresses in its subject count as such.
fn mailboxes(subject: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    walk(subject, |kind, value| {
        if kind.whole == oid::EMAIL_ADDRESS {
            found.push(decode(value).unwrap_or_default());
        }
    });
    found
}

/// An address and a network: of one family, the network's mask without gaps.
fn address_within(address: &[u8], network: &[u8]) -> Result<bool, Incomparable> {
    if !matches!(address.len(), 4 | 16) || !matches!(network.len(), 8 | 32) {
        return Err(Incomparable);
    }
    let (base, mask) = network.split_at(network.len() / 2);
    let gaps =
        mask.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).is_sorted_by(|a, b| a >= b);
    if !gaps {
        return Err(Incomparable);
    }
    let inside = |((a, b), m): ((&u8, &u8), &u8)| a & m == b & m;
    Ok(address.len() == base.len() && address.iter().zip(base).zip(mask).all(inside))
}

/// A name for people.
fn shown(name: &GeneralName<'_>) -> String {
    match name.kind {
        URI_NAME | DNS_NAME => format!("{:?}", name.text()),
        RFC822_NAME => format!("{:?}", String::from_utf8_lossy(name.content)),
        DIRECTORY_NAME => directory::shown(name.content),
        IP_ADDRESS => match name.content.try_into().map(<[u8; 4]>::into) {
            Ok::<std::net::Ipv4Addr, _>(address) => address.to_string(),
            Err(_) => <[u8; 16]>::try_from(name.content).map_or_else(
                |_| "of an IP address".to_owned(),
                |v6| std::net::Ipv6Addr::from(v6).to_string(),
            ),
        },
        other => format!("of the kind {}", other & 0x1f),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lie_in_networks_of_their_family() {
        let ten = [10, 0, 0, 0, 255, 0, 0, 0];
        assert_eq!(address_within(&[10, 1, 2, 3], &ten), Ok(true));
        assert_eq!(address_within(&[11, 1, 2, 3], &ten), Ok(false));
        assert_eq!(address_within(&[0; 16], &ten), Ok(false));
        assert_eq!(address_within(&[1, 2, 3, 4], &[0; 8]), Ok(true));
        assert_eq!(address_within(&[0xfd; 16], &[[0xfd; 16], [0xff; 16]].concat()), Ok(true));
        assert_eq!(address_within(&[10, 0, 0], &ten), Err(Incomparable));
        assert_eq!(address_within(&[10, 0, 0, 1], &ten[..7]), Err(Incomparable));
        assert_eq!(address_within(&[10, 0, 0, 1], &[10, 0, 0, 0, 255, 0, 255, 0]), Err(Incomparable));
        assert_eq!(address_within(&[10, 0, 0, 1], &[10, 0, 0, 0, 253, 0, 0, 0]), Err(Incomparable));
    }
}
