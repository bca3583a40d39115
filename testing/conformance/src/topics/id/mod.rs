//! SPIFFE-ID.md.

mod document;
mod length;
mod path;
mod trust_domain;
mod uri;

use serde_json::json;

use super::scene::*;
use crate::format::{Check, Input};
use crate::kinds::spiffe_id::text;

/// The checks of this topic.
pub(super) fn checks() -> Vec<Check> {
    let mut all =
        [uri::checks(), trust_domain::checks(), path::checks(), length::checks(), document::checks()]
            .concat();
    all.sort_by(|a, b| a.check.cmp(&b.check));
    all
}

/// A check on the form of IDs: what is one, and what is none, with the reason.
fn form(check: &str, source: &str, requirement: &str, good: &[&str], bad: &[(&str, &str)]) -> Check {
    let mut made = Check::new(check, &format!("SPIFFE-ID.md {source}"), requirement);
    for id in good {
        let (name, rest) = split(id);
        let expect = json!({ "id": id, "trust_domain": name, "path": rest });
        made = made.yields(&shown(id), text(id), expect, "it is a SPIFFE ID");
    }
    for (id, why) in bad {
        made = made.refuses(&shown(id), text(id), why);
    }
    made
}

/// The trust domain and the path of a proper ID.
fn split(id: &str) -> (&str, &str) {
    let rest = id.strip_prefix("spiffe://").unwrap_or_default();
    rest.split_at(rest.find('/').unwrap_or(rest.len()))
}

/// An ID as a name of a vector: control characters escaped, short.
fn shown(id: &str) -> String {
    match id {
        "" => "nothing".to_owned(),
        long if long.len() > 100 => format!("{} bytes", long.len()),
        short => short.escape_debug().to_string(),
    }
}

/// The usual token for another subject.
fn jwt_of(subject: &str) -> Input {
    token(HEADER, &claims(subject))
}
