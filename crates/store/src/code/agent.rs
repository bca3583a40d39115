//! Attested nodes.

use model::{Agent, UnixTime};
use prost::Message;

use super::CodeError;
use super::selectors::{StoredSelector, selectors_of, stored_selectors};
use super::text::id_of;

#[derive(Clone, PartialEq, Message)]
struct StoredAgent {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(uint64, tag = "2")]
    ord: u64,
    #[prost(string, tag = "3")]
    attestation_type: String,
    #[prost(string, tag = "4")]
    serial: String,
    #[prost(int64, tag = "5")]
    expires_at: i64,
    #[prost(string, tag = "6")]
    new_serial: String,
    #[prost(int64, optional, tag = "7")]
    new_expires_at: Option<i64>,
    #[prost(message, repeated, tag = "8")]
    selectors: Vec<StoredSelector>,
    #[prost(bool, tag = "9")]
    can_reattest: bool,
    #[prost(string, tag = "10")]
    version: String,
    #[prost(int64, tag = "11")]
    revision: i64,
}

pub(crate) fn agent_bytes(agent: &Agent) -> Vec<u8> {
    StoredAgent {
        id: agent.id.as_str().to_owned(),
        ord: agent.ord,
        attestation_type: agent.attestation_type.clone(),
        serial: agent.serial.clone(),
        expires_at: agent.expires_at.0,
        new_serial: agent.new_serial.clone(),
        new_expires_at: agent.new_expires_at.map(|at| at.0),
        selectors: stored_selectors(&agent.selectors),
        can_reattest: agent.can_reattest,
        version: agent.version.clone(),
        revision: agent.revision,
    }
    .encode_to_vec()
}

pub(crate) fn agent_of(bytes: &[u8]) -> Result<Agent, CodeError> {
    let stored = StoredAgent::decode(bytes)?;
    Ok(Agent {
        id: id_of("id", &stored.id)?,
        ord: stored.ord,
        attestation_type: stored.attestation_type,
        serial: stored.serial,
        expires_at: UnixTime(stored.expires_at),
        new_serial: stored.new_serial,
        new_expires_at: stored.new_expires_at.map(UnixTime),
        selectors: selectors_of(&stored.selectors)?,
        can_reattest: stored.can_reattest,
        version: stored.version,
        revision: stored.revision,
    })
}
