//! DeltaSecrets: only what became different. SPIRE does not offer it, so each name stands by itself, and one that leads to
//! nothing is said to be removed, and sent as soon as it leads to something.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::{Request, Response};
use prost::bytes::Bytes;
use proto::envoy::service::discovery::v3::DeltaDiscoveryRequest;
use tonic::body::Body;
use tonic::codec::{Codec as _, Streaming};
use tonic::{Code, Status};
use tonic_prost::ProstCodec;

use super::SdsNames;
use super::asked::{MAX_NAMES, listed, names, short, within};
use super::choice::Choice;
use super::encode;
use super::node::Form;
use super::select::Selection;
use super::stream::nonce;
use super::verdict::{Patience, REST};
use super::watch::Watch;
use crate::cache::Update;
use crate::workload::{Caller, MAX_REQUEST, Shared, body};

const METHOD: &str = "DeltaSecrets";
/// The name that stands for everything.
const EVERYTHING: &str = "*";

/// Answers with a stream, or with the reason why there is none.
pub(super) async fn answer(
    shared: Arc<Shared>,
    names: Arc<SdsNames>,
    caller: Caller,
    request: Request<Body>,
) -> Result<Response<Body>, Status> {
    let decoder = ProstCodec::<(), DeltaDiscoveryRequest>::default().decoder();
    let requests = Streaming::new_request(decoder, request.into_body(), None, Some(MAX_REQUEST));
    let watch = Watch::open(shared, caller, METHOD).await?;
    let form = Form::of(None, &names);
    let follow = Follow { names, requests, watch, form, tracked: None, sent: None, version: 0 };
    let messages = futures_util::stream::unfold(Some(follow), |follow| async move {
        let mut follow = follow?;
        match follow.next().await {
            Ok(Some(message)) => Some((Ok(message), Some(follow))),
            Ok(None) => None,
            Err(status) => Some((Err(status), None)),
        }
    });
    Ok(body::response(messages))
}

struct Follow {
    names: Arc<SdsNames>,
    requests: Streaming<DeltaDiscoveryRequest>,
    watch: Watch,
    form: Form,
    /// None before the first request.
    tracked: Option<Tracked>,
    /// The nonce of the last answer.
    sent: Option<String>,
    version: u64,
}

/// What a stream follows, and what its client knows of it.
#[derive(Debug, Default)]
pub(super) struct Tracked {
    type_url: String,
    everything: bool,
    names: BTreeSet<String>,
    /// By name: what the client holds.
    known: BTreeMap<String, Known>,
}

/// What a client knows of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    /// It holds this version.
    Version(String),
    /// It was told that there is nothing.
    Nothing,
}

/// What became different.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) changed: Vec<(Choice, String)>,
    pub(super) removed: Vec<String>,
}

impl Tracked {
    /// What the first request of a stream begins.
    pub(super) fn begin(request: &DeltaDiscoveryRequest) -> Result<Self, Status> {
        if request.initial_resource_versions.len() > MAX_NAMES {
            return Err(Status::resource_exhausted(format!(
                "{} resources are said to be held; at most {MAX_NAMES} are followed in a stream",
                request.initial_resource_versions.len()
            )));
        }
        let mut tracked = Self {
            type_url: short(&request.type_url),
            everything: request.resource_names_subscribe.is_empty(),
            ..Self::default()
        };
        tracked.change(request)?;
        for (name, version) in &request.initial_resource_versions {
            if tracked.everything || tracked.names.contains(name) {
                tracked.known.insert(short_name(name)?, Known::Version(short(version)));
            }
        }
        Ok(tracked)
    }

    /// Follows other names. True when there are new ones, each of which is to be answered.
    pub(super) fn change(&mut self, request: &DeltaDiscoveryRequest) -> Result<bool, Status> {
        let mut more = names(request.resource_names_subscribe.clone())?;
        let less = names(request.resource_names_unsubscribe.clone())?;
        let any = !more.is_empty();
        self.everything = more.remove(EVERYTHING) || (self.everything && !less.contains(EVERYTHING));
        for name in &more {
            self.known.remove(name);
        }
        self.names.append(&mut more);
        for name in &less {
            self.names.remove(name);
            self.known.remove(name);
        }
        within(&self.names)?;
        Ok(any)
    }

    /// What the client does not know yet; that is taken to be known from now on.
    pub(super) fn changes(&mut self, selection: &Selection<'_>) -> Result<Changes, super::select::Refusal> {
        let mut now: BTreeMap<String, Choice> = BTreeMap::new();
        if self.everything {
            now.extend(selection.everything().into_iter().map(|choice| (choice.name.clone(), choice)));
        }
        for name in &self.names {
            if let Some(choice) = selection.one(name)? {
                now.insert(name.clone(), choice);
            }
        }
        let mut changes = Changes::default();
        self.gone(&now, selection.update, &mut changes.removed);
        for (name, choice) in now {
            let version = choice.version();
            let known = Known::Version(version.clone());
            if self.known.get(&name) != Some(&known) {
                self.known.insert(name, known);
                changes.changed.push((choice, version));
            }
        }
        Ok(changes)
    }

