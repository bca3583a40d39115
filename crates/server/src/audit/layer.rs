//! The layer between authorization and the services.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use kit::metrics::code_name;
use kit::rpc::{Ending, watch};
use spiffe::SpiffeId;
use tonic::Code;
use tonic::body::Body;
use tower::{Layer, Service};
use tracing::Span;

use super::details::Details;
use super::items;
use super::tap::{Which, tap};
use crate::authz::{Caller, Peer, Standing};

/// What is needed to write records.
pub(crate) struct Auditor {
    /// Administrators by configuration.
    pub(crate) admin_ids: HashSet<SpiffeId>,
}

impl Auditor {
    /// Who asked, around all records of a call.
    fn span(&self, method: &str, caller: &Caller) -> Span {
        let (service, name) = method.trim_start_matches('/').split_once('/').unwrap_or((method, ""));
        let service = service.strip_prefix("spire.api.server.").unwrap_or(service);
        let (authorized_as, authorized_via) = match caller.standing() {
            Standing::Nobody | Standing::Policy(_) => ("nobody", ""),
            Standing::Local(_) => ("local", "transport"),
            Standing::Admin(_) => match caller.peer().id().is_some_and(|id| self.admin_ids.contains(id)) {
                true => ("admin", "config"),
                false => ("admin", "entries"),
            },
            Standing::Downstream(_) => ("downstream", "entries"),
            Standing::Agent(_) => ("agent", "datastore"),
        };
        let (uid, gid, path, address, id) = match caller.peer() {
            Peer::Local { uid, gid, pid } => {
                (Some(uid.to_string()), Some(gid.to_string()), pid.and_then(executable), None, None)
            }
            Peer::Remote { addr, svid } => {
                (None, None, None, Some(addr.to_string()), svid.as_ref().map(|svid| svid.id().to_string()))
            }
        };
        tracing::info_span!(
            "audit",
            subsystem_name = "api",
            service,
            method = name,
            request_id = uuid::Uuid::new_v4().to_string(),
            authorized_as,
            authorized_via,
            caller_uid = uid,
            caller_gid = gid,
            caller_path = path,
            caller_addr = address,
            caller_id = id,
        )
    }
}

/// The program of a process, where this one may see it.
fn executable(pid: i32) -> Option<String> {
    std::fs::read_link(format!("/proc/{pid}/exe")).ok().map(|path| path.display().to_string())
}

/// Writes the records of one call.
fn record(span: &Span, records: &[Details], ending: &Ending) {
    let _entered = span.enter();
    for record in records {
        let (code, message) = match &record.outcome {
            Some((code, message)) => (Code::from_i32(*code), message.as_str()),
            None => (ending.code, ending.message.as_str()),
        };
        match code {
            Code::Ok => record.write("success", None, None),
            failed => record.write("error", Some(code_name(failed)), Some(message)),
        }
    }
}

/// Puts a record of each call into the log, if there is an auditor.
#[derive(Clone)]
pub(crate) struct AuditLayer(pub(crate) Option<Arc<Auditor>>);

impl<S> Layer<S> for AuditLayer {
    type Service = Audited<S>;

    fn layer(&self, inner: S) -> Audited<S> {
        Audited { inner, auditor: self.0.clone() }
    }
}

/// See [`AuditLayer`].
#[derive(Clone)]
pub(crate) struct Audited<S> {
    inner: S,
    auditor: Option<Arc<Auditor>>,
}

impl<S> Service<Request<Body>> for Audited<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let method = request.uri().path().to_owned();
        let caller = request.extensions().get::<Caller>();
        // Health and reflection are no accesses to anything, and a feed is not over while the agent lives.
        let recorded = method.starts_with("/spire.api.server.");
        let (Some(auditor), Some(caller), true) = (&self.auditor, caller, recorded) else {
            return Box::pin(self.inner.call(request));
        };
        let span = auditor.span(&method, caller);
        let (parts, body) = request.into_parts();
        let (body, asked) = tap(body);
        let answer = self.inner.call(Request::from_parts(parts, body));
        Box::pin(async move {
            let (parts, body) = answer.await?.into_parts();
            let (body, told) = tap(body);
            Ok(watch(Response::from_parts(parts, body), move |ending| {
                let records = items::of(&method, &asked.message(Which::First), &told.message(Which::Last));
                record(&span, &records, &ending);
            }))
        })
    }
}
