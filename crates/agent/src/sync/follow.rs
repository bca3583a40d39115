//! Follows the server through everything that happens to the connection.

use std::sync::Arc;
use std::time::Duration;

use proto::bonafide::feed::v1::goodbye::Reason;
use proto::bonafide::feed::v1::{Goodbye, Hello, Report};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};
use tonic::{Code, Status};
use tracing::Instrument as _;

use super::feed::Feed;
use super::intake::{Intake, Step};
use super::poll;
use crate::backoff::Backoff;
use crate::cache::{Cache, Holdings};
use crate::link::{Link, explain};
use crate::metrics::{FEED_NUMBER, FEED_RESYNCS, SYNC_ENTRIES};
use crate::node::{Refusal, Trouble, Troubles};

/// Waits between attempts to reach a server that speaks the feed.
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// The longest wait between turns of SPIRE's protocol, and as a multiple of the interval (SPIRE 1.16).
const POLL_MAX: (Duration, u32) = (Duration::from_secs(480), 48);
/// While nothing is cached, turns are at most this far apart (SPIRE 1.16).
const EMPTY: Duration = Duration::from_secs(5);
/// How often it is looked whether there is something to report, and how often a report is sent anyway.
const LOOK: Duration = Duration::from_secs(10);
const REPORT: Duration = Duration::from_secs(600);
/// How long the keeper gets to renew the SVID before the stream is tried again.
const RENEWAL: Duration = Duration::from_secs(5);
/// How long a new stream may take while the old one waits.
const HANDOVER: Duration = Duration::from_secs(10);

/// Follows the server.
pub(crate) struct Follower {
    pub(crate) cache: Arc<Cache>,
    pub(crate) link: Arc<Link>,
    pub(crate) troubles: Troubles,
    /// Sixteen random bytes for this process.
    pub(crate) instance: [u8; 16],
    pub(crate) version: String,
    /// See [`crate::Settings::sync_interval`].
    pub(crate) interval: Duration,
    /// Told when the server was heard.
    pub(crate) heard: Arc<Notify>,
    /// Becomes true with the first sync.
    pub(crate) synced: watch::Sender<bool>,
}

/// Why a stream is over.
enum End {
    /// The server has no feed.
    NotSpoken,
    /// It broke.
    Lost(Status),
    /// The server said so.
    Told(Goodbye),
}

/// What has been going on, for reports.
#[derive(Default)]
struct Record {
    resyncs: u64,
    lag: Duration,
    last_error: String,
    reported: Option<(Holdings, Instant)>,
}

impl Follower {
    /// Runs until it is dropped.
    pub(crate) async fn run(self) {
        let mut intake = Intake::default();
        let mut record = Record::default();
        let mut backoff = Backoff::new(RETRY.0, RETRY.1);
        loop {
            let end = match self.open(&intake).await {
                Ok(feed) => {
                    backoff.reset();
                    self.read(feed, &mut intake, &mut record).await
                }
                Err(status) if status.code() == Code::Unimplemented => End::NotSpoken,
                Err(status) => End::Lost(status),
            };
            intake.restart();
            if matches!(end, End::NotSpoken) {
                intake.forget();
            }
            self.settle(end, &mut record, &mut backoff).await;
        }
    }

    async fn open(&self, intake: &Intake) -> Result<Feed, Status> {
        let hello = Hello {
            instance: self.instance.to_vec(),
            agent_version: self.version.clone(),
            cursor: intake.cursor(),
            digest: self.cache.digest().to_bytes().to_vec(),
            features: Vec::new(),
        };
        let connection = self.link.number();
        Feed::open(&self.link, hello).await.inspect_err(|status| self.note(connection, status))
    }

    fn note(&self, connection: u64, status: &Status) {
        self.link.note(status);
        self.troubles.note(connection, status);
    }

    /// Does what is to be done between streams.
    async fn settle(&self, end: End, record: &mut Record, backoff: &mut Backoff) {
        match end {
            End::NotSpoken => self.poll().await,
            End::Lost(status) => {
                record.last_error = explain(&status);
                tracing::error!(subsystem_name = "manager", error = record.last_error, "Synchronize failed");
                self.pause(backoff.step()).await;
            }
            End::Told(goodbye) => self.part(&goodbye, backoff).await,
        }
    }

    /// Waits, but not longer than until there is a new connection.
    async fn pause(&self, wait: Duration) {
        let mut renewals = self.link.renewals();
        let _ = timeout(wait, renewals.changed()).await;
    }

    async fn part(&self, goodbye: &Goodbye, backoff: &mut Backoff) {
        let reason = goodbye.reason();
        tracing::info!(
            subsystem_name = "manager",
            reason = reason.as_str_name(),
            "The server ended the feed: {}",
            goodbye.message
        );
        let connection = self.link.number();
        let asked = Duration::from_millis(goodbye.retry_after_ms.into());
        match reason {
            Reason::Banned => {
                self.troubles.report(connection, Trouble::Refused(Refusal::Banned, goodbye.message.clone()));
                self.pause(RENEWAL).await;
            }
            Reason::Evicted => {
                self.troubles
                    .report(connection, Trouble::Refused(Refusal::Reattest, goodbye.message.clone()));
                self.pause(RENEWAL).await;
            }
            Reason::Expired => {
                self.troubles.report(connection, Trouble::Renew);
                self.pause(RENEWAL).await;
            }
            Reason::Drained => {
                // The old connection leads to the server that stops.
                sleep(asked).await;
                self.link.renew();
            }
            Reason::Unspecified | Reason::Superseded | Reason::Protocol | Reason::Busy => {
                sleep(asked.max(backoff.step())).await;
            }
        }
    }

