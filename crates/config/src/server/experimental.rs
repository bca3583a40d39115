//! The server's `experimental` block.

use super::super::block::{Block, Unknown, is_empty};
use super::super::check;
use super::super::problem::Problem;

/// Why SPIRE's intervals have no effect here.
const NOTHING_POLLS: &str = "changes are pushed from an ordered log; nothing is reloaded on a timer";

/// What the block sets.
#[derive(Default)]
pub(super) struct Experimental {
    /// Each agent gets its own SPIFFE ID as a selector.
    pub(super) agent_spiffe_id_as_selector: bool,
}

/// Reads `experimental`, if there is one.
pub(super) fn read(server: &Block<'_>) -> Experimental {
    let Some(block) = server.block("experimental") else {
        return Experimental::default();
    };
    for key in [
        "cache_reload_interval",
        "full_cache_reload_interval",
        "prune_events_older_than",
        "event_timeout",
        "sql_transaction_timeout",
    ] {
        block.duration(key);
        block.no_effect(key, NOTHING_POLLS);
    }
    if let (Some(given), Some(_)) = (block.text("sql_transaction_timeout"), block.text("event_timeout")) {
        block.mistake(given.place, Problem::OnlyOne(vec!["event_timeout", "sql_transaction_timeout"]));
    }
    block.switch("events_based_cache");
    block.no_effect("events_based_cache", NOTHING_POLLS);
    let agent_spiffe_id_as_selector =
        block.switch("agent_spiffe_id_as_selector").is_some_and(|given| given.value);
    let policy = "replace the authorization rules by a policy of your own";
    block.not_yet_unless("auth_opa_policy_engine", policy, is_empty);
    let quantum = "refuse TLS without a post-quantum key exchange";
    block.not_yet_unless("require_pq_kem", quantum, is_empty);
    block.not_yet_unless("wit_key_type", "choose the key type of WIT-SVIDs", is_empty);
    block.not_yet_unless("wit_issuer", "set the issuer of WIT-SVIDs", is_empty);
    block.other_platform("named_pipe_name", "socket_path");
    check::feature_flags(&block);
    block.finish(Unknown::Warn);
    Experimental { agent_spiffe_id_as_selector }
}
