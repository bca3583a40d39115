//! The checks that no vector can show: they bind operators, prose, or a running client or server.

/// A check without vectors.
#[derive(Debug, Clone, Copy)]
pub struct LeftOut {
    /// Its id.
    pub check: &'static str,
    /// Why no input can be accepted or refused for it.
    pub reason: &'static str,
    /// The test that shows it, if there is one: the file, seen from the top of the repository, and its function.
    pub shown_by: Option<(&'static str, &'static str)>,
}

/// All of them, in order.
pub fn all() -> Vec<LeftOut> {
    Vec::new()
}
