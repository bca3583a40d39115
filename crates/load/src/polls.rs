//! SPIRE's polling protocol: how many times a second a server tells an agent which entries it has.
//!
//! That is what SPIRE's agents ask every five seconds, each: all entries at once, or in steps, first the revisions and
//! then what has changed. Here nothing has changed between two polls, as most of the time.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proto::spire::api::server::entry::v1::entry_client::EntryClient;
use proto::spire::api::server::entry::v1::{GetAuthorizedEntriesRequest, SyncAuthorizedEntriesRequest};
use proto::spire::api::types::EntryMask;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

use crate::admin::{self, Admin, BATCH};
use crate::fault::Fault;
use crate::node::Node;
use crate::press::{Plan, press};
use crate::process::Process;
use crate::report::Report;

/// The longest answer that is taken: 100,000 entries are some 30 MB.
const LONGEST_ANSWER: usize = 1 << 30;
/// How long a server may take to tell of entries that were made. SPIRE reads its database every five seconds.
const PATIENCE: Duration = Duration::from_secs(300);
/// With more entries than these only two call at once, so that the answers fit into memory.
const MANY: usize = 10_000;

/// What to load, and how.
pub(crate) struct Settings {
    pub(crate) socket: PathBuf,
    pub(crate) address: SocketAddr,
    pub(crate) process: Option<Process>,
    pub(crate) callers: usize,
    pub(crate) duration: Duration,
    /// How many entries the agent has, a measurement each, from few to many.
    pub(crate) entries: Vec<usize>,
    /// Whether what is made stays, for a server that goes anyway.
    pub(crate) keep: bool,
}

/// The name of a measurement of all at once.
pub(crate) fn all_name(entries: usize) -> String {
    format!("GetAuthorizedEntries of an agent with {entries} entries")
}

/// The name of a measurement of the steps.
pub(crate) fn steps_name(entries: usize) -> String {
    format!("SyncAuthorizedEntries of an agent with {entries} entries")
}

/// Measures at each size, with an agent of its own each time; what is made is removed unless it is to stay.
pub(crate) async fn measure(settings: &Settings) -> Result<Report, Fault> {
    let admin = Admin::connect(&settings.socket).await?;
    let mut report = Report::default();
    for &count in &settings.entries {
        let node = Node::join(&admin, settings.address, settings.callers.clamp(1, 4)).await?;
        let ids = fill(&admin, &node, count).await?;
        let measured = one_size(settings, &node, count, &mut report).await;
        if settings.keep {
            measured?;
            continue;
        }
        let removed = admin.delete(&ids).await;
        let evicted = admin.evict(&node.id).await;
        measured.and(removed).and(evicted)?;
    }
    Ok(report)
}

/// Gives the agent so many entries, and waits until it is told of all of them.
async fn fill(admin: &Admin, node: &Node, count: usize) -> Result<Vec<String>, Fault> {
    let run = admin::run_name();
    let mut ids = Vec::with_capacity(count);
    for from in (0..count).step_by(BATCH) {
        let path = |at: usize| format!("/load/{run}/{at}");
        let batch =
            (from..count.min(from + BATCH)).map(|at| admin::entry(&node.id, &path(at), "uid:4294967294"));
        ids.extend(admin.create(batch.collect()).await?);
    }
    let begun = Instant::now();
    while all(client(node, 0)).await? < count {
        if begun.elapsed() > PATIENCE {
            let what = format!("word of {count} entries");
            return Err(Fault::Slow { what, seconds: PATIENCE.as_secs() });
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(ids)
}

async fn one_size(settings: &Settings, node: &Node, count: usize, report: &mut Report) -> Result<(), Fault> {
    let clients: Arc<Vec<_>> = Arc::new((0..node.channels.len()).map(|at| client(node, at)).collect());
    let callers = if count > MANY { 2 } else { settings.callers };
    let plan = Plan { callers, calls: u64::MAX, duration: settings.duration };
    let several = clients.clone();
    let told = press(plan, settings.process, move |caller, _| {
        let client = several.get(caller % several.len().max(1)).cloned().flatten();
        async move { whole(all(client).await?, count) }
    });
    report.push(told.await?.measured(all_name(count), 1));
    let told = press(plan, settings.process, move |caller, _| {
        let client = clients.get(caller % clients.len().max(1)).cloned().flatten();
        async move { whole(steps(client).await?, count) }
    });
    report.push(told.await?.measured(steps_name(count), 1));
    Ok(())
}

fn client(node: &Node, at: usize) -> Option<EntryClient<Channel>> {
    let channel = node.channels.get(at)?.clone();
    Some(EntryClient::new(channel).max_decoding_message_size(LONGEST_ANSWER))
}

const NO_CONNECTION: Fault = Fault::Answer { doing: "asking for entries", what: "there is no connection" };

/// An answer that lacks an entry is a wrong one, however fast it came.
fn whole(told: usize, count: usize) -> Result<(), Fault> {
    match told == count {
        true => Ok(()),
        false => Err(Fault::Answer { doing: "asking for entries", what: "entries are missing from it" }),
    }
}

/// What an agent of SPIRE asks to be told of each entry.
fn mask() -> EntryMask {
    EntryMask {
        spiffe_id: true,
        selectors: true,
        federates_with: true,
        admin: true,
        downstream: true,
        revision_number: true,
        store_svid: true,
        hint: true,
        created_at: true,
        additional_attributes: true,
        ..EntryMask::default()
    }
}

/// Asks for all entries at once, and tells how many came.
async fn all(client: Option<EntryClient<Channel>>) -> Result<usize, Fault> {
    let request = GetAuthorizedEntriesRequest { output_mask: Some(mask()) };
    let answer = client.ok_or(NO_CONNECTION)?.get_authorized_entries(request).await;
    Ok(answer.map_err(Fault::call("asking for all entries"))?.into_inner().entries.len())
}

/// Asks in steps, and tells of how many entries word came.
async fn steps(client: Option<EntryClient<Channel>>) -> Result<usize, Fault> {
    const DOING: &str = "asking for entries in steps";
    let (say, said) = mpsc::channel(1);
    let first = SyncAuthorizedEntriesRequest { output_mask: Some(mask()), ids: Vec::new() };
    // The channel has room for it.
    let _ = say.send(first).await;
    let answer = client.ok_or(NO_CONNECTION)?.sync_authorized_entries(ReceiverStream::new(said)).await;
    let mut answers = answer.map_err(Fault::call(DOING))?.into_inner();
    let mut told = 0;
    while let Some(answer) = answers.message().await.map_err(Fault::call(DOING))? {
        // Where there are few, the server sends them rather than their revisions.
        told += answer.entry_revisions.len() + answer.entries.len();
        if !answer.more {
            break;
        }
    }
    drop(say);
    Ok(told)
}
