//! The name of the trust domain: ID-07 to ID-11, ID-20 and ID-21.

use serde_json::json;

use super::super::scene::*;
use super::{form, jwt_of};
use crate::format::Check;
use crate::kinds::same_id::ids;
use crate::kinds::spiffe_id::{bytes, text};
use crate::kinds::trust_domain::name;
use crate::kinds::x509_svid;

pub(super) fn checks() -> Vec<Check> {
    vec![
        lowercase_host(),
        host_characters(),
        no_percent_in_host(),
        addresses(),
        no_special_names(),
        name_length(),
        host_case(),
    ]
}

fn lowercase_host() -> Check {
    let sources = Check::new("ID-07", "SPIFFE-ID.md §2.1", "an issuer writes the trust domain in lower case");
    sources
        .yields(
            "lower case",
            issue(&[ID]).into(),
            json!({ "uris": [ID] }),
            "it is issued as it was asked for",
        )
        .refuses(
            "upper case",
            issue(&["spiffe://Example.org/workload"]).into(),
            "what is asked for reaches no certificate unchanged",
        )
        .refuses(
            "upper case, of an authority",
            issue_authority("spiffe://Example.org").into(),
            "the same for authorities",
        )
}

fn host_characters() -> Check {
    let why = "a character that no trust domain has";
    let bad = [
        "spiffe://a~b/x",
        "spiffe://a+b/x",
        "spiffe://a b/x",
        "spiffe://a:b/x",
        "spiffe://tést/x",
        "spiffe://a\0b/x",
        "spiffe://A/x",
        "spiffe://a!b/x",
        "spiffe://a\u{7f}/x",
        "spiffe://a\n/x",
    ];
    let mut check = form(
        "ID-08",
        "§2.1",
        "a trust domain is made of a-z, 0-9, dot, dash and underscore",
        &["spiffe://a_b-c.1/x", "spiffe://abcdefghijklmnopqrstuvwxyz0123456789.-_"],
        &bad.map(|id| (id, why)),
    )
    .accepts("all characters as a name", name("abcdefghijklmnopqrstuvwxyz0123456789.-_"), "each is allowed")
    .refuses("bytes above 0x7f", bytes(b"spiffe://t\xe9st/x"), why);
    for bad in ["a~b", "a/b", "a b", "a:b", "tést", "A", "a\0b", "a%62"] {
        check = check.refuses(&format!("the name {}", bad.escape_debug()), name(bad), why);
    }
    check
}

fn no_percent_in_host() -> Check {
    let why = "there is percent-encoding, which is refused and not decoded";
    form(
        "ID-09",
        "§2.1",
        "the trust domain has no percent-encoding",
        &["spiffe://td/x"],
        &[("spiffe://t%64/x", why), ("spiffe://td%2e/x", why), ("spiffe://%/x", why)],
    )
    .refuses("in a certificate", directly(&leaf_of("spiffe://example%2eorg/workload")), why)
}

fn addresses() -> Check {
    let why = "brackets and colons are in no trust domain";
    form(
        "ID-10",
        "§2.1",
        "an IPv4 address in dots is a name, an IPv6 address is none",
        &["spiffe://10.0.0.1/x"],
        &[("spiffe://[::1]/x", why), ("spiffe://::1/x", why), ("spiffe://[10.0.0.1]/x", why)],
    )
}

fn no_special_names() -> Check {
    let good = [
        "spiffe://10.0.0.1/x",
        "spiffe://999.999.999.999/x",
        "spiffe://a..b/x",
        "spiffe://-x-/x",
        "spiffe://example.org./x",
        "spiffe://./x",
        "spiffe://xn--a/x",
    ];
    let looked_for = |sent: &str, held: &str| {
        let root = other_root(sent);
        let leaf = leaf_of(&format!("spiffe://{sent}/workload")).signed_by(&root);
        x509_svid::Members { bundles: roots(held, [root.self_signed()]), ..chain([leaf]) }
    };
    form(
        "ID-11",
        "§2.1",
        "a name that looks like an address or a DNS name is treated as any other",
        &good,
        &[],
    )
    .accepts(
        "an address finds its bundle",
        looked_for("10.0.0.1", "10.0.0.1").into(),
        "its bytes are the same",
    )
    .refuses(
        "zeros before",
        looked_for("010.0.0.1", "10.0.0.1").into(),
        "010.0.0.1 is another name than 10.0.0.1",
    )
    .refuses(
        "a dot behind",
        jwt_of("spiffe://example.org./workload"),
        "example.org. is another name than example.org, whose bundle is held",
    )
    .refuses("another address form", ids("spiffe://127.1/x", "spiffe://127.0.0.1/x"), "the bytes differ")
}

fn name_length() -> Check {
    let (good, bad) = ("a".repeat(255), "a".repeat(256));
    Check::new("ID-20", "SPIFFE-ID.md §2.3", "the name of a trust domain has at most 255 bytes")
        .accepts("255 bytes", name(&good), "it is as long as names get")
        .refuses("256 bytes", name(&bad), "it is one byte too long")
        .accepts("255 bytes in an ID", text(&format!("spiffe://{good}/x")), "it is as long as names get")
        .refuses("256 bytes in an ID", text(&format!("spiffe://{bad}/x")), "it is one byte too long")
}

fn host_case() -> Check {
    let why = "sections 2.1 and 2.4 contradict each other; refused, so that no second identity comes to be \
               (to read it as the same identity in lower case would do, too)";
    Check::new("ID-21", "SPIFFE-ID.md §2.4", "upper case in scheme or trust domain makes no second identity")
        .accepts(
            "the same",
            ids("spiffe://example.org/a", "spiffe://example.org/a"),
            "they are the same bytes",
        )
        .refuses("upper case read", text("SPIFFE://EXAMPLE.org/a"), why)
        .refuses("scheme in upper case read", text("SPIFFE://example.org/a"), why)
        .refuses("in a certificate", directly(&leaf_of("spiffe://EXAMPLE.org/workload")), why)
        .refuses(
            "scheme in upper case, in a certificate",
            directly(&leaf_of("SPIFFE://example.org/workload")),
            why,
        )
        .refuses("in a token", jwt_of("spiffe://EXAMPLE.org/workload"), why)
}
