//! The server's `federation` block. Federation is not there yet, so what it asks for is refused.

use super::super::block::{Block, Unknown, is_empty};

/// Reads `federation`, if there is one.
pub(super) fn read(server: &Block<'_>) {
    let Some(block) = server.block("federation") else {
        return;
    };
    let endpoint = "serve the bundle to other trust domains";
    block.not_yet_unless("bundle_endpoint", endpoint, is_empty);
    let relationship = "fetch and keep the bundle of another trust domain";
    block.not_yet_unless("federates_with", relationship, is_empty);
    block.finish(Unknown::Warn);
}
