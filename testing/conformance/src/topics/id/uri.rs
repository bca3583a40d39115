//! The form of the URI: ID-01 to ID-06.

use super::super::scene::*;
use super::form;
use crate::format::Check;
use crate::kinds::spiffe_id::bytes;
use crate::kinds::trust_domain::name;

pub(super) fn checks() -> Vec<Check> {
    vec![scheme(), trust_domain_is_there(), no_query(), no_fragment(), no_userinfo(), no_port()]
}

fn scheme() -> Check {
    let why = "it does not start with spiffe://";
    let bad = [
        "https://example.org/a",
        "spiffe:example.org/a",
        "spiffe:/example.org",
        "//example.org/a",
        "",
        " spiffe://example.org/a",
        "spiffe//example.org",
        "example.org/a",
    ];
    form(
        "ID-01",
        "§2",
        "the scheme is \"spiffe\", followed by \"://\"",
        &["spiffe://example.org/a"],
        &bad.map(|id| (id, why)),
    )
    .refuses("no text", bytes(&[0xff, 0xfe]), "it is no URI at all")
    .accepts("in a certificate", directly(&leaf()), "its URI is a SPIFFE ID")
    .refuses(
        "another scheme in a certificate",
        directly(&leaf_of("https://example.org/workload")),
        "its URI is no SPIFFE ID",
    )
    .refuses(
        "another scheme in a token",
        token(HEADER, &claims("https://example.org/a")),
        "its subject is no SPIFFE ID",
    )
    .accepts("asked of an issuer", issue(&[ID]).into(), "it is a SPIFFE ID")
    .refuses(
        "another scheme asked of an issuer",
        issue(&["https://example.org/a"]).into(),
        "it is no SPIFFE ID",
    )
}

fn trust_domain_is_there() -> Check {
    let why = "there is no trust domain";
    form(
        "ID-02",
        "§2, §2.1",
        "the trust domain is not empty",
        &["spiffe://a"],
        &[("spiffe://", why), ("spiffe:///a", why), ("spiffe:///", why)],
    )
    .accepts("one letter as a name", name("a"), "one character is a name")
    .refuses("an empty name", name(""), why)
    .refuses("in a certificate", directly(&leaf_of("spiffe:///workload")), why)
    .refuses("in a token", token(HEADER, &claims("spiffe:///workload")), why)
}

fn no_query() -> Check {
    let why = "there is a query";
    form(
        "ID-03",
        "§2",
        "there is no query, not even an empty one",
        &["spiffe://td/a"],
        &[("spiffe://td/a?x=1", why), ("spiffe://td/a?", why), ("spiffe://td?x", why), ("spiffe://td?", why)],
    )
    .refuses("in a certificate", directly(&leaf_of("spiffe://example.org/workload?x=1")), why)
    .refuses("empty, in a certificate", directly(&leaf_of("spiffe://example.org/workload?")), why)
    .refuses("empty, in a token", token(HEADER, &claims("spiffe://example.org/workload?")), why)
}

fn no_fragment() -> Check {
    let why = "there is a fragment";
    form(
        "ID-04",
        "§2",
        "there is no fragment, not even an empty one",
        &["spiffe://td/a"],
        &[("spiffe://td/a#f", why), ("spiffe://td/a#", why), ("spiffe://td#f", why), ("spiffe://td#", why)],
    )
    .refuses("in a certificate", directly(&leaf_of("spiffe://example.org/workload#f")), why)
    .refuses("empty, in a certificate", directly(&leaf_of("spiffe://example.org/workload#")), why)
    .refuses("empty, in a token", token(HEADER, &claims("spiffe://example.org/workload#")), why)
}

fn no_userinfo() -> Check {
    let why = "there is userinfo";
    form(
        "ID-05",
        "§2.1",
        "there is no userinfo",
        &["spiffe://td/a"],
        &[("spiffe://u@td/a", why), ("spiffe://u:p@td/a", why), ("spiffe://@td/a", why)],
    )
    .refuses("in a certificate", directly(&leaf_of("spiffe://u@example.org/workload")), why)
}

fn no_port() -> Check {
    let why = "there is a port";
    form(
        "ID-06",
        "§2.1",
        "there is no port",
        &["spiffe://td/a"],
        &[("spiffe://td:443/a", why), ("spiffe://td:/a", why), ("spiffe://td:443", why)],
    )
    .refuses("in a certificate", directly(&leaf_of("spiffe://example.org:443/workload")), why)
}
