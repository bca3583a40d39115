//! What every stream holds on to: who opened it, and what that process is entitled to.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep_until};
use tonic::Status;

use super::api::Shared;
use super::caller::{Attested, Caller};
use super::method::Method;
use crate::cache::{Subscription, Update};

/// How often an idle stream looks whether its process still lives, and still is what it was: what runs it may call it
/// something else by now.
pub(super) const LOOK: Duration = Duration::from_secs(10);

/// The process that opened a stream, and what it may have.
pub(super) struct Hold {
    pub(super) shared: Arc<Shared>,
    pub(super) caller: Caller,
    pub(super) method: Method,
    /// What the subscription is for.
    pub(super) found: Attested,
    pub(super) subscription: Subscription,
}

/// What a stream waited for.
pub(super) enum Woke {
    Update(Arc<Update>),
    Time,
}

impl Hold {
    /// Lets a process in, or says why not.
    pub(super) async fn take(shared: Arc<Shared>, caller: Caller, method: Method) -> Result<Self, Status> {
        let found = shared.admit(&caller, method).await?;
        let subscription = shared.cache.subscribe(&found);
        Ok(Self { shared, caller, method, found, subscription })
    }

    /// The next change of what the process may have, or that this time has come.
    pub(super) async fn wait(&mut self, until: Instant) -> Result<Woke, Status> {
        tokio::select! {
            update = self.subscription.next() => Ok(Woke::Update(update)),
            () = self.shared.stop.cancelled() => Err(Status::unavailable("the agent is stopping")),
            () = sleep_until(until) => Ok(Woke::Time),
        }
    }

    /// Ends a stream whose process is gone.
    pub(super) fn alive(&self) -> Result<(), Status> {
        self.caller.0.check().map_err(|_| Status::unavailable("the process that opened the stream is gone"))
    }

    /// Looks at the process again while there is nothing to tell. An attestor that fails for now ends no stream.
    pub(super) async fn look(&mut self) {
        match self.shared.attest(&self.caller, self.method).await {
            Ok(found) if found.failed.is_empty() && *found != *self.found => {
                self.subscription = self.shared.cache.subscribe(&found);
                self.found = found;
            }
            _ => {}
        }
    }

    /// Looks at the process again before it is told something new. One that became another is entitled to something
    /// else: true when it is.
    pub(super) async fn moved(&mut self) -> Result<bool, Status> {
        let found = self.shared.attest(&self.caller, self.method).await?;
        let moved = *found != *self.found;
        if moved {
            self.subscription = self.shared.cache.subscribe(&found);
        }
        self.found = found;
        Ok(moved)
    }

    /// Says that the process has no identity, and what to answer.
    pub(super) fn nobody(&self) -> Status {
        self.shared.no_identity(&self.caller, self.method, &self.found)
    }

    /// The moment on the timer's clock that is this one on the wall's; no later than a look from now.
    pub(super) fn timer(&self, at: SystemTime) -> Instant {
        let left = at.duration_since(self.shared.clock.now()).unwrap_or_default();
        Instant::now() + left.min(LOOK)
    }
}
