//! Has the server issue the SVIDs that the cache asks for.

mod batch;
mod jwt;
mod wit;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use kit::clock::Clock;
use spiffe::key::KeyType;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::cache::{Asked, Cache, Urgency};
use crate::link::Link;
use crate::node::Troubles;

pub(crate) use jwt::JwtIssuer;
pub(crate) use wit::{WitFault, WitHeld, WitIssuer};

/// The most SVIDs of one request (SPIRE 1.16).
const BATCH: usize = 500;
/// How many requests run at once for workloads that wait, and for those that do not.
const URGENT: usize = 4;
const ROUTINE: usize = 1;
/// The clock is looked at this often at least.
const LOOK: Duration = Duration::from_secs(5);
/// Waits after failures; a sync that succeeds ends them.
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// Has the server issue X.509-SVIDs.
pub(crate) struct Issuer {
    pub(crate) cache: Arc<Cache>,
    pub(crate) link: Arc<Link>,
    pub(crate) troubles: Troubles,
    pub(crate) clock: Clock,
    pub(crate) key_type: KeyType,
    /// The server was heard.
    pub(crate) heard: Arc<Notify>,
}

/// How a request ended.
struct Outcome {
    urgency: Urgency,
    answered: bool,
}

impl Issuer {
    /// Runs until it is dropped.
    pub(crate) async fn run(self) {
        let mut running = JoinSet::new();
        let (mut urgent, mut routine) = (0, 0);
        let mut limit = BATCH;
        let mut backoff = Backoff::new(RETRY.0, RETRY.1);
        let mut not_before = Instant::now();
        loop {
            if Instant::now() >= not_before {
                urgent += self.begin(&mut running, Urgency::Urgent, limit, URGENT - urgent);
                routine += self.begin(&mut running, Urgency::Routine, limit, ROUTINE - routine);
            }
            let now = Instant::now();
            let wake = if not_before > now { not_before } else { now + self.until_due() };
            tokio::select! {
                // Notifications are kept while another arm runs.
                () = self.cache.work() => {}
                () = self.heard.notified() => not_before = Instant::now(),
                () = tokio::time::sleep_until(wake) => {}
                Some(ended) = running.join_next() => {
                    let Ok(Outcome { urgency, answered }) = ended else { continue };
                    match urgency {
                        Urgency::Urgent => urgent -= 1,
                        Urgency::Routine => routine -= 1,
                    }
                    if answered {
                        limit = (limit * 2).min(BATCH);
                        backoff.reset();
                    } else {
                        limit = (limit / 2).max(1);
                        not_before = Instant::now() + backoff.step();
                    }
                }
            }
        }
    }

    fn until_due(&self) -> Duration {
        let now: SystemTime = self.clock.now();
        self.cache.next_due().and_then(|due| due.duration_since(now).ok()).unwrap_or(LOOK).min(LOOK)
    }

    /// Begins up to `room` requests, and says how many.
    fn begin(&self, running: &mut JoinSet<Outcome>, urgency: Urgency, limit: usize, room: usize) -> usize {
        let mut begun = 0;
        while begun < room {
            let asked = self.cache.take(urgency, limit, self.clock.now());
            if asked.is_empty() {
                break;
            }
            running.spawn(self.request(asked, urgency));
            begun += 1;
        }
        begun
    }

    fn request(&self, asked: Vec<Asked>, urgency: Urgency) -> impl Future<Output = Outcome> + Send + 'static {
        let request = batch::Request {
            cache: self.cache.clone(),
            link: self.link.clone(),
            troubles: self.troubles.clone(),
            clock: self.clock.clone(),
            key_type: self.key_type,
            asked,
        };
        async move { Outcome { urgency, answered: request.run().await } }
    }
}
