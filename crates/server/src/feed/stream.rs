//! One agent's stream, from Hello to Goodbye.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use kit::clock::Clock;
use model::{Agent, Changes, Cursor, Snapshot};
use prost::Message;
use proto::bonafide::feed::v1::{
    Change, Down, Goodbye, Heartbeat, Hello, Page, Up, Welcome, down, goodbye::Reason, up,
};
use spiffe::TrustDomain;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tonic::{Status, Streaming};

use super::hub::{Following, Hub, Marks};
use super::resume::{self, Missed};
use super::view::{Difference, View};
use crate::api::bundle_wire::wire_bundle;
use crate::api::convert::wire_entry;
use crate::authz::AuthorizedAgent;
use crate::registry::Registry;

/// A page or a change is closed at this many bytes; gRPC clients refuse messages over 4 MiB by default.
const MESSAGE: usize = 1 << 20;
/// The clock is looked at this often at least, so that one that jumps ends the stream in time.
const LOOK: Duration = Duration::from_secs(1);

/// How long an agent may take nothing before its stream is ended.
const STALL: Duration = Duration::from_secs(30);

/// What a stream is opened with.
pub(super) struct Opening {
    pub(super) agent: AuthorizedAgent,
    pub(super) trust_domain: TrustDomain,
    pub(super) registry: Arc<Registry>,
    pub(super) hub: Arc<Hub>,
    pub(super) clock: Clock,
    pub(super) heartbeat: Duration,
}

pub(super) struct Task {
    with: Opening,
    down: mpsc::Sender<Result<Down, Status>>,
    /// The highest number told.
    told: Cursor,
}

