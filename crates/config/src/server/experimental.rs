//! The server's `experimental` block.

use std::path::PathBuf;

use spiffe::key::KeyType;

use super::super::block::{Block, Unknown, is_empty};
use super::super::check;
use super::super::key_type::{Use, key_type};
use super::super::problem::Problem;

/// Why SPIRE's intervals have no effect here.
const NOTHING_POLLS: &str = "changes are pushed from an ordered log; nothing is reloaded on a timer";

/// What the block sets.
#[derive(Default)]
pub(super) struct Experimental {
    /// Each agent gets its own SPIFFE ID as a selector.
    pub(super) agent_spiffe_id_as_selector: bool,
    /// The policy that stands in the place of the server's own rules.
    pub(super) policy: Option<OpaPolicy>,
    /// How WIT-SVIDs are signed, where they are switched on.
    pub(super) wit: Option<Wit>,
}

/// How WIT-SVIDs are signed (feature flag `wit-svid`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wit {
    /// The kind of key that signs them (`wit_key_type`).
    pub key_type: KeyType,
    /// The `iss` claim (`wit_issuer`); none if it is not set.
    pub issuer: Option<String>,
}

/// A policy in Rego (`auth_opa_policy_engine`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpaPolicy {
    /// The policy.
    pub rego_path: PathBuf,
    /// Its data, if it has some.
    pub policy_data_path: Option<PathBuf>,
}

fn issuer(block: &Block<'_>) -> Option<String> {
    let given = block.text("wit_issuer").filter(|given| !given.value.is_empty())?;
    if let Err(error) = spiffe::wit::check_issuer(&given.value) {
        let (key, value, why) = ("wit_issuer".to_owned(), given.value.clone(), error.to_string());
        block.mistake(given.place, Problem::BadValue { key, value, why });
    }
    Some(given.value)
}

fn policy(block: &Block<'_>) -> Option<OpaPolicy> {
    let engine = block.block("auth_opa_policy_engine")?;
    let local = engine.block("local");
    if local.is_none() {
        engine.required("local", "the files of the policy: rego_path and policy_data_path");
    }
    engine.finish(Unknown::Refuse);
    let local = local?;
    let rego_path = local.text("rego_path").map(check::path);
    if rego_path.is_none() {
        local.required("rego_path", "the file with the policy");
    }
    let policy_data_path = local.text("policy_data_path").map(check::path);
    local.finish(Unknown::Refuse);
    Some(OpaPolicy { rego_path: rego_path?, policy_data_path })
}

/// Reads `experimental`, if there is one. WIT keys are of `ca_key_type` unless it says otherwise.
pub(super) fn read(server: &Block<'_>, ca_key_type: KeyType) -> Experimental {
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
    let policy = policy(&block);
    let quantum = "refuse TLS without a post-quantum key exchange";
    block.not_yet_unless("require_pq_kem", quantum, is_empty);
    let key_type = key_type(&block, "wit_key_type", Use::Authority);
    let issuer = issuer(&block);
    block.other_platform("named_pipe_name", "socket_path");
    let flags = check::feature_flags(&block);
    let wit = flags.wit_svid.then(|| Wit { key_type: key_type.unwrap_or(ca_key_type), issuer });
    block.finish(Unknown::Warn);
    Experimental { agent_spiffe_id_as_selector, policy, wit }
}
