//! The path: ID-12 to ID-17, and ID-22.

use super::super::scene::*;
use super::{form, jwt_of};
use crate::format::{Check, Only};
use crate::kinds::same_id::ids;
use crate::kinds::spiffe_id::bytes;

pub(super) fn checks() -> Vec<Check> {
    vec![
        no_percent_in_path(),
        no_empty_segment(),
        no_dot_segment(),
        no_trailing_slash(),
        path_characters(),
        paths(),
        path_case(),
    ]
}

fn no_percent_in_path() -> Check {
    let why = "there is percent-encoding, which is refused and not decoded";
    form(
        "ID-12",
        "§2.2",
        "the path has no percent-encoding",
        &["spiffe://td/a"],
        &[("spiffe://td/a%2Fb", why), ("spiffe://td/%41", why), ("spiffe://td/%", why)],
    )
    .refuses("in a certificate", directly(&leaf_of("spiffe://example.org/work%6coad")), why)
    .refuses("in a token", jwt_of("spiffe://example.org/work%6coad"), why)
    .refuses("asked of an issuer", issue(&["spiffe://example.org/work%6coad"]).into(), why)
}

fn no_empty_segment() -> Check {
    let why = "there is an empty segment";
    form(
        "ID-13",
        "§2.2",
        "no segment of the path is empty",
        &["spiffe://td/a/b"],
        &[("spiffe://td//a", why), ("spiffe://td/a//b", why), ("spiffe://td//", why)],
    )
    .refuses("in a certificate", directly(&leaf_of("spiffe://example.org//workload")), why)
}

fn no_dot_segment() -> Check {
    let why = "there is a segment of one or two dots, which is refused and not resolved";
    let bad =
        ["spiffe://td/.", "spiffe://td/..", "spiffe://td/a/../b", "spiffe://td/./a", "spiffe://td/a/.."];
    form(
        "ID-14",
        "§2.2",
        "no segment of the path is \".\" or \"..\"",
        &["spiffe://td/...", "spiffe://td/a..b", "spiffe://td/.a", "spiffe://td/a."],
        &bad.map(|id| (id, why)),
    )
    .refuses("in a certificate", directly(&leaf_of("spiffe://example.org/a/../workload")), why)
}

fn no_trailing_slash() -> Check {
    let why = "there is a slash at the end";
    form(
        "ID-15",
        "§2.2",
        "the path does not end with a slash",
        &["spiffe://td", "spiffe://td/a"],
        &[("spiffe://td/", why), ("spiffe://td/a/", why)],
    )
    .refuses("in a certificate", directly(&leaf_of("spiffe://example.org/workload/")), why)
    .refuses("no path but a slash, in a certificate", directly(&leaf_of("spiffe://example.org/")), why)
}

fn path_characters() -> Check {
    let why = "a character that no path has";
    let bad = [
        "spiffe://td/a:b",
        "spiffe://td/a@b",
        "spiffe://td/a~b",
        "spiffe://td/a+b",
        "spiffe://td/é",
        "spiffe://td/a b",
        "spiffe://td/a\0",
        "spiffe://td/a\\b",
        "spiffe://td/a;b",
        "spiffe://td/a*",
        "spiffe://td/a\n",
    ];
    form(
        "ID-16",
        "§2.2",
        "a segment is made of letters, digits, dot, dash and underscore",
        &[
            "spiffe://td/A/b_1-.x",
            "spiffe://td/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_",
        ],
        &bad.map(|id| (id, why)),
    )
    .refuses("bytes above 0x7f", bytes(b"spiffe://td/\xe9"), why)
    .refuses("in a certificate", directly(&leaf_of("spiffe://example.org/work:load")), why)
}

fn paths() -> Check {
    form(
        "ID-17",
        "§2.2",
        "a path may be absent, or have many segments",
        &[
            "spiffe://td",
            "spiffe://td/a",
            "spiffe://td/a/b/c/d",
            "spiffe://td/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a",
        ],
        &[],
    )
    .only(Only::Accepted, "it allows, and forbids nothing")
}

fn path_case() -> Check {
    Check::new("ID-22", "SPIFFE-ID.md §2.4", "upper and lower case differ in the path")
        .accepts("the same", ids("spiffe://td/Admin", "spiffe://td/Admin"), "they are the same bytes")
        .refuses("other case", ids("spiffe://td/Admin", "spiffe://td/admin"), "they name two workloads")
}
