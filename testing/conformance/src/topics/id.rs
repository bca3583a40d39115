//! SPIFFE-ID.md.

use serde_json::json;

use crate::format::Check;
use crate::kinds::spiffe_id::{bytes, text};
use crate::kinds::trust_domain::name;

/// The checks of this topic.
pub(super) fn checks() -> Vec<Check> {
    vec![scheme(), trust_domain_is_there()]
}

fn scheme() -> Check {
    let mut check = Check::new("ID-01", "SPIFFE-ID.md §2", "the scheme is \"spiffe\", followed by \"://\"")
        .yields(
            "scheme",
            text("spiffe://example.org/a"),
            json!({ "trust_domain": "example.org", "path": "/a" }),
            "the scheme is spiffe",
        );
    for (name, bad) in [
        ("another scheme", "https://example.org/a"),
        ("no slashes", "spiffe:example.org/a"),
        ("one slash", "spiffe:/example.org"),
        ("no scheme", "//example.org/a"),
        ("nothing", ""),
    ] {
        check = check.refuses(name, text(bad), "it does not start with spiffe://");
    }
    check.refuses("no text", bytes(&[0xff, 0xfe]), "it is no URI at all")
}

fn trust_domain_is_there() -> Check {
    Check::new("ID-02", "SPIFFE-ID.md §2, §2.1", "the trust domain is not empty")
        .accepts("one letter", text("spiffe://a"), "one character is a name")
        .accepts("one letter as a name", name("a"), "one character is a name")
        .refuses("nothing after the slashes", text("spiffe://"), "there is no trust domain")
        .refuses("a path alone", text("spiffe:///a"), "there is no trust domain")
        .refuses("an empty name", name(""), "there is no trust domain")
}
