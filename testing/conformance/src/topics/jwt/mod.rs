//! JWT-SVID.md.

mod bundle;
mod claims;
mod header;
mod issue;
mod travel;

use crate::format::Check;

pub(super) use header::KEYS;

/// The checks of this topic.
pub(super) fn checks() -> Vec<Check> {
    let mut all =
        [header::checks(), claims::checks(), issue::checks(), bundle::checks(), travel::checks()].concat();
    all.sort_by(|a, b| a.check.cmp(&b.check));
    all
}

/// A check of this document.
fn check(id: &str, section: &str, requirement: &str) -> Check {
    Check::new(id, &format!("JWT-SVID.md {section}"), requirement)
}
