//! The two calls by which SPIRE's agents ask for their entries every few seconds. They stand before the entry service and
//! are answered from the registry straight onto the wire.

mod codec;
mod encode;
mod sync;

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::Stream;
use model::graph;
use proto::spire::api::server::entry::v1::{GetAuthorizedEntriesRequest, SyncAuthorizedEntriesRequest};
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, StreamingService, UnaryService};
use tonic::{Request, Response, Status, Streaming};
use tower::Service;

use super::convert::full_mask;
use crate::authz::Caller;
use crate::registry::Registry;
use codec::Written;

const ALL: &str = "/spire.api.server.entry.v1.Entry/GetAuthorizedEntries";
const STEPS: &str = "/spire.api.server.entry.v1.Entry/SyncAuthorizedEntries";

/// The field `entries` of `GetAuthorizedEntriesResponse`.
const ENTRIES: u32 = 1;

/// The entry service `S` with these two calls answered here.
#[derive(Clone)]
pub struct AuthorizedEntries<S> {
    entries: S,
    answers: Answers,
    /// The longest request, in bytes.
    longest: usize,
}

impl<S> AuthorizedEntries<S> {
    /// Answers from `registry`, reads requests of up to `longest` bytes, and leaves the other calls to `entries`.
    pub fn before(entries: S, registry: Arc<Registry>, longest: usize) -> Self {
        Self { entries, answers: Answers(registry), longest }
    }
}

impl<S: NamedService> NamedService for AuthorizedEntries<S> {
    const NAME: &'static str = S::NAME;
}

type Answered = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

impl<S> Service<http::Request<Body>> for AuthorizedEntries<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answered;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.entries.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Answered {
        let (answers, longest) = (self.answers.clone(), self.longest);
        match request.uri().path() {
            ALL => Box::pin(async move {
                let mut grpc = Grpc::new(Written::new()).max_decoding_message_size(longest);
                Ok(grpc.unary(answers, request).await)
            }),
            STEPS => Box::pin(async move {
                let mut grpc = Grpc::new(Written::new()).max_decoding_message_size(longest);
                Ok(grpc.streaming(answers, request).await)
            }),
            _ => Box::pin(self.entries.call(request)),
        }
    }
}

#[derive(Clone)]
struct Answers(Arc<Registry>);

impl UnaryService<GetAuthorizedEntriesRequest> for Answers {
    type Response = Vec<u8>;
    type Future = Ready<Result<Response<Vec<u8>>, Status>>;

    fn call(&mut self, request: Request<GetAuthorizedEntriesRequest>) -> Self::Future {
        ready(self.all(request).map(Response::new))
    }
}

type Steps = Pin<Box<dyn Stream<Item = Result<Vec<u8>, Status>> + Send>>;

impl StreamingService<SyncAuthorizedEntriesRequest> for Answers {
    type Response = Vec<u8>;
    type ResponseStream = Steps;
    type Future = Ready<Result<Response<Steps>, Status>>;

    fn call(&mut self, request: Request<Streaming<SyncAuthorizedEntriesRequest>>) -> Self::Future {
        ready(self.steps(request).map(Response::new))
    }
}

impl Answers {
    fn all(&self, request: Request<GetAuthorizedEntriesRequest>) -> Result<Vec<u8>, Status> {
        let agent = Caller::of(&request)?.require_agent()?;
        let mask = request.into_inner().output_mask.unwrap_or_else(full_mask);
        let snapshot = self.0.snapshot();
        let mut entries = Vec::new();
        graph::each_authorized(&snapshot, agent.agent(), |entry| entries.push(entry));
        let mut message = Vec::with_capacity(entries.len() * encode::TYPICAL);
        for entry in entries {
            encode::entry(&mut message, ENTRIES, entry, &mask);
        }
        Ok(message)
    }

    fn steps(&self, request: Request<Streaming<SyncAuthorizedEntriesRequest>>) -> Result<Steps, Status> {
        let agent = Caller::of(&request)?.require_agent()?;
        Ok(Box::pin(sync::answers(&self.0, agent.agent(), request.into_inner())))
    }
}
