//! The service: which method is called, by whom, and the checks that all share.
//!
//! Written by hand rather than on the generated trait, since streams send messages that were encoded once for all.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use http::{HeaderMap, HeaderValue, Request, Response};
use kit::clock::Clock;
use prost::Message;
use prost::bytes::Bytes;
use spiffe::endpoint::{WORKLOAD_HEADER, check_workload_header};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::codec::{Codec as _, Streaming};
use tonic::server::NamedService;
use tonic::{Code, Status};
use tonic_prost::ProstCodec;
use tower_service::Service;

use super::caller::{Attestation, Attested, Caller};
use super::limit::Limiter;
use super::method::Method;
use super::{body, detail, log, stream, wit};
use crate::cache::Cache;
use crate::issue::{JwtIssuer, WitIssuer};
use crate::metrics::{WORKLOAD_CONNECTION, WORKLOAD_CONNECTIONS};

/// The largest request, as gRPC's implementations have it.
pub(crate) const MAX_REQUEST: usize = 4 << 20;

/// gRPC's prefix of a message: not compressed, length.
const PREFIX: usize = 5;

/// What all calls share.
pub(crate) struct Shared {
    pub(crate) cache: Arc<Cache>,
    pub(crate) jwt: JwtIssuer,
    pub(crate) wit: WitIssuer,
    /// Whether WIT-SVIDs are served.
    pub(crate) wit_svids: bool,
    pub(crate) limiter: Limiter,
    pub(crate) attestation: Attestation,
    pub(crate) clock: Clock,
    pub(crate) allow_unauthenticated_verifiers: bool,
    pub(crate) allowed_foreign_jwt_claims: Vec<String>,
    pub(crate) log_selectors: Vec<String>,
    /// How many calls are under way.
    pub(crate) calls: AtomicUsize,
    /// Ends open streams.
    pub(crate) stop: CancellationToken,
}

/// The service `SpiffeWorkloadAPI`.
#[derive(Clone)]
pub(crate) struct WorkloadApi(pub(crate) Arc<Shared>);

impl NamedService for WorkloadApi {
    const NAME: &'static str = "SpiffeWorkloadAPI";
}

impl Service<Request<Body>> for WorkloadApi {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let shared = self.0.clone();
        let counted = Counted::enter(&shared);
        Box::pin(async move {
            let response = route(shared, request).await.unwrap_or_else(|status| status.into_http());
            Ok(kit::rpc::watch(response, move |_| drop(counted)))
        })
    }
}

/// A call of this API, for as long as it lasts.
struct Counted(Arc<Shared>);

