//! The checks that no vector can show: they bind operators, prose, or a running client or server.

mod broker;
mod federation;
mod others;
mod workload;

/// A check without vectors.
#[derive(Debug, Clone, Copy)]
pub struct LeftOut {
    /// Its id.
    pub check: &'static str,
    /// What it asks for, in our words.
    pub asks: &'static str,
    /// Why no input can be accepted or refused for it.
    pub reason: &'static str,
    /// The test that shows it, if there is one: the file, seen from the top of the repository, and its function.
    pub shown_by: Option<(&'static str, &'static str)>,
}

/// All of them.
pub fn all() -> Vec<LeftOut> {
    [others::ALL, workload::ALL, federation::ALL, broker::ALL].concat()
}

/// A check that is left out, and that no test of ours shows.
const fn left(check: &'static str, asks: &'static str, reason: &'static str) -> LeftOut {
    LeftOut { check, asks, reason, shown_by: None }
}

/// A check that is left out here, since a test of the running program shows it.
const fn shown(
    check: &'static str,
    asks: &'static str,
    reason: &'static str,
    file: &'static str,
    test: &'static str,
) -> LeftOut {
    LeftOut { check, asks, reason, shown_by: Some((file, test)) }
}
