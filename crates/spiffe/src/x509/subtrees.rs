//! Name constraints as they are written (RFC 5280 §4.2.1.10). What they mean stands with the path validation.

use super::general_name::GeneralName;
use super::tlv::{SEQUENCE, read, read_a};

/// Below which names those of further certificates must lie, and must not.
#[derive(Clone, Copy, Default)]
pub(super) struct Subtrees<'a> {
    permitted: &'a [u8],
    excluded: &'a [u8],
}

/// One constraint.
#[derive(Clone, Copy)]
pub(super) struct Subtree<'a> {
    pub(super) base: GeneralName<'a>,
    /// It has a minimum or a maximum, which nobody may write.
    pub(super) bounded: bool,
}

impl<'a> Subtrees<'a> {
    /// From the extension's value; at least one list, and none that is empty.
    pub(super) fn parse(value: &'a [u8]) -> Option<Self> {
        let mut out = Self::default();
        let mut rest = read_a(SEQUENCE, value).filter(|all| all.rest.is_empty())?.content;
        if rest.is_empty() {
            return None;
        }
        for (tag, list) in [(0xa0, &mut out.permitted), (0xa1, &mut out.excluded)] {
            if let Some(found) = read_a(tag, rest) {
                let mut all = found.content;
                if all.is_empty() {
                    return None;
                }
                while !all.is_empty() {
                    all = subtree(all)?.1;
                }
                *list = found.content;
                rest = found.rest;
            }
        }
        rest.is_empty().then_some(out)
    }

    pub(super) fn permitted(&self) -> impl Iterator<Item = Subtree<'a>> + use<'a> {
        each(self.permitted)
    }

    pub(super) fn excluded(&self) -> impl Iterator<Item = Subtree<'a>> + use<'a> {
        each(self.excluded)
    }
}

fn each(mut list: &[u8]) -> impl Iterator<Item = Subtree<'_>> {
    std::iter::from_fn(move || {
        let (one, rest) = subtree(list)?;
        list = rest;
        Some(one)
    })
}

fn subtree(list: &[u8]) -> Option<(Subtree<'_>, &[u8])> {
    let one = read_a(SEQUENCE, list)?;
    let (base, mut bounds) = GeneralName::read(one.content)?;
    let bounded = !bounds.is_empty();
    while !bounds.is_empty() {
        bounds = read(bounds).filter(|bound| matches!(bound.tag, 0x80 | 0x81))?.rest;
    }
    Some((Subtree { base, bounded }, one.rest))
}
