//! What `up` shows.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

use proto::workload::X509svidRequest;
use proto::workload::spiffe_workload_api_client::SpiffeWorkloadApiClient;
use spiffe::endpoint::WORKLOAD_HEADER;
use spiffe::x509::X509Svid;
use tonic::Request;
use tonic::metadata::MetadataValue;

use super::files::Files;
use crate::start::Failure;

/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(20);

/// The caller's own identity, as soon as the agent gives it.
pub(crate) async fn first_svid(socket: std::path::PathBuf, patience: Duration) -> Result<X509Svid, Failure> {
    let start = std::time::Instant::now();
    loop {
        let failure = match fetch(&socket).await {
            Ok(svid) => return Ok(svid),
            Err(failure) => failure,
        };
        if start.elapsed() > patience {
            return Err(format!("no identity came from {}: {failure}", socket.display()).into());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn fetch(socket: &Path) -> Result<X509Svid, Failure> {
    let channel = ctl::connect(ctl::Peer::Agent, socket).await?;
    let mut request = Request::new(X509svidRequest {});
    request.metadata_mut().insert(WORKLOAD_HEADER.0, MetadataValue::from_static(WORKLOAD_HEADER.1));
    let mut stream = SpiffeWorkloadApiClient::new(channel).fetch_x509svid(request).await?.into_inner();
    let response = stream.message().await?.ok_or("the agent closed the stream")?;
    let own = response.svids.iter().find(|svid| svid.spiffe_id.contains("/user/")).or(response.svids.first());
    Ok(X509Svid::parse_concatenated(&own.ok_or("the agent gave no identity")?.x509_svid)?)
}

/// The lines that a person sees once all is up.
pub(crate) fn people(files: &Files, svid: &X509Svid) {
    let end = svid.leaf().not_after();
    let left = end.duration_since(SystemTime::now()).unwrap_or_default();
    let left = Duration::from_secs(left.as_secs());
    let (agent, server) = (files.workload_socket(), files.admin_socket());
    let (agent, server) = (agent.display(), server.display());
    let program = std::env::args().next().unwrap_or_else(|| "bonafide".to_owned());
    // Where nobody reads, it runs on all the same.
    let _ = writeln!(
        std::io::stdout(),
        "Trust domain {td} is up.

  You are      {id}
  Valid until  {end} (another {left}; renewed by itself)
  Socket       {agent}

For programs that ask for an identity, and for the commands below:

  export SPIFFE_ENDPOINT_SOCKET=unix://{agent}
  export SPIRE_AGENT_PUBLIC_SOCKET={agent}
  export SPIRE_SERVER_PRIVATE_SOCKET={server}

Worth trying in another terminal:

  {program} agent api fetch x509     # your certificate, as any program of yours gets it
  {program} server entry show        # who gets which identity
  {program} agent api watch          # each renewal as it comes

Everything is kept in {root}; the log is {log}. Ctrl-C stops all of it.",
        td = files.trust_domain(),
        id = svid.id(),
        end = kit::log::moment(end),
        left = kit::duration::format_short(left),
        root = files.root().display(),
        log = files.log_file().display(),
    );
}