    /// Names that lead to nothing any more, and names that never did, unless that may yet come.
    fn gone(&mut self, now: &BTreeMap<String, Choice>, update: &Update, removed: &mut Vec<String>) {
        let held: Vec<String> = self.known.keys().filter(|name| !now.contains_key(*name)).cloned().collect();
        let new: Vec<String> = self.names.iter().filter(|name| !now.contains_key(*name)).cloned().collect();
        for name in held.into_iter().chain(new) {
            let named = self.names.contains(&name);
            let known = self.known.get(&name);
            if known == Some(&Known::Nothing) || (named && update.waiting) {
                continue;
            }
            match named {
                true => self.known.insert(name.clone(), Known::Nothing),
                false => self.known.remove(&name),
            };
            removed.push(name);
        }
    }
}

fn short_name(name: &str) -> Result<String, Status> {
    names(vec![name.to_owned()])?;
    Ok(name.to_owned())
}

impl Follow {
    /// The next message to send; none when the client has closed the stream.
    async fn next(&mut self) -> Result<Option<Bytes>, Status> {
        loop {
            tokio::select! {
                request = self.requests.message() => match request {
                    Ok(Some(request)) => self.take(request)?,
                    Ok(None) => return Ok(None),
                    Err(status) if status.code() == Code::Cancelled => return Ok(None),
                    Err(status) => {
                        tracing::error!(subsystem_name = "endpoints", service = "SDS.v3", method = METHOD, pid = self.watch.caller.pid(), error = %status.message(), "Received error from stream secrets server");
                        return Err(status);
                    }
                },
                heard = self.watch.heard() => heard?,
            }
            if let Some(message) = self.respond().await? {
                return Ok(Some(message));
            }
        }
    }

    fn take(&mut self, request: DeltaDiscoveryRequest) -> Result<(), Status> {
        let pid = self.watch.caller.pid();
        let nonce = short(&request.response_nonce);
        tracing::debug!(
            subsystem_name = "endpoints",
            service = "SDS.v3",
            method = METHOD,
            pid,
            subscribe = request.resource_names_subscribe.len(),
            unsubscribe = request.resource_names_unsubscribe.len(),
            nonce,
            "Received DeltaSecrets request"
        );
        if let Some(error) = &request.error_detail {
            tracing::error!(
                subsystem_name = "endpoints",
                service = "SDS.v3",
                method = METHOD,
                pid,
                nonce,
                error = short(&error.message),
                "Envoy reported errors applying secrets"
            );
        }
        if let Some(node) = &request.node {
            self.form = Form::of(Some(node), &self.names);
        }
        match &mut self.tracked {
            Some(tracked) => {
                if tracked.change(&request)? {
                    self.watch.asked();
                }
            }
            None => self.tracked = Some(Tracked::begin(&request)?),
        }
        Ok(())
    }

    async fn respond(&mut self) -> Result<Option<Bytes>, Status> {
        let (Some(_), Some(update)) = (&self.tracked, self.watch.update()) else { return Ok(None) };
        if update.waiting && self.watch.patience() == Patience::First {
            self.watch.put_off(REST);
            return Ok(None);
        }
        if self.sent.is_some() && self.watch.moved().await? {
            return Ok(None);
        }
        let Some(tracked) = &mut self.tracked else { return Ok(None) };
        let selection = Selection { names: &self.names, form: self.form, update: &update };
        let Changes { changed, removed } = tracked.changes(&selection).map_err(|refusal| {
            tracing::error!(subsystem_name = "endpoints", service = "SDS.v3", method = METHOD, pid = self.watch.caller.pid(), error = %refusal, "Error building delta secrets response");
            Status::from(&refusal)
        })?;
        self.watch.answered();
        if changed.is_empty() && removed.is_empty() {
            return Ok(None);
        }
        self.version += 1;
        let nonce = nonce();
        let pid = self.watch.caller.pid();
        if !removed.is_empty() {
            let removed: BTreeSet<String> = removed.iter().cloned().collect();
            tracing::warn!(
                subsystem_name = "endpoints",
                service = "SDS.v3",
                method = METHOD,
                pid,
                resource_names = listed(&removed),
                "The workload is not entitled to these secrets; they are sent when it is"
            );
        }
        tracing::debug!(
            subsystem_name = "endpoints",
            service = "SDS.v3",
            method = METHOD,
            pid,
            version_info = self.version,
            nonce,
            count = changed.len(),
            "Sending DeltaSecrets response"
        );
        let message = encode::delta(&self.version.to_string(), &nonce, &tracked.type_url, &changed, &removed);
        self.sent = Some(nonce);
        Ok(Some(message))
    }
}