    /// Reads a stream to its end. When the SVID was renewed, the next stream is opened before this one is let go.
    async fn read(&self, mut feed: Feed, intake: &mut Intake, record: &mut Record) -> End {
        let mut renewals = self.link.renewals();
        let mut handover = Backoff::new(RETRY.0, RETRY.1);
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // Renewed between the opening and now: the connection's number tells.
        let mut behind = (feed.connection < self.link.number()).then(Instant::now);
        loop {
            tokio::select! {
                message = feed.next() => {
                    let message = match message {
                        Ok(message) => message,
                        Err(status) => return self.lost(&feed, status),
                    };
                    let began = Instant::now();
                    let step = match intake.take(message) {
                        Ok(step) => step,
                        Err(broken) => return End::Lost(Status::internal(broken.to_string())),
                    };
                    if let Some(end) = self.act(step, &feed, record) {
                        return end;
                    }
                    record.lag = began.elapsed();
                }
                // A change that comes while another arm runs is seen at the next turn.
                Ok(()) = renewals.changed() => behind = Some(Instant::now()),
                () = tokio::time::sleep_until(behind.unwrap_or_else(Instant::now)), if behind.is_some() => {
                    // Meanwhile the old stream is not read, so that the new one begins where it stands.
                    match timeout(HANDOVER, self.open(intake)).await {
                        Ok(Ok(next)) => {
                            intake.restart();
                            feed = next;
                            behind = None;
                            record.reported = None;
                            handover.reset();
                        }
                        Ok(Err(status)) if status.code() == Code::Unimplemented => return End::NotSpoken,
                        _ => behind = Some(Instant::now() + handover.step()),
                    }
                }
                _ = look.tick() => self.report(&feed, record),
            }
        }
    }

    fn lost(&self, feed: &Feed, status: Status) -> End {
        self.note(feed.connection, &status);
        match status.code() {
            Code::Unimplemented => End::NotSpoken,
            _ => End::Lost(status),
        }
    }

    fn act(&self, step: Step, feed: &Feed, record: &mut Record) -> Option<End> {
        match step {
            Step::Wait => {}
            Step::Replace { entries, bundles, number } => {
                let call = SYNC_ENTRIES.start(&[]);
                let _span = kit::traced!("sync", whole = true, entries = entries.len(), number).entered();
                self.cache.replace(entries, crate::wire::bundles(&bundles));
                self.applied(feed, number);
                call.done(Code::Ok);
            }
            Step::Apply { difference, number } => {
                let call = SYNC_ENTRIES.start(&[]);
                let _span =
                    kit::traced!("sync", whole = false, entries = difference.entries.len(), number).entered();
                self.cache.apply(difference);
                self.applied(feed, number);
                call.done(Code::Ok);
            }
            Step::Beat { number, digest } => {
                let own = self.cache.digest();
                if digest.is_empty() || own.matches(&digest) {
                    self.applied(feed, number);
                } else {
                    record.resyncs += 1;
                    FEED_RESYNCS.add(1, &[]);
                    tracing::error!(
                        subsystem_name = "manager",
                        number,
                        "The entries are not those of the server; asking for all of them"
                    );
                    feed.resync(number, own.to_bytes());
                }
            }
            Step::End(goodbye) => return Some(End::Told(goodbye)),
        }
        None
    }

    fn applied(&self, feed: &Feed, number: u64) {
        feed.ack(number);
        #[allow(
            clippy::cast_precision_loss,
            reason = "a gauge is a float; 2^53 changes are more than there are"
        )]
        FEED_NUMBER.set(number as f64, &[]);
        self.done();
    }

    /// A sync succeeded.
    fn done(&self) {
        self.heard.notify_one();
        self.synced.send_if_modified(|synced| !std::mem::replace(synced, true));
    }

    fn report(&self, feed: &Feed, record: &mut Record) {
        let holdings = self.cache.holdings();
        let told = record.reported.as_ref();
        if told.is_some_and(|(before, when)| *before == holdings && when.elapsed() < REPORT) {
            return;
        }
        feed.report(Report {
            x509_authorities: holdings.x509_authorities.clone(),
            jwt_authorities: holdings.jwt_authorities.clone(),
            x509_svids: count(holdings.x509_svids),
            jwt_svids: count(holdings.jwt_svids),
            lag_ms: u64::try_from(record.lag.as_millis()).unwrap_or(u64::MAX),
            last_error: std::mem::take(&mut record.last_error),
            resyncs: record.resyncs,
        });
        record.reported = Some((holdings, Instant::now()));
    }

    /// Asks in turns, for as long as the connection holds.
    async fn poll(&self) {
        tracing::info!(
            subsystem_name = "manager",
            "The server has no feed: asking it for changes, as SPIRE's protocol does"
        );
        let mut backoff = Backoff::new(self.interval, POLL_MAX.0.min(self.interval * POLL_MAX.1));
        let mut renewals = self.link.renewals();
        loop {
            let connection = self.link.number();
            let call = SYNC_ENTRIES.start(&[]);
            let turn = poll::turn(self.link.channel(), &self.cache).instrument(kit::traced!("sync")).await;
            call.with(&turn, Status::code);
            if let Err(status) = turn {
                self.note(connection, &status);
                tracing::error!(subsystem_name = "manager", error = explain(&status), "Synchronize failed");
                self.pause(backoff.step()).await;
                if status.code() == Code::Unavailable {
                    return;
                }
                continue;
            }
            self.done();
            backoff.reset();
            let wait = backoff.step();
            let wait = if self.cache.x509_svids() == 0 { wait.min(EMPTY) } else { wait };
            tokio::select! {
                () = sleep(wait) => {}
                // A new connection may lead to another server.
                _ = renewals.changed() => return,
            }
        }
    }
}

fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}
