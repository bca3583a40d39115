//! A body whose messages are read along as they pass, up to a bound.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use http_body::{Frame, SizeHint};
use tonic::body::Body;

/// How many bytes are kept; of longer messages nothing is said.
const MOST: usize = 64 << 20;
/// gRPC's prefix of a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// What has passed.
#[derive(Clone, Default)]
pub(super) struct Seen(Arc<Mutex<Vec<u8>>>);

/// Which message of a body is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    First,
    Last,
}

impl Seen {
    /// A message that has passed whole; empty if there is none.
    pub(super) fn message(&self, which: Which) -> Vec<u8> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut rest, mut found): (&[u8], &[u8]) = (&seen, &[]);
        while let Some((prefix, after)) = rest.split_at_checked(PREFIX) {
            let [_, length @ ..] = prefix else { break };
            let length = length.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
            let Some((message, after)) = after.split_at_checked(length) else { break };
            (found, rest) = (message, after);
            if which == Which::First {
                break;
            }
        }
        found.to_vec()
    }
}

/// The body, and what will have passed of it.
pub(super) fn tap(body: Body) -> (Body, Seen) {
    let seen = Seen::default();
    (Body::new(Tapped { body, seen: seen.clone() }), seen)
}

struct Tapped {
    body: Body,
    seen: Seen,
}

impl http_body::Body for Tapped {
    type Data = <Body as http_body::Body>::Data;
    type Error = <Body as http_body::Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            let mut seen = self.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.len() + data.len() <= MOST {
                seen.extend_from_slice(data);
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
