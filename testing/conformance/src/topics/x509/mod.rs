//! X509-SVID.md.

mod authority;
mod bundle;
mod constraints;
mod leaf;
mod path;
mod verify;

use crate::format::Check;

/// The checks of this topic.
pub(super) fn checks() -> Vec<Check> {
    let mut all = [
        leaf::checks(),
        authority::checks(),
        vec![constraints::check_all(), path::check_all()],
        verify::checks(),
        bundle::checks(),
    ]
    .concat();
    all.sort_by(|a, b| a.check.cmp(&b.check));
    all
}

/// A check of this document.
fn check(id: &str, section: &str, requirement: &str) -> Check {
    Check::new(id, &format!("X509-SVID.md {section}"), requirement)
}
