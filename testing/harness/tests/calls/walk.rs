//! Every caller calls every method, with an empty message.

use std::collections::BTreeMap;

use prost::Message as _;
use proto::spire::api::types::{PermissionDeniedDetails, permission_denied_details::Reason};
use serde::{Deserialize, Serialize};
use tonic::Status;

use super::callers::Callers;
use super::{methods, wire};

/// What a caller was answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// The name of the status code.
    pub(crate) code: String,
    /// Why an agent was refused, where the server says it to programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// What people read.
    pub(crate) message: String,
}

/// By method and kind of caller.
pub(crate) type Found = BTreeMap<String, BTreeMap<String, Answer>>;

/// All answers.
pub(crate) async fn walk(callers: &Callers) -> Found {
    let mut found = Found::new();
    for method in methods::all() {
        let mut answers = BTreeMap::new();
        for (name, channel) in callers.all() {
            let status = wire::call(channel, &method.path).await.err();
            let answer = match &status {
                None => Answer { code: "Ok".to_owned(), reason: None, message: String::new() },
                Some(status) => Answer {
                    code: format!("{:?}", status.code()),
                    reason: reason(status),
                    message: status.message().to_owned(),
                },
            };
            answers.insert((*name).to_owned(), answer);
        }
        found.insert(method.path, answers);
    }
    found
}

/// `google.rpc.Status`, as far as it matters here.
#[derive(Clone, PartialEq, prost::Message)]
struct Rich {
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

fn reason(status: &Status) -> Option<String> {
    let rich = Rich::decode(status.details()).unwrap();
    let details =
        rich.details.iter().find(|any| any.type_url.ends_with("/spire.api.types.PermissionDeniedDetails"))?;
    let details = PermissionDeniedDetails::decode(details.value.as_slice()).unwrap();
    Some(Reason::try_from(details.reason).unwrap().as_str_name().to_owned())
}
