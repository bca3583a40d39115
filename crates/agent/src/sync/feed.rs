//! One stream of the feed.

use std::time::Duration;

use proto::bonafide::feed::v1::feed_client::FeedClient;
use proto::bonafide::feed::v1::{Ack, Down, Hello, Report, Resync, Up, down, up};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Status, Streaming};

use crate::link::{Link, deadline};

/// A page holds a megabyte or so; anything like this is none.
const MAX_MESSAGE: usize = 64 << 20;
/// Where the server does not say how long it may be silent.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// A stream that the server has answered.
pub(super) struct Feed {
    up: mpsc::UnboundedSender<Up>,
    down: Streaming<Down>,
    /// The Welcome, or whatever came in its place.
    first: Option<Down>,
    heartbeat: Duration,
    heard: Instant,
    /// The number of the connection it runs over.
    pub(super) connection: u64,
}

impl Feed {
    /// Opens a stream and waits for the first answer.
    pub(super) async fn open(link: &Link, hello: Hello) -> Result<Self, Status> {
        let connection = link.number();
        let (up, queue) = mpsc::unbounded_channel();
        let _ = up.send(Up { kind: Some(up::Kind::Hello(hello)) });
        let mut client = FeedClient::new(link.channel()).max_decoding_message_size(MAX_MESSAGE);
        let opened = deadline(async {
            let mut down = client.subscribe(UnboundedReceiverStream::new(queue)).await?.into_inner();
            let first = down.message().await?;
            Ok((down, first.ok_or_else(|| Status::unavailable("the server closed the feed without a word"))?))
        });
        let (down, first) = opened.await?;
        let heartbeat = match &first.kind {
            Some(down::Kind::Welcome(welcome)) if welcome.heartbeat_ms > 0 => {
                Duration::from_millis(welcome.heartbeat_ms.into())
            }
            _ => HEARTBEAT,
        };
        Ok(Self { up, down, first: Some(first), heartbeat, heard: Instant::now(), connection })
    }

    /// The next message. Twice the longest silence that was announced is an end.
    pub(super) async fn next(&mut self) -> Result<Down, Status> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        let message = tokio::time::timeout_at(self.heard + 2 * self.heartbeat, self.down.message()).await;
        let message =
            message.map_err(|_| Status::deadline_exceeded("the server was silent for too long"))??;
        self.heard = Instant::now();
        message.ok_or_else(|| Status::unavailable("the server closed the feed"))
    }

    /// Everything up to `number` is applied.
    pub(super) fn ack(&self, number: u64) {
        self.say(up::Kind::Ack(Ack { number }));
    }

    /// Our entries are others than the server's.
    pub(super) fn resync(&self, number: u64, digest: [u8; 16]) {
        self.say(up::Kind::Resync(Resync { number, digest: digest.to_vec() }));
    }

    /// What we hold.
    pub(super) fn report(&self, report: Report) {
        self.say(up::Kind::Report(report));
    }

    /// On a stream that ended, the next read says so.
    fn say(&self, kind: up::Kind) {
        let _ = self.up.send(Up { kind: Some(kind) });
    }
}
