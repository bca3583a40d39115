//! The drafts of the WIMSE group that WIT-SVID.md builds on.

mod signature;
mod token;
mod wpt;

use crate::format::Check;

/// The checks of this topic.
pub(super) fn checks() -> Vec<Check> {
    let mut all = [token::checks(), wpt::checks(), signature::checks()].concat();
    all.sort_by(|a, b| a.check.cmp(&b.check));
    all
}
