//! FetchWITSVID: a stream of tokens with their keys, each replaced in good time (Workload API §7.2.1).

use std::sync::Arc;
use std::time::SystemTime;

use futures_util::StreamExt as _;
use http::{Request, Response};
use prost::bytes::Bytes;
use proto::workload::WitsvidRequest;
use spiffe::SpiffeId;
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;

use super::api::{Shared, read};
use super::body;
use super::caller::Caller;
use super::hold::{Hold, LOOK, Woke};
use super::method::Method;
use crate::cache::{Entry, wit_svids};
use crate::issue::{WitFault, WitHeld};

/// How many tokens of one stream are asked for at once.
const AT_ONCE: usize = 8;

/// Answers with a stream, or with the reason why there is none.
pub(super) async fn answer(
    shared: Arc<Shared>,
    caller: Caller,
    request: Request<Body>,
) -> Result<Response<Body>, Status> {
    let asked: WitsvidRequest = read(request).await?;
    let only = match asked.spiffe_id.as_str() {
        "" => None,
        id => Some(
            SpiffeId::parse(id)
                .map_err(|error| Status::invalid_argument(format!("invalid requested SPIFFE ID: {error}")))?,
        ),
    };
    let hold = Hold::take(shared, caller, Method::WitSvid).await?;
    let mut watch = Watch { hold, only, last: None, look_at: Instant::now() };
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
    /// The one identity that was asked for.
    only: Option<SpiffeId>,
    /// What was sent last.
    last: Option<Bytes>,
    /// When one of the tokens is to be replaced.
    look_at: Instant,
}

impl Watch {
    /// The next message to send: always all tokens (Workload API §4.3).
    async fn next(&mut self) -> Result<Bytes, Status> {
        loop {
            if self.last.is_some() {
                let woke = self.hold.wait(self.look_at.min(Instant::now() + LOOK)).await?;
                match woke {
                    Woke::Update(_) if self.hold.moved().await? => continue,
                    Woke::Update(_) => {}
                    Woke::Time => {
                        self.hold.alive()?;
                        self.hold.look().await;
                        if Instant::now() < self.look_at {
                            continue;
                        }
                    }
                }
            }
            let message = self.message().await?;
            if self.last.as_ref() != Some(&message) {
                self.last = Some(message.clone());
                return Ok(message);
            }
        }
    }

    async fn message(&mut self) -> Result<Bytes, Status> {
        let svids = self.tokens().await?;
        let clock = &self.hold.shared.clock;
        let issuer = &self.hold.shared.wit;
        let due = svids.iter().map(|(_, held)| issuer.look_again_at(held)).min();
        let due: SystemTime = due.unwrap_or_else(|| clock.now() + LOOK);
        self.look_at = self.hold.timer(due);
        Ok(wit_svids(svids.iter().map(|(entry, held)| {
            [entry.spiffe_id.as_str(), held.token.as_str(), held.jwk.as_str(), entry.hint.as_str()]
        })))
    }

    async fn tokens(&self) -> Result<Vec<(Arc<Entry>, Arc<WitHeld>)>, Status> {
        let entries = self.hold.shared.cache.matching(&self.hold.found);
        let wanted = |entry: &Arc<Entry>| self.only.as_ref().is_none_or(|id| *id == entry.spiffe_id);
        let entries: Vec<Arc<Entry>> = entries.into_iter().filter(wanted).collect();
        if entries.is_empty() {
            return Err(self.hold.nobody());
        }
        let issuer = &self.hold.shared.wit;
        let tokens = entries.into_iter().map(|entry| async move {
            let held = issuer.get(&entry).await;
            (entry, held)
        });
        let got: Vec<_> = futures_util::stream::iter(tokens).buffered(AT_ONCE).collect().await;
        got.into_iter()
            .map(|(entry, held)| match held {
                Ok(held) => Ok((entry, held)),
                Err(fault) => Err(self.refused(&entry, &fault)),
            })
            .collect()
    }

    fn refused(&self, entry: &Entry, fault: &WitFault) -> Status {
        tracing::error!(subsystem_name = "endpoints", service = "WorkloadAPI", method = self.hold.method.name(), pid = self.hold.caller.pid(), spiffe_id = entry.spiffe_id.as_str(), error = %fault, "Could not fetch WIT-SVID");
        match fault {
            WitFault::Unsupported => Status::unimplemented(fault.to_string()),
            _ => Status::unavailable(format!("could not fetch WIT-SVID: {fault}")),
        }
    }
}
