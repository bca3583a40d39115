//! Where our commands are not SPIRE's.

/// Commands that are not there yet.
pub(crate) const LATER: &[&str] =
    &["agent debug getinfo", "agent logger get", "agent logger reset", "agent logger set"];

/// Defaults that our help shows otherwise: the command, the flag, our default, and why.
pub(crate) const DIFFERENT: &[(&str, &str, &str, &str)] = &[
    ("server run", "config", "conf/server/server.conf", "SPIRE has the same default and does not show it"),
    (
        "server validate",
        "config",
        "conf/server/server.conf",
        "SPIRE has the same default and does not show it",
    ),
];
