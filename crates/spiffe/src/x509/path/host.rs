//! Host names in URIs and DNS names, against the constraints on them (RFC 5280 §4.2.1.10).

use std::net::IpAddr;

use super::constraints::Incomparable;

/// Whether the host of a URI is the one of the constraint, or, if that begins with a dot, lies below it. A constraint
/// without characters holds every host, as Go has it. A URI without a host, or with an address for one, cannot be
/// compared (the RFC has it refused).
pub(in crate::x509) fn uri_within(uri: &str, constraint: &str) -> Result<bool, Incomparable> {
    let host = host_of(uri).ok_or(Incomparable)?;
    match constraint.strip_prefix('.') {
        Some(domain) => Ok(labelled(domain)? && below(host, domain)),
        None if constraint.is_empty() => Ok(true),
        None => Ok(labelled(constraint)? && host.eq_ignore_ascii_case(constraint)),
    }
}

/// Whether a DNS name is the one of the constraint or lies below it. A leading dot, which the RFC does not know here and
/// others write, keeps the name itself out. A wildcard is excluded with any name that it stands for.
pub(super) fn dns_within(name: &str, constraint: &str, excluding: bool) -> Result<bool, Incomparable> {
    let wild = name.strip_prefix("*.");
    labelled(wild.unwrap_or(name))?;
    let (domain, itself) = match constraint.strip_prefix('.') {
        Some(domain) => (domain, false),
        None if constraint.is_empty() => return Ok(true),
        None => (constraint, true),
    };
    labelled(domain)?;
    let inside = below(name, domain) || (itself && name.eq_ignore_ascii_case(domain));
    let stands_for = wild.is_some_and(|parent| below(domain, parent));
    Ok(inside || (excluding && stands_for))
}

/// Whether `name` is `domain` with labels before it.
pub(super) fn below(name: &str, domain: &str) -> bool {
    let Some(head) = name.len().checked_sub(domain.len() + 1) else { return false };
    let (before, after) = name.as_bytes().split_at(head);
    !before.is_empty()
        && after.first() == Some(&b'.')
        && after.get(1..).is_some_and(|tail| tail.eq_ignore_ascii_case(domain.as_bytes()))
}

/// That every label of a host name has characters, and only such as host names have.
pub(super) fn labelled(name: &str) -> Result<bool, Incomparable> {
    let fits = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    match name.split('.').all(fits) {
        true => Ok(true),
        false => Err(Incomparable),
    }
}

/// The host of a URI, if it has one that is no address (RFC 3986 §3.2).
fn host_of(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once(':')?;
    let first = scheme.bytes().next()?;
    let scheme_fits = scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    if !first.is_ascii_alphabetic() || !scheme_fits {
        return None;
    }
    let authority = rest.strip_prefix("//")?;
    let authority = authority.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => host,
    };
    let named = labelled(host).is_ok() && host.parse::<IpAddr>().is_err();
    named.then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_constrained_by_its_host() {
        for (uri, constraint, within) in [
            ("spiffe://example.org/a", "example.org", true),
            ("spiffe://example.org/a", "EXAMPLE.org", true),
            ("spiffe://example.org", "example.org", true),
            ("spiffe://a.example.org/a", "example.org", false),
            ("spiffe://a.example.org/a", ".example.org", true),
            ("spiffe://a.b.example.org/a", ".example.org", true),
            ("spiffe://example.org/a", ".example.org", false),
            ("spiffe://badexample.org/a", ".example.org", false),
            ("spiffe://badexample.org/a", "example.org", false),
            ("spiffe://example.org/a", "", true),
            ("https://u:p@example.org:8443/x?y#z", "example.org", true),
            ("https://example.org:/", "example.org", true),
            ("https://evil.org#@example.org", "example.org", false),
            ("https://example.org@evil.org/", "example.org", false),
        ] {
            assert_eq!(uri_within(uri, constraint), Ok(within), "{uri} {constraint}");
        }
    }

    #[test]
    fn a_uri_without_a_host_name_cannot_be_compared() {
        for uri in [
            "urn:example:a",
            "spiffe:///a",
            "spiffe://",
            "https://10.0.0.1/",
            "https://[fd00::1]:80/",
            "https://example.org./",
            "https://ex%61mple.org/",
            "https://.example.org/",
            "//example.org/",
            "example.org",
            "",
        ] {
            assert_eq!(uri_within(uri, "example.org"), Err(Incomparable), "{uri}");
            assert_eq!(uri_within(uri, ""), Err(Incomparable), "{uri}");
        }
        for constraint in ["example.org.", "..example.org", ".", "*.example.org", "spiffe://example.org"] {
            assert_eq!(uri_within("spiffe://example.org/a", constraint), Err(Incomparable), "{constraint}");
        }
    }

    #[test]
    fn a_dns_name_lies_below_its_constraint_or_is_it() {
        for (name, constraint, within) in [
            ("example.org", "example.org", true),
            ("a.b.Example.org", "example.ORG", true),
            ("badexample.org", "example.org", false),
            ("org", "example.org", false),
            ("example.org", ".example.org", false),
            ("a.example.org", ".example.org", true),
            ("anything", "", true),
            ("*.example.org", "example.org", true),
            ("*.example.org", "a.example.org", false),
        ] {
            assert_eq!(dns_within(name, constraint, false), Ok(within), "{name} {constraint}");
        }
        assert_eq!(dns_within("*.example.org", "a.example.org", true), Ok(true));
        assert_eq!(dns_within("*.example.org", "example.net", true), Ok(false));
        for bad in ["", "a..b", "a.", ".a", "*", "a.*.b", "a b"] {
            assert_eq!(dns_within(bad, "example.org", false), Err(Incomparable), "{bad}");
        }
    }
}