/// The stream is over, for the given reason if the agent is to be told one.
struct End(Option<(Reason, &'static str)>);

type Step = Result<(), End>;

impl Task {
    pub(super) fn open(with: Opening, down: mpsc::Sender<Result<Down, Status>>) -> Self {
        Self { with, down, told: Cursor::default() }
    }

    /// Runs the stream to its end. Never fails: what goes wrong is told to the agent.
    pub(super) async fn run(mut self, hello: Hello, up: Streaming<Up>) {
        if let Err(End(Some((reason, why)))) = self.follow(hello, up).await {
            tracing::info!(agent_id = %self.with.agent.id(), reason = reason.as_str_name(), "Feed ended: {why}");
            let goodbye = Goodbye {
                reason: reason.into(),
                retry_after_ms: retry_after(reason),
                message: why.to_owned(),
            };
            let _ = self.send(down::Kind::Goodbye(goodbye)).await;
        }
    }

    async fn follow(&mut self, hello: Hello, mut up: Streaming<Up>) -> Step {
        let (following, twin) = self.with.hub.enter(self.with.agent.id().clone(), hello.instance.clone());
        if twin {
            tracing::warn!(
                agent_id = %self.with.agent.id(),
                "Two processes follow the registry with one agent identity: it may have been copied"
            );
        }
        // First the hub, then the snapshot: what is not in it will be marked.
        let (_, settled) = following.take();
        let mut view = self.welcome(&hello, settled).await?;
        let mut heartbeat = tokio::time::interval(self.with.heartbeat);
        heartbeat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        heartbeat.reset();
        let mut resync = false;
        loop {
            let expires = self.expires_in()?;
            tokio::select! {
                // A wake-up that comes while another arm runs is kept by the Notify.
                () = following.follower.wake.notified() => {
                    let marks = following.take();
                    self.tell(marks, &mut view).await?;
                }
                _ = heartbeat.tick() => {
                    let marks = following.take();
                    self.tell(marks, &mut view).await?;
                    self.beat(&view).await?;
                }
                message = up.next() => match message {
                    Some(Ok(message)) => resync |= self.hear(message, &following)?,
                    // The agent closed its side or is gone.
                    Some(Err(_)) | None => return Err(End(None)),
                },
                () = tokio::time::sleep(expires.min(LOOK)) => {}
            }
            if std::mem::take(&mut resync) {
                tracing::warn!(agent_id = %self.with.agent.id(), "The agent's entries differ from the server's: sending all");
                let (_, settled) = following.take();
                view = self.everything(settled).await?;
            }
        }
    }

    /// Answers Hello: differences if the agent's cursor allows it, else everything.
    async fn welcome(&mut self, hello: &Hello, settled: Cursor) -> Result<View, End> {
        let snapshot = self.with.registry.snapshot();
        let agent = self.agent(&snapshot)?;
        let view = View::full(self.with.trust_domain.clone(), &snapshot, &agent);
        let at = hello.cursor.as_ref().and_then(resume::cursor_of);
        let missed = match at {
            Some(at) => self.missed(&snapshot, &agent, at).await,
            None => None,
        };
        self.send(self.greeting(missed.is_some())).await?;
        match missed {
            Some(missed) => {
                let mut difference = Difference::default();
                let entries = missed.entries.difference(&missed.lost).filter_map(|id| snapshot.entry(id));
                difference.entries = entries.filter(|e| view.holds(&e.id)).cloned().collect();
                difference.deleted_entries = missed.lost.into_iter().collect();
                let (kept, gone): (Vec<_>, Vec<_>) = missed
                    .bundles
                    .into_iter()
                    .filter(|td| view.follows(td))
                    .partition(|td| snapshot.bundle(td).is_some());
                difference.bundles = kept.iter().filter_map(|td| snapshot.bundle(td)).cloned().collect();
                difference.deleted_bundles = gone;
                self.differ(difference, settled).await?;
                self.told = settled;
                self.beat(&view).await?;
            }
            None => self.pages(&view, &snapshot, settled).await?,
        }
        Ok(view)
    }

    /// What happened since `at`, if the log still tells and it can be judged one by one.
    async fn missed(&self, snapshot: &Snapshot, agent: &Agent, at: Cursor) -> Option<Missed> {
        if at == snapshot.cursor() {
            return Some(Missed::default());
        }
        match self.with.registry.after(at, resume::LIMIT).await.ok()? {
            Changes::Next(changes) if changes.len() < resume::LIMIT => {
                resume::missed(snapshot, agent, &changes)
            }
            _ => None,
        }
    }

    /// Sends what changed.
    async fn tell(&mut self, (marks, settled): (Marks, Cursor), view: &mut View) -> Step {
        if let Some(goodbye) = marks.goodbye {
            return Err(End(Some(goodbye)));
        }
        if marks.everything {
            *view = self.everything(settled).await?;
            return Ok(());
        }
        if !marks.is_empty() {
            let snapshot = self.with.registry.snapshot();
            let agent = self.agent(&snapshot)?;
            let difference = view.advance(&snapshot, &agent, &marks.entries, &marks.bundles);
            if !difference.is_empty() {
                self.differ(difference, settled).await?;
            }
        }
        self.told = settled;
        Ok(())
    }

    /// Starts over with a snapshot.
    async fn everything(&mut self, settled: Cursor) -> Result<View, End> {
        let snapshot = self.with.registry.snapshot();
        let agent = self.agent(&snapshot)?;
        let view = View::full(self.with.trust_domain.clone(), &snapshot, &agent);
        self.send(self.greeting(false)).await?;
        self.pages(&view, &snapshot, settled).await?;
        Ok(view)
    }

    fn greeting(&self, resumed: bool) -> down::Kind {
        down::Kind::Welcome(Welcome {
            resumed,
            heartbeat_ms: u32::try_from(self.with.heartbeat.as_millis()).unwrap_or(u32::MAX),
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
            features: Vec::new(),
        })
    }

    async fn pages(&mut self, view: &View, snapshot: &Snapshot, settled: Cursor) -> Step {
        let cursor = Some(resume::wire_cursor(settled));
        let mut page = Page { cursor: cursor.clone(), ..Page::default() };
        let mut size = 0;
        for bundle in view.bundles(snapshot) {
            let bundle = wire_bundle(&bundle, None);
            size += bundle.encoded_len();
            page.bundles.push(bundle);
        }
        for entry in view.entries() {
            let entry = wire_entry(entry, None);
            size += entry.encoded_len();
            page.entries.push(entry);
            if size >= MESSAGE {
                size = 0;
                let full = std::mem::replace(&mut page, Page { cursor: cursor.clone(), ..Page::default() });
                self.send(down::Kind::Page(full)).await?;
            }
        }
        page.last = true;
        self.send(down::Kind::Page(page)).await?;
        self.told = settled;
        Ok(())
    }

    /// Sends a difference, in several messages if it is large. Only the last of them is complete up to `settled`.
    async fn differ(&mut self, difference: Difference, settled: Cursor) -> Step {
        let part = |cursor| Change { cursor: Some(resume::wire_cursor(cursor)), ..Change::default() };
        let mut change = part(settled);
        change.bundles = difference.bundles.iter().map(|b| wire_bundle(b, None)).collect();
        change.deleted_bundles = difference.deleted_bundles.iter().map(|td| td.as_str().to_owned()).collect();
        change.deleted_entries = difference.deleted_entries.iter().map(|id| id.as_str().to_owned()).collect();
        let mut size = 0;
        for entry in &difference.entries {
            let entry = wire_entry(entry, None);
            size += entry.encoded_len();
            change.entries.push(entry);
            if size >= MESSAGE {
                size = 0;
                let mut full = std::mem::replace(&mut change, part(settled));
                full.cursor = Some(resume::wire_cursor(self.told));
                self.send(down::Kind::Change(full)).await?;
            }
        }
        self.send(down::Kind::Change(change)).await
    }

    async fn beat(&self, view: &View) -> Step {
        let heartbeat = Heartbeat {
            cursor: Some(resume::wire_cursor(self.told)),
            digest: view.digest().to_bytes().to_vec(),
        };
        self.send(down::Kind::Heartbeat(heartbeat)).await
    }

    /// Takes a message; true when the agent asks for everything.
    fn hear(&self, message: Up, following: &Following) -> Result<bool, End> {
        match message.kind {
            Some(up::Kind::Ack(ack)) if ack.number > self.told.number => {
                Err(End(Some((Reason::Protocol, "acknowledged more than was sent"))))
            }
            Some(up::Kind::Ack(ack)) => {
                following.acknowledge(ack.number);
                Ok(false)
            }
            Some(up::Kind::Report(report)) => {
                tracing::debug!(
                    agent_id = %self.with.agent.id(),
                    x509_svids = report.x509_svids,
                    lag_ms = report.lag_ms,
                    resyncs = report.resyncs,
                    last_error = report.last_error.get(..200).unwrap_or(&report.last_error),
                    "Agent report"
                );
                Ok(false)
            }
            Some(up::Kind::Resync(_)) => Ok(true),
            Some(up::Kind::Hello(_)) => Err(End(Some((Reason::Protocol, "Hello came twice")))),
            // From a newer agent: not for us.
            None => Ok(false),
        }
    }

    /// The agent's row as it is now; the stream ends with it.
    fn agent(&self, snapshot: &Snapshot) -> Result<Arc<Agent>, End> {
        match snapshot.agent(self.with.agent.id()) {
            None => Err(End(Some((Reason::Evicted, "the agent was evicted: attest anew")))),
            Some(agent) if agent.is_banned() => Err(End(Some((Reason::Banned, "the agent was banned")))),
            Some(agent) => Ok(agent.clone()),
        }
    }

    /// How long the SVID that opened the stream still holds.
    fn expires_in(&self) -> Result<Duration, End> {
        let end: SystemTime = self.with.agent.svid_expires_at();
        end.duration_since(self.with.clock.now())
            .map_err(|_| End(Some((Reason::Expired, "the agent's SVID has expired: renew it and come back"))))
    }

    /// Waits for room in the agent's window, but not for ever: an agent that takes nothing comes back and resumes.
    async fn send(&self, kind: down::Kind) -> Step {
        let sent = tokio::time::timeout(STALL, self.down.send(Ok(Down { kind: Some(kind) }))).await;
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End(None)),
            Err(_) => {
                tracing::warn!(agent_id = %self.with.agent.id(), "The agent took nothing for 30 seconds: its feed is ended");
                Err(End(None))
            }
        }
    }
}

/// When the agent should come back, spread by its own jitter.
fn retry_after(reason: Reason) -> u32 {
    match reason {
        Reason::Banned | Reason::Evicted | Reason::Expired => 0,
        _ => 1000,
    }
}
