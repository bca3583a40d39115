//! Tells a server which version runs.

use proto::spire::api::server::agent::v1::PostStatusRequest;
use proto::spire::api::server::agent::v1::agent_client::AgentClient;
use tokio::sync::watch;

use crate::link::{Link, deadline, explain};

/// The longest version a server takes (SPIRE 1.16).
const MAX: usize = 255;

/// Posts the version once the server was heard; never ends, since nothing depends on it.
pub(crate) async fn post_status(link: &Link, version: String, mut synced: watch::Receiver<bool>) {
    let _ = synced.wait_for(|synced| *synced).await;
    let agent_version: String = version.chars().take(MAX).collect();
    let request = PostStatusRequest { agent_version: agent_version.clone(), ..PostStatusRequest::default() };
    let mut client = AgentClient::new(link.channel());
    if let Err(status) = deadline(client.post_status(request)).await {
        tracing::debug!(
            subsystem_name = "manager",
            agent_version,
            error = explain(&status),
            "Failed to post agent status"
        );
    }
    std::future::pending().await
}
