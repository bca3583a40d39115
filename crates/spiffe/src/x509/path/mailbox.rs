//! Mail addresses against the constraints on them (RFC 5280 §4.2.1.10).

use super::constraints::Incomparable;
use super::host::{below, labelled};

/// Whether a mailbox is the one of the constraint, is on the host that it names, or, if that begins with a dot, on one
/// below it. A constraint without characters holds every mailbox. Quoted local parts cannot be compared.
pub(super) fn within(mailbox: &[u8], constraint: &str) -> Result<bool, Incomparable> {
    let mailbox = std::str::from_utf8(mailbox).map_err(|_| Incomparable)?;
    let (local, host) = parts(mailbox)?;
    if let Some(domain) = constraint.strip_prefix('.') {
        labelled(domain)?;
        return Ok(below(host, domain));
    }
    if constraint.contains('@') {
        let (own, at) = parts(constraint)?;
        return Ok(own == local && at.eq_ignore_ascii_case(host));
    }
    if constraint.is_empty() {
        return Ok(true);
    }
    labelled(constraint)?;
    Ok(host.eq_ignore_ascii_case(constraint))
}

fn parts(mailbox: &str) -> Result<(&str, &str), Incomparable> {
    let (local, host) = mailbox.split_once('@').ok_or(Incomparable)?;
    labelled(host)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
    match !local.is_empty() && local.bytes().all(plain) {
        true => Ok((local, host)),
        false => Err(Incomparable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_are_constrained_by_themselves_or_by_their_host() {
        for (mailbox, constraint, inside) in [
            ("a@example.org", "a@example.ORG", true),
            ("A@example.org", "a@example.org", false),
            ("a@example.org", "example.org", true),
            ("a@x.example.org", "example.org", false),
            ("a@x.example.org", ".example.org", true),
            ("a@example.org", ".example.org", false),
            ("a@example.org", "", true),
        ] {
            assert_eq!(within(mailbox.as_bytes(), constraint), Ok(inside), "{mailbox} {constraint}");
        }
        for bad in ["a", "@b", "a@", "\"a b\"@example.org", "a@b@c", "a@[10.0.0.1]", "a b@c"] {
            assert_eq!(within(bad.as_bytes(), "example.org"), Err(Incomparable), "{bad}");
        }
        assert_eq!(within(b"a@b", "x@"), Err(Incomparable));
    }
}
