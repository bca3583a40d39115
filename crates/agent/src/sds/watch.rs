//! What a caller of SDS is entitled to, as it changes, and how long an answer may be put off.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tonic::{Code, Status};

use super::api::path;
use super::fetch;
use super::verdict::Patience;
use crate::cache::{Subscription, Update};
use crate::workload::{Attested, Caller, Shared, refusal};

/// How often an idle stream looks whether its process still lives.
const LOOK: Duration = Duration::from_secs(30);

/// What a caller of SDS is entitled to.
pub(super) struct Watch {
    pub(super) shared: Arc<Shared>,
    pub(super) caller: Caller,
    method: &'static str,
    /// What the subscription is for.
    found: Attested,
    subscription: Subscription,
    /// What was heard last.
    update: Option<Arc<Update>>,
    patience: Patience,
    until: Option<Instant>,
}

impl Watch {
    /// Attests the caller and follows what it is entitled to.
    pub(super) async fn open(
        shared: Arc<Shared>,
        caller: Caller,
        method: &'static str,
    ) -> Result<Self, Status> {
        let found = attest(&shared, &caller, method).await?;
        shared.admit_to_secrets(&caller, &found, path(method), method != fetch::METHOD)?;
        let subscription = shared.cache.subscribe(&found);
        Ok(Self {
            shared,
            caller,
            method,
            found,
            subscription,
            update: None,
            patience: Patience::First,
            until: None,
        })
    }

    /// Waits until there is something to judge anew. May be dropped at any time.
    pub(super) async fn heard(&mut self) -> Result<(), Status> {
        loop {
            let until = self.until.unwrap_or_else(|| Instant::now() + LOOK);
            tokio::select! {
                update = self.subscription.next() => {
                    self.update = Some(update);
                    return Ok(());
                }
                () = self.shared.stop.cancelled() => return Err(Status::unavailable("the agent is stopping")),
                () = sleep_until(until) => match self.until.take() {
                    Some(_) => {
                        self.patience = Patience::Over;
                        return Ok(());
                    }
                    None => {
                        self.alive()?;
                        self.look().await;
                    }
                }
            }
        }
    }

    /// What is known, if anything is.
    pub(super) fn update(&self) -> Option<Arc<Update>> {
        self.update.clone()
    }

    pub(super) fn patience(&self) -> Patience {
        self.patience
    }

    /// Something else is asked for: its first answer is to be whole again.
    pub(super) fn asked(&mut self) {
        self.patience = Patience::First;
        self.until = None;
    }

    /// Waits no longer than this.
    pub(super) fn put_off(&mut self, at_most: Duration) {
        let end = Instant::now() + at_most;
        self.until = Some(self.until.map_or(end, |until| until.min(end)));
    }

    pub(super) fn answered(&mut self) {
        self.patience = Patience::Later;
        self.until = None;
    }

    fn alive(&self) -> Result<(), Status> {
        self.caller.0.check().map_err(|_| Status::unavailable("the process that opened the stream is gone"))
    }

    /// Looks at the process again while there is nothing to tell. An attestor that fails for now ends no stream.
    async fn look(&mut self) {
        match attest(&self.shared, &self.caller, self.method).await {
            Ok(found) if found.failed.is_empty() => {
                self.follow(found);
            }
            _ => {}
        }
    }

    /// Follows what is known of the process now; true when that is something else.
    fn follow(&mut self, found: Attested) -> bool {
        let moved = *found != *self.found;
        if moved {
            self.subscription = self.shared.cache.subscribe(&found);
            self.update = None;
        }
        self.found = found;
        moved
    }

    /// Looks at the process again before it is told something new. One that became another is entitled to something
    /// else: true when it is.
    pub(super) async fn moved(&mut self) -> Result<bool, Status> {
        let found = attest(&self.shared, &self.caller, self.method).await?;
        Ok(self.follow(found))
    }
}

async fn attest(shared: &Shared, caller: &Caller, method: &'static str) -> Result<Attested, Status> {
    shared.attestation.attest(caller).await.map_err(|error| {
        tracing::error!(subsystem_name = "endpoints", service = "SDS.v3", method, pid = caller.pid(), error = %error, "Failed to attest the workload");
        refusal(Code::Unavailable, "workload attestation failed", &error.failed)
    })
}
