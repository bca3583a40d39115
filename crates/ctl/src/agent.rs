//! The commands that are clients of an agent's public socket.

use std::path::PathBuf;
use std::time::Duration;

use kit::flags::{Command, Flag, SocketFlags, Values};
use proto::workload::spiffe_workload_api_client::SpiffeWorkloadApiClient;
use spiffe::endpoint::WORKLOAD_HEADER;
use tonic::Request;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;

use crate::Table;
use crate::connect::{Peer, connect};
use crate::fault::Fault;
use crate::terminal::Terminal;

mod fetch_jwt;
mod fetch_x509;
mod healthcheck;
mod received;
mod validate_jwt;
mod watch;

/// The longest answer that a command takes.
const LONGEST_ANSWER: usize = 256 << 20;

/// How a command finds the agent.
const SOCKET: &[Flag] = &[
    Flag::file("socketPath", "The path of the agent's API socket (env SPIRE_AGENT_PUBLIC_SOCKET)")
        .or("/tmp/spire-agent/public/api.sock"),
    Flag::text(
        "instance",
        "The instance that stands for %i in the path of SPIRE_AGENT_PUBLIC_SOCKET_TEMPLATE",
    ),
];

/// How long a command waits.
const TIMEOUT: &[Flag] = &[Flag::duration("timeout", "How long to wait for an answer; 0s for ever").or("5s")];

const VARIABLES: SocketFlags = SocketFlags {
    path_variable: "SPIRE_AGENT_PUBLIC_SOCKET",
    template_variable: "SPIRE_AGENT_PUBLIC_SOCKET_TEMPLATE",
};

/// All commands.
pub(crate) const TABLE: Table = &[
    (&fetch_x509::SHORT, |v, t| Box::pin(fetch_x509::run(v, t))),
    (&fetch_x509::COMMAND, |v, t| Box::pin(fetch_x509::run(v, t))),
    (&fetch_jwt::COMMAND, |v, t| Box::pin(fetch_jwt::run(v, t))),
    (&validate_jwt::COMMAND, |v, t| Box::pin(validate_jwt::run(v, t))),
    (&watch::COMMAND, |v, t| Box::pin(watch::run(v, t))),
    (&healthcheck::COMMAND, |v, t| Box::pin(healthcheck::run(v, t))),
];

/// A row of the table.
const fn command(path: &'static str, summary: &'static str, flags: &'static [&'static [Flag]]) -> Command {
    Command::new(path, summary, flags)
}

/// The socket that the flags and the environment mean.
fn socket(values: &Values, terminal: &Terminal<'_>) -> Result<PathBuf, Fault> {
    Ok(VARIABLES.resolve(values, terminal.environment)?)
}

/// A client of the Workload API.
async fn dial(values: &Values, terminal: &Terminal<'_>) -> Result<SpiffeWorkloadApiClient<Channel>, Fault> {
    let channel = connect(Peer::Agent, &socket(values, terminal)?).await?;
    Ok(SpiffeWorkloadApiClient::new(channel).max_decoding_message_size(LONGEST_ANSWER))
}

/// A request with the header without which the Workload API does not answer (SPIFFE Workload Endpoint §6).
fn request<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(WORKLOAD_HEADER.0, MetadataValue::from_static(WORKLOAD_HEADER.1));
    request
}

/// What `call` answers within the time that `-timeout` allows.
async fn within<T>(
    limit: Duration,
    doing: &str,
    call: impl Future<Output = Result<T, tonic::Status>>,
) -> Result<T, Fault> {
    let answer = if limit.is_zero() {
        call.await
    } else {
        tokio::time::timeout(limit, call)
            .await
            .unwrap_or_else(|_| Err(tonic::Status::deadline_exceeded("context deadline exceeded")))
    };
    answer.map_err(Fault::call(doing))
}

/// The first message of a stream.
async fn first<T>(mut stream: tonic::Streaming<T>) -> Result<T, tonic::Status> {
    stream.message().await?.ok_or_else(|| tonic::Status::unavailable("the stream ended without an answer"))
}