impl Counted {
    fn enter(shared: &Arc<Shared>) -> Self {
        WORKLOAD_CONNECTION.add(1, &[]);
        WORKLOAD_CONNECTIONS.count(shared.calls.fetch_add(1, Ordering::Relaxed) + 1, &[]);
        Self(shared.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let left = self.0.calls.fetch_sub(1, Ordering::Relaxed).saturating_sub(1);
        WORKLOAD_CONNECTIONS.count(left, &[]);
    }
}

async fn route(shared: Arc<Shared>, request: Request<Body>) -> Result<Response<Body>, Status> {
    if !has_header(request.headers()) {
        return Err(Status::invalid_argument("security header missing from request"));
    }
    let caller = request.extensions().get::<Caller>().cloned();
    let caller = caller.ok_or_else(|| Status::internal("the caller is not known"))?;
    let path = request.uri().path();
    let Some(method) = Method::of(path) else {
        let name = path.rsplit('/').next().unwrap_or_default();
        let why = format!("unknown method {name} for service {}", WorkloadApi::NAME);
        return Err(Status::unimplemented(why));
    };
    match method {
        // An incubating part of the standard: off unless it is asked for (Workload API §7).
        Method::WitSvid | Method::WitBundles if !shared.wit_svids => {
            Err(Status::unimplemented("WIT-SVIDs are not served here; set the feature flag wit-svid"))
        }
        Method::X509Svid | Method::X509Bundles | Method::JwtBundles | Method::WitBundles => {
            stream::answer(shared, caller, method, request).await
        }
        Method::WitSvid => wit::answer(shared, caller, request).await,
        Method::JwtSvid => {
            unary(request, |asked| async move { shared.fetch_jwt_svid(&caller, asked).await }).await
        }
        Method::ValidateJwtSvid => {
            unary(request, |asked| async move { shared.validate_jwt_svid(&caller, asked).await }).await
        }
    }
}

/// Once, and nothing but `true` (Workload Endpoint §3).
fn has_header(headers: &HeaderMap) -> bool {
    check_workload_header(headers.get_all(WORKLOAD_HEADER.0).iter().map(HeaderValue::as_bytes)).is_ok()
}

async fn unary<Q, A, F>(request: Request<Body>, answer: impl FnOnce(Q) -> F) -> Result<Response<Body>, Status>
where
    Q: Message + Default + Send + 'static,
    A: Message,
    F: Future<Output = Result<A, Status>> + Send,
{
    let answer = answer(read(request).await?).await?;
    let mut framed = vec![0; PREFIX];
    answer.encode(&mut framed).map_err(|error| Status::internal(error.to_string()))?;
    let length = u32::try_from(framed.len() - PREFIX).unwrap_or(u32::MAX).to_be_bytes();
    framed.splice(1..PREFIX, length);
    Ok(body::response(futures_util::stream::iter([Ok(Bytes::from(framed))])))
}

/// The one message of a request.
pub(crate) async fn read<Q: Message + Default + Send + 'static>(request: Request<Body>) -> Result<Q, Status> {
    let decoder = ProstCodec::<(), Q>::default().decoder();
    let mut messages = Streaming::new_request(decoder, request.into_body(), None, Some(MAX_REQUEST));
    match messages.message().await {
        Ok(Some(message)) => Ok(message),
        Ok(None) => Err(Status::internal("the request has no message")),
        Err(status) => Err(status),
    }
}

impl Shared {
    /// What is known of a caller, whose call is counted, or what to answer.
    pub(super) async fn admit(&self, caller: &Caller, method: Method) -> Result<Attested, Status> {
        let found = self.attest(caller, method).await?;
        if !caller.is_agent() {
            self.limiter.pass(method, &found, Instant::now())?;
        }
        Ok(found)
    }

    /// Counts a call of SDS of someone of whom this is known, or refuses it.
    pub(crate) fn admit_to_secrets(
        &self,
        caller: &Caller,
        found: &Attested,
        path: &'static str,
        lasting: bool,
    ) -> Result<(), Status> {
        match caller.is_agent() {
            true => Ok(()),
            false => self.limiter.pass_secrets(path, lasting, found, Instant::now()),
        }
    }

    /// What is known of a caller, or what to answer.
    pub(super) async fn attest(&self, caller: &Caller, method: Method) -> Result<Attested, Status> {
        self.attestation.attest(caller).await.map_err(|error| {
            tracing::error!(
                subsystem_name = "endpoints",
                service = "WorkloadAPI",
                method = method.name(),
                pid = caller.pid(),
                error = %error,
                "Workload attestation failed"
            );
            detail::refusal(Code::Unavailable, "workload attestation failed", &error.failed)
        })
    }

    /// Says that a caller got nothing, and what to answer.
    pub(super) fn no_identity(&self, caller: &Caller, method: Method, found: &Attested) -> Status {
        if !caller.is_agent() {
            let selectors = log::loggable(found, &self.log_selectors);
            tracing::error!(
                subsystem_name = "endpoints",
                service = "WorkloadAPI",
                method = method.name(),
                pid = caller.pid(),
                registered = false,
                selectors,
                "No identity issued"
            );
        }
        detail::refusal(Code::PermissionDenied, "no identity issued", &found.failed)
    }
}
