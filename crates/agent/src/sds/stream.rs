//! StreamSecrets: each answer has all that is asked for.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::{Request, Response};
use prost::bytes::Bytes;
use proto::envoy::service::discovery::v3::DiscoveryRequest;
use tonic::body::Body;
use tonic::codec::{Codec as _, Streaming};
use tonic::{Code, Status};
use tonic_prost::ProstCodec;

use super::SdsNames;
use super::asked::{listed, names, short};
use super::choice::{Choice, same};
use super::encode;
use super::node::Form;
use super::select::Selection;
use super::verdict::{Verdict, judge};
use super::watch::Watch;
use crate::cache::Update;
use crate::workload::{Caller, MAX_REQUEST, Shared, body};

const METHOD: &str = "StreamSecrets";

/// Answers with a stream, or with the reason why there is none.
pub(super) async fn answer(
    shared: Arc<Shared>,
    names: Arc<SdsNames>,
    caller: Caller,
    request: Request<Body>,
) -> Result<Response<Body>, Status> {
    let decoder = ProstCodec::<(), DiscoveryRequest>::default().decoder();
    let requests = Streaming::new_request(decoder, request.into_body(), None, Some(MAX_REQUEST));
    let watch = Watch::open(shared, caller, METHOD).await?;
    let follow =
        Follow { form: Form::of(None, &names), names, requests, watch, asked: None, sent: None, version: 0 };
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
    requests: Streaming<DiscoveryRequest>,
    watch: Watch,
    form: Form,
    asked: Option<Asked>,
    sent: Option<Sent>,
    version: u64,
}

/// What there is to say, and the state that it is of.
type News = (Vec<Choice>, Arc<Update>);

/// What is asked for.
struct Asked {
    names: BTreeSet<String>,
    type_url: String,
    /// Whether this was answered.
    answered: bool,
}

/// What was sent last.
struct Sent {
    nonce: String,
    chosen: Vec<Choice>,
    from: Arc<Update>,
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

    fn take(&mut self, request: DiscoveryRequest) -> Result<(), Status> {
        let pid = self.watch.caller.pid();
        let asked = names(request.resource_names)?;
        let (version, nonce) = (short(&request.version_info), short(&request.response_nonce));
        tracing::debug!(
            subsystem_name = "endpoints",
            service = "SDS.v3",
            method = METHOD,
            pid,
            resource_names = listed(&asked),
            version_info = version,
            nonce,
            "Received StreamSecrets request"
        );
        if let Some(error) = &request.error_detail {
            tracing::error!(
                subsystem_name = "endpoints",
                service = "SDS.v3",
                method = METHOD,
                pid,
                resource_names = listed(&asked),
                error = short(&error.message),
                "Envoy reported errors applying secrets"
            );
        }
        if let Some(sent) = &self.sent {
            if sent.nonce != request.response_nonce {
                tracing::warn!(
                    subsystem_name = "endpoints",
                    service = "SDS.v3",
                    method = METHOD,
                    pid,
                    nonce,
                    expect = sent.nonce,
                    "Received unexpected nonce; ignoring request"
                );
                return Ok(());
            }
            let expect = self.version.to_string();
            if request.version_info != expect {
                tracing::error!(
                    subsystem_name = "endpoints",
                    service = "SDS.v3",
                    method = METHOD,
                    pid,
                    version_info = version,
                    expect,
                    "Client rejected expected version and rolled back"
                );
            }
        }
        if let Some(node) = &request.node {
            self.form = Form::of(Some(node), &self.names);
        }
        match &mut self.asked {
            // What is told is told again when it changes only.
            Some(before) if before.names == asked => before.type_url = short(&request.type_url),
            _ => {
                self.asked =
                    Some(Asked { names: asked, type_url: short(&request.type_url), answered: false });
                self.watch.asked();
            }
        }
        Ok(())
    }

    async fn respond(&mut self) -> Result<Option<Bytes>, Status> {
        let Some((chosen, update)) = self.choose()? else { return Ok(None) };
        if self.sent.is_some() && self.watch.moved().await? {
            return Ok(None);
        }
        Ok(self.send(chosen, update))
    }

    /// What there is to say that was not said.
    fn choose(&mut self) -> Result<Option<News>, Status> {
        let (Some(asked), Some(update)) = (&self.asked, self.watch.update()) else { return Ok(None) };
        let selection = Selection { names: &self.names, form: self.form, update: &update };
        let selected = selection.together(&asked.names);
        match judge(selected, &update, asked.names.is_empty(), self.watch.patience()) {
            Verdict::Send(chosen) => {
                let known =
                    asked.answered && self.sent.as_ref().is_some_and(|sent| same(&sent.chosen, &chosen));
                Ok((!known).then_some((chosen, update)))
            }
            Verdict::Wait(at_most) => {
                self.watch.put_off(at_most);
                Ok(None)
            }
            Verdict::Refuse(status) => {
                tracing::error!(
                    subsystem_name = "endpoints",
                    service = "SDS.v3",
                    method = METHOD,
                    pid = self.watch.caller.pid(),
                    error = status.message(),
                    "Error building stream secrets response"
                );
                Err(status)
            }
        }
    }

    fn send(&mut self, chosen: Vec<Choice>, update: Arc<Update>) -> Option<Bytes> {
        let asked = self.asked.as_mut()?;
        asked.answered = true;
        // Versions number what the workload was entitled to; another question about the same is no new version.
        if !self.sent.as_ref().is_some_and(|sent| Arc::ptr_eq(&sent.from, &update)) {
            self.version += 1;
        }
        let (version, nonce) = (self.version.to_string(), nonce());
        let message = encode::response(&version, &nonce, &asked.type_url, &chosen);
        tracing::debug!(
            subsystem_name = "endpoints",
            service = "SDS.v3",
            method = METHOD,
            pid = self.watch.caller.pid(),
            version_info = version,
            nonce,
            count = chosen.len(),
            "Sending StreamSecrets response"
        );
        self.sent = Some(Sent { nonce, chosen, from: update });
        self.watch.answered();
        Some(message)
    }
}

/// Four bytes of chance in hex: they tell answers of a stream apart.
pub(super) fn nonce() -> String {
    let random = uuid::Uuid::new_v4();
    random.as_bytes().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}
