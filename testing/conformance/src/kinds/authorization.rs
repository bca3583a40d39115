//! `read-authorization` and `write-authorization`: a JWT-SVID is taken out of a field `Authorization`, or put into one.

use serde::{Deserialize, Serialize};
use serde_json::json;
use spiffe::jwt::{authorization, from_authorization};

use super::Outcome;
use super::http::Channel;
use crate::format::Input;

/// The name of the kind that reads.
pub const READ: &str = "read-authorization";
/// The name of the kind that writes.
pub const WRITE: &str = "write-authorization";

/// A value that was received.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Received {
    /// The value of the header field, or of the metadata of that name in gRPC.
    pub value: String,
}

/// A token that is to be sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    /// The token.
    pub jwt: String,
    /// What it would travel over.
    pub channel: Channel,
}

/// The input of a value that was received.
pub fn received(value: &str) -> Input {
    Input { kind: READ, members: json!(Received { value: value.to_owned() }) }
}

/// The input of a token that is to be sent.
pub fn sent(jwt: &str, channel: Channel) -> Input {
    Input { kind: WRITE, members: json!(Sent { jwt: jwt.to_owned(), channel }) }
}

pub(super) fn judge_read(members: Received) -> Outcome {
    let token = from_authorization(&members.value).map_err(|e| e.to_string())?;
    Ok(json!({ "token": token }))
}

pub(super) fn judge_write(members: Sent) -> Outcome {
    let value = authorization(&members.jwt, members.channel.into()).map_err(|e| e.to_string())?;
    Ok(json!({ "value": value }))
}
