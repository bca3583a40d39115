//! Tests that cannot run here say so; a test that silently passes proves nothing.

use std::io::Write as _;

/// Why a test has nothing to run against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// A tool that `scripts/install-test-tools` provides. In CI this is a failure.
    Tool(String),
    /// A peer that a person points to, such as SPIRE's binaries by `SPIRE_BIN`. Skipped in CI too.
    Peer(String),
}

/// Says why the test is skipped: on standard error, and in the file that `BONAFIDE_SKIPPED` names.
///
/// # Panics
/// In CI (`CI` is set), when a tool is missing.
pub fn skip(test: &str, missing: &Missing) {
    let reason = match missing {
        Missing::Tool(reason) => {
            assert!(std::env::var_os("CI").is_none(), "{test} cannot run in CI: {reason}");
            reason
        }
        Missing::Peer(reason) => reason,
    };
    let line = format!("skipped {test}: {reason}\n");
    eprint!("{line}");
    let Some(path) = std::env::var_os("BONAFIDE_SKIPPED") else { return };
    let file = std::fs::OpenOptions::new().append(true).create(true).open(&path);
    let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
    written.unwrap_or_else(|cause| panic!("cannot note the skipped test in {}: {cause}", path.display()));
}
