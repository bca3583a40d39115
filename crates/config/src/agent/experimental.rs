//! The agent's `experimental` block.

use std::time::Duration;

use super::super::block::{Block, Unknown, is_empty};
use super::super::check;
use super::super::problem::Problem;

/// How often a server that does not push is asked, if the file does not say.
const SYNC_INTERVAL: Duration = Duration::from_secs(5);

/// Reads `experimental`, if there is one; of its keys, `sync_interval` has an effect.
pub(super) fn read(agent: &Block<'_>) -> Duration {
    let Some(block) = agent.block("experimental") else {
        return SYNC_INTERVAL;
    };
    let sync_interval = sync_interval(&block);
    let timeout = "limit how long a cached JWT-SVID's refresh is waited for";
    block.not_yet_unless("jwt_svid_cache_hit_timeout", timeout, is_empty);
    let always = "entries are always asked for as differences";
    if block.switch("use_sync_authorized_entries").is_some_and(|given| !given.value) {
        block.not_yet("use_sync_authorized_entries", "ask for all entries each time");
    } else {
        block.no_effect("use_sync_authorized_entries", always);
    }
    block.not_yet_unless("require_pq_kem", "refuse TLS without a post-quantum key exchange", is_empty);
    block.not_yet_unless("ratelimit", "limit how often a workload may call", is_empty);
    block.not_yet_unless("broker", "serve the SPIFFE Broker API", is_empty);
    block.other_platform("named_pipe_name", "socket_path");
    block.other_platform("admin_named_pipe_name", "admin_socket_path");
    check::feature_flags(&block);
    block.finish(Unknown::Warn);
    sync_interval
}

fn sync_interval(block: &Block<'_>) -> Duration {
    let Some(given) = block.duration("sync_interval") else {
        return SYNC_INTERVAL;
    };
    if given.value.is_zero() {
        let (value, why) = ("0s".to_owned(), "it must be more than 0s".to_owned());
        block.mistake(given.place, Problem::BadValue { key: "sync_interval".to_owned(), value, why });
    }
    given.value
}
