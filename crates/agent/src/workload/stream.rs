//! The streams: FetchX509SVID, FetchX509Bundles, FetchJWTBundles.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use http::{Request, Response};
use prost::bytes::Bytes;
use proto::workload::X509svidRequest;
use tokio::time::{Instant, sleep_until};
use tonic::Status;
use tonic::body::Body;

use super::api::{Shared, read};
use super::body;
use super::caller::{Attested, Caller};
use crate::cache::{Subscription, Update};

/// How long the first answer waits for the rest of the identities when some are there.
const REST: Duration = Duration::from_secs(5);
/// How long it waits when none is.
const ANY: Duration = Duration::from_secs(30);
/// How often an idle stream looks whether its process still lives, and still is what it was: what runs it may call it
/// something else by now.
const LOOK: Duration = Duration::from_secs(10);

/// What a stream tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    X509Svid,
    X509Bundles,
    JwtBundles,
}

impl Kind {
    fn method(self) -> &'static str {
        match self {
            Self::X509Svid => "FetchX509SVID",
            Self::X509Bundles => "FetchX509Bundles",
            Self::JwtBundles => "FetchJWTBundles",
        }
    }
}

/// Answers with a stream, or with the reason why there is none.
pub(super) async fn answer(
    shared: Arc<Shared>,
    caller: Caller,
    kind: Kind,
    request: Request<Body>,
) -> Result<Response<Body>, Status> {
    // The three requests are empty alike.
    let _: X509svidRequest = read(request).await?;
    let found = shared.attest(&caller, kind.method()).await?;
    let subscription = shared.cache.subscribe(&found);
    let mut watch = Watch { shared, caller, kind, found, subscription, last: None };
    let first = watch.next().await?;
    let rest = futures_util::stream::unfold(Some(watch), |watch| async move {
        let mut watch = watch?;
        Some(match watch.next().await {
            Ok(message) => (Ok(message), Some(watch)),
            Err(status) => (Err(status), None),
        })
    });
    Ok(body::response(futures_util::stream::iter([Ok(first)]).chain(rest)))
}

struct Watch {
    shared: Arc<Shared>,
    caller: Caller,
    kind: Kind,
    /// What the subscription is for.
    found: Attested,
    subscription: Subscription,
    /// What was sent last.
    last: Option<Bytes>,
}

/// What to do about an update.
enum Verdict {
    Send(Bytes),
    /// Not yet, but at the latest after this long.
    Later(Duration, Result<Bytes, Status>),
    Refuse(Status),
}

impl Watch {
    /// The next message to send.
    async fn next(&mut self) -> Result<Bytes, Status> {
        let mut later: Option<(Instant, Result<Bytes, Status>)> = None;
        loop {
            let until = later.as_ref().map_or_else(|| Instant::now() + LOOK, |(until, _)| *until);
            let update = tokio::select! {
                update = self.subscription.next() => update,
                () = self.shared.stop.cancelled() => return Err(Status::unavailable("the agent is stopping")),
                () = sleep_until(until) => {
                    match later.take() {
                        Some((_, message)) => return self.sent(message?),
                        None => {
                            self.alive()?;
                            self.look().await;
                            continue;
                        }
                    }
                }
            };
            if self.last.is_some() && self.moved().await? {
                continue;
            }
            match self.judge(&update) {
                Verdict::Refuse(status) => return Err(status),
                Verdict::Send(message) if self.last.as_ref() == Some(&message) => {}
                Verdict::Send(message) => return self.sent(message),
                Verdict::Later(patience, message) => {
                    let until = later.map_or_else(|| Instant::now() + patience, |(until, _)| until);
                    later = Some((until, message));
                }
            }
        }
    }

    fn sent(&mut self, message: Bytes) -> Result<Bytes, Status> {
        self.last = Some(message.clone());
        Ok(message)
    }

    fn alive(&self) -> Result<(), Status> {
        self.caller.0.check().map_err(|_| Status::unavailable("the process that opened the stream is gone"))
    }

    /// Looks at the process again while there is nothing to tell. An attestor that fails for now ends no stream.
    async fn look(&mut self) {
        match self.shared.attest(&self.caller, self.kind.method()).await {
            Ok(found) if found.failed.is_empty() && *found != *self.found => {
                self.subscription = self.shared.cache.subscribe(&found);
                self.found = found;
            }
            _ => {}
        }
    }

    /// Looks at the process again before it is told something new. One that became another is entitled to something
    /// else: true when it is.
    async fn moved(&mut self) -> Result<bool, Status> {
        let found = self.shared.attest(&self.caller, self.kind.method()).await?;
        let moved = *found != *self.found;
        if moved {
            self.subscription = self.shared.cache.subscribe(&found);
        }
        self.found = found;
        Ok(moved)
    }

    fn judge(&self, update: &Update) -> Verdict {
        let entitled = update.has_identity();
        let anonymous = self.kind != Kind::X509Svid && self.shared.allow_unauthenticated_verifiers;
        if !entitled && !anonymous {
            return Verdict::Refuse(self.shared.no_identity(&self.caller, self.kind.method(), &self.found));
        }
        match self.kind {
            Kind::X509Svid => self.judge_svids(update),
            _ if update.bundle.is_none() => {
                Verdict::Refuse(Status::unavailable("could not serialize response: bundle not available"))
            }
            Kind::X509Bundles => Verdict::Send(update.x509_bundles()),
            Kind::JwtBundles => Verdict::Send(update.jwt_bundles()),
        }
    }

    fn judge_svids(&self, update: &Update) -> Verdict {
        match (update.identities.is_empty(), update.waiting) {
            (true, true) => {
                let status =
                    Status::unavailable("the server has not issued the SVID yet; it may be out of reach");
                Verdict::Later(ANY, Err(status))
            }
            (true, false) => Verdict::Refuse(Status::unavailable(
                "the server refuses to issue the SVID; the agent's log says why",
            )),
            // The first answer is to have all of them.
            (false, true) if self.last.is_none() => Verdict::Later(REST, Ok(update.x509())),
            (false, _) => Verdict::Send(update.x509()),
        }
    }
}
