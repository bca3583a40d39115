//! `bonafide.feed.v1.Feed`.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use kit::clock::Clock;
use proto::bonafide::feed::v1::{Down, Up, feed_server, up};
use spiffe::TrustDomain;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::hub::Hub;
use super::stream::{Opening, Task};
use crate::authz::Caller;
use crate::registry::Registry;

/// How long a stream may stay silent before it says where it stands.
const HELLO: Duration = Duration::from_secs(10);
/// Messages on their way to a stream's transport: the agent's own window paces the rest.
const IN_FLIGHT: usize = 2;

/// The service.
pub struct FeedApi {
    /// This server's trust domain.
    pub trust_domain: TrustDomain,
    /// The registry.
    pub registry: Arc<Registry>,
    /// Who follows.
    pub hub: Arc<Hub>,
    /// The time.
    pub clock: Clock,
    /// How often a stream that nothing concerns is told how far the log has come.
    pub heartbeat: Duration,
}

#[tonic::async_trait]
impl feed_server::Feed for FeedApi {
    type SubscribeStream = Pin<Box<dyn Stream<Item = Result<Down, Status>> + Send>>;

    async fn subscribe(
        &self,
        request: Request<Streaming<Up>>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let agent = Caller::of(&request)?.require_agent()?;
        let mut up = request.into_inner();
        let (down, stream) = mpsc::channel(IN_FLIGHT);
        let opening = Opening {
            agent,
            trust_domain: self.trust_domain.clone(),
            registry: self.registry.clone(),
            hub: self.hub.clone(),
            clock: self.clock.clone(),
            heartbeat: self.heartbeat,
        };
        // The answer's headers must not wait for the agent's first message: some clients send it only after them.
        tokio::spawn(async move {
            let first = tokio::time::timeout(HELLO, up.next()).await;
            match first {
                Ok(Some(Ok(Up { kind: Some(up::Kind::Hello(hello)) }))) => {
                    Task::open(opening, down).run(hello, up).await
                }
                Ok(Some(Ok(_))) => {
                    let _ = down.send(Err(Status::invalid_argument("the first message must be Hello"))).await;
                }
                Err(_) => {
                    let _ =
                        down.send(Err(Status::deadline_exceeded("no Hello came within 10 seconds"))).await;
                }
                Ok(Some(Err(_)) | None) => {}
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }
}
