//! The service: which method is called, and by whom.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower_service::Service;

use super::{SdsNames, delta, fetch, stream};
use crate::metrics::{SDS_CONNECTION, SDS_CONNECTIONS};
use crate::workload::{Caller, Shared, body, read};

/// The paths of the methods.
pub(crate) const METHODS: [&str; 3] = [
    "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets",
    "/envoy.service.secret.v3.SecretDiscoveryService/DeltaSecrets",
    "/envoy.service.secret.v3.SecretDiscoveryService/FetchSecrets",
];

/// The path of the method of that name.
pub(super) fn path(method: &str) -> &'static str {
    METHODS.into_iter().find(|path| path.ends_with(method)).unwrap_or_default()
}

/// The service `SecretDiscoveryService`.
#[derive(Clone)]
pub(crate) struct SdsApi {
    shared: Arc<Shared>,
    names: Arc<SdsNames>,
    calls: Arc<AtomicUsize>,
}

impl SdsApi {
    /// Serves secrets by these names.
    pub(crate) fn new(shared: Arc<Shared>, names: SdsNames) -> Self {
        Self { shared, names: Arc::new(names), calls: Arc::default() }
    }

    async fn route(self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let caller = request.extensions().get::<Caller>().cloned();
        let caller = caller.ok_or_else(|| Status::internal("the caller is not known"))?;
        match request.uri().path().rsplit('/').next() {
            Some("StreamSecrets") => stream::answer(self.shared, self.names, caller, request).await,
            Some("DeltaSecrets") => delta::answer(self.shared, self.names, caller, request).await,
            Some("FetchSecrets") => {
                let asked = read(request).await?;
                let answer = fetch::answer(self.shared, &self.names, caller, asked).await?;
                Ok(body::response(futures_util::stream::iter([Ok(answer)])))
            }
            other => Err(Status::unimplemented(format!(
                "unknown method {} for service {}",
                other.unwrap_or_default(),
                Self::NAME
            ))),
        }
    }
}

impl NamedService for SdsApi {
    const NAME: &'static str = "envoy.service.secret.v3.SecretDiscoveryService";
}

impl Service<Request<Body>> for SdsApi {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let api = self.clone();
        let counted = Counted::enter(&api.calls);
        Box::pin(async move {
            let response = api.route(request).await.unwrap_or_else(|status| status.into_http());
            Ok(kit::rpc::watch(response, move |_| drop(counted)))
        })
    }
}

/// A call of this API, for as long as it lasts.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn enter(calls: &Arc<AtomicUsize>) -> Self {
        SDS_CONNECTION.add(1, &[]);
        SDS_CONNECTIONS.count(calls.fetch_add(1, Ordering::Relaxed) + 1, &[]);
        Self(calls.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let left = self.0.fetch_sub(1, Ordering::Relaxed).saturating_sub(1);
        SDS_CONNECTIONS.count(left, &[]);
    }
}
