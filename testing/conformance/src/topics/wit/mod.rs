//! WIT-SVID.md.

mod bundle;
mod claims;
mod confirmation;
mod header;
mod issue;
mod possession;

use crate::format::Check;

/// The checks of this topic.
pub(super) fn checks() -> Vec<Check> {
    let mut all = [
        header::checks(),
        claims::checks(),
        confirmation::checks(),
        issue::checks(),
        bundle::checks(),
        possession::checks(),
    ]
    .concat();
    all.sort_by(|a, b| a.check.cmp(&b.check));
    all
}

/// A check of this document.
fn check(id: &str, section: &str, requirement: &str) -> Check {
    Check::new(id, &format!("WIT-SVID.md {section}"), requirement)
}
