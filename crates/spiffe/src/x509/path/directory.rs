//! Distinguished names against the constraints on them (RFC 5280 §4.2.1.10, §7.1).

use super::constraints::Incomparable;
use crate::x509::name::{DistinguishedName, decode};
use crate::x509::tlv::{Element, OBJECT_IDENTIFIER, SEQUENCE, SET, read, read_a};

/// Whether a Name has no parts.
pub(super) fn is_empty(name: &[u8]) -> bool {
    read_a(SEQUENCE, name).is_some_and(|name| name.content.is_empty())
}

/// Whether a Name begins with all of the constraint's. Values are compared as texts, without regard to case and to how
/// many spaces there are, whatever their types; what is no text is compared by its bytes.
pub(super) fn within(name: &[u8], constraint: &[u8]) -> Result<bool, Incomparable> {
    let (mut name, mut constraint) = (sets(name)?, sets(constraint)?);
    while !constraint.is_empty() {
        let wanted = read_a(SET, constraint).ok_or(Incomparable)?;
        constraint = wanted.rest;
        if name.is_empty() {
            return Ok(false);
        }
        let found = read_a(SET, name).ok_or(Incomparable)?;
        name = found.rest;
        if !same(pairs(found.content)?, &pairs(wanted.content)?) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A name for people.
pub(super) fn shown(name: &[u8]) -> String {
    DistinguishedName::parse(name).map_or_else(|| "of a directory".to_owned(), |name| name.to_string())
}

fn sets(name: &[u8]) -> Result<&[u8], Incomparable> {
    read_a(SEQUENCE, name).filter(|name| name.rest.is_empty()).map(|name| name.content).ok_or(Incomparable)
}

/// The types and values of a set, ready to be compared.
type Pairs<'a> = Vec<(&'a [u8], Vec<u8>)>;

fn pairs(mut set: &[u8]) -> Result<Pairs<'_>, Incomparable> {
    let mut all = Vec::new();
    while !set.is_empty() {
        let pair = read_a(SEQUENCE, set).ok_or(Incomparable)?;
        set = pair.rest;
        let kind = read_a(OBJECT_IDENTIFIER, pair.content).ok_or(Incomparable)?;
        let value = read(kind.rest).filter(|value| value.rest.is_empty()).ok_or(Incomparable)?;
        all.push((kind.content, folded(&value)));
    }
    all.sort();
    Ok(all)
}

fn same(found: Pairs<'_>, wanted: &Pairs<'_>) -> bool {
    found == *wanted
}

fn folded(value: &Element<'_>) -> Vec<u8> {
    match decode(value) {
        Some(text) => text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ").into_bytes(),
        None => value.whole.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::tlv::tlv;

    fn name(parts: &[(u8, u8, &str)]) -> Vec<u8> {
        let sets: Vec<Vec<u8>> = parts
            .iter()
            .map(|(kind, tag, text)| {
                let pair = [tlv(OBJECT_IDENTIFIER, &[&[0x55, 4, *kind]]), tlv(*tag, &[text.as_bytes()])];
                tlv(SET, &[&tlv(SEQUENCE, &[&pair[0], &pair[1]])])
            })
            .collect();
        tlv(SEQUENCE, &sets.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    #[test]
    fn a_name_lies_below_its_first_parts() {
        let constraint = name(&[(6, 0x13, "US"), (10, 0x13, "Example Corp")]);
        for (parts, inside) in [
            (&[(6, 0x13, "US"), (10, 0x13, "Example Corp")][..], true),
            (&[(6, 0x13, "us"), (10, 0x0c, "EXAMPLE  corp"), (3, 0x0c, "a")], true),
            (&[(6, 0x13, "US")], false),
            (&[(6, 0x13, "US"), (10, 0x13, "Example")], false),
            (&[(10, 0x13, "Example Corp"), (6, 0x13, "US")], false),
            (&[(6, 0x13, "US"), (11, 0x13, "Example Corp")], false),
        ] {
            assert_eq!(within(&name(parts), &constraint), Ok(inside), "{parts:?}");
        }
        assert_eq!(within(&constraint, &name(&[])), Ok(true));
        assert_eq!(within(&[0x31, 0], &constraint), Err(Incomparable));
        assert_eq!(within(&constraint, &[0x30, 2, 0x31]), Err(Incomparable));
    }
}
