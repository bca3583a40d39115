//! FetchSecrets: asks once.

use std::sync::Arc;

use prost::bytes::Bytes;
use proto::envoy::service::discovery::v3::DiscoveryRequest;
use tonic::Status;

use super::SdsNames;
use super::asked::{listed, names, short};
use super::encode;
use super::node::Form;
use super::select::Selection;
use super::verdict::{Verdict, judge};
use super::watch::Watch;
use crate::workload::{Caller, Shared};

pub(super) const METHOD: &str = "FetchSecrets";

/// The answer, framed.
pub(super) async fn answer(
    shared: Arc<Shared>,
    own_names: &SdsNames,
    caller: Caller,
    request: DiscoveryRequest,
) -> Result<Bytes, Status> {
    let asked = names(request.resource_names)?;
    let form = Form::of(request.node.as_ref(), own_names);
    let pid = caller.pid();
    let mut watch = Watch::open(shared, caller, METHOD).await?;
    loop {
        watch.heard().await?;
        let Some(update) = watch.update() else { continue };
        let selected = Selection { names: own_names, form, update: &update }.together(&asked);
        match judge(selected, &update, asked.is_empty(), watch.patience()) {
            Verdict::Send(chosen) => {
                tracing::debug!(
                    subsystem_name = "endpoints",
                    service = "SDS.v3",
                    method = METHOD,
                    pid,
                    resource_names = listed(&asked),
                    count = chosen.len(),
                    "Sending FetchSecrets response"
                );
                return Ok(encode::response("", "", &short(&request.type_url), &chosen));
            }
            Verdict::Wait(at_most) => watch.put_off(at_most),
            Verdict::Refuse(status) => {
                tracing::error!(
                    subsystem_name = "endpoints",
                    service = "SDS.v3",
                    method = METHOD,
                    pid,
                    resource_names = listed(&asked),
                    error = status.message(),
                    "Error building fetch secrets response"
                );
                return Err(status);
            }
        }
    }
}
