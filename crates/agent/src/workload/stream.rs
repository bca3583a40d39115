//! The streams that follow what the cache has: FetchX509SVID, FetchX509Bundles, FetchJWTBundles, FetchWITBundles.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use http::{Request, Response};
use prost::bytes::Bytes;
use proto::workload::X509svidRequest;
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;

use super::api::{Shared, read};
use super::body;
use super::caller::Caller;
use super::hold::{Hold, LOOK, Woke};
use super::method::Method;
use crate::cache::Update;

/// How long the first answer waits for the rest of the identities when some are there.
const REST: Duration = Duration::from_secs(5);
/// How long it waits when none is.
const ANY: Duration = Duration::from_secs(30);

/// Answers with a stream, or with the reason why there is none.
pub(super) async fn answer(
    shared: Arc<Shared>,
    caller: Caller,
    method: Method,
    request: Request<Body>,
) -> Result<Response<Body>, Status> {
    // The requests are empty alike.
    let _: X509svidRequest = read(request).await?;
    let mut watch = Watch { hold: Hold::take(shared, caller, method).await?, last: None };
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
    hold: Hold,
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
            let update = match self.hold.wait(until).await? {
                Woke::Update(update) => update,
                Woke::Time => match later.take() {
                    Some((_, message)) => return self.sent(message?),
                    None => {
                        self.hold.alive()?;
                        self.hold.look().await;
                        continue;
                    }
                },
            };
            if self.last.is_some() && self.hold.moved().await? {
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

    fn judge(&self, update: &Update) -> Verdict {
        let entitled = update.has_identity();
        let method = self.hold.method;
        let anonymous = method != Method::X509Svid && self.hold.shared.allow_unauthenticated_verifiers;
        if !entitled && !anonymous {
            return Verdict::Refuse(self.hold.nobody());
        }
        match method {
            Method::X509Svid => self.judge_svids(update),
            _ if update.bundle.is_none() => {
                Verdict::Refuse(Status::unavailable("could not serialize response: bundle not available"))
            }
            Method::X509Bundles => Verdict::Send(update.x509_bundles()),
            Method::WitBundles => Verdict::Send(update.wit_bundles()),
            _ => Verdict::Send(update.jwt_bundles()),
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
