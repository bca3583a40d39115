use std::time::Duration;

use kit::status::with_detail;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use super::Class;

/// Why the pool did not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The queue has no room for this class. Trying again later is what to do.
    #[error("the signing queue is full ({queued} wait, {class} requests are let in below {room}); try again in {}", pretty(*.retry_after))]
    Full {
        /// The class that was asked for.
        class: ClassName,
        /// How many signatures wait.
        queued: usize,
        /// How many may wait for this class to be let in.
        room: usize,
        /// When there will likely be room.
        retry_after: Duration,
    },
    /// The work panicked: a defect of this program, reported with a request that failed instead of a server that died.
    #[error("signing failed by a defect of this server; its log has a line about a panic")]
    Panicked,
}

/// A class, shown by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ClassName(pub Class);

impl std::fmt::Display for ClassName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl std::fmt::Debug for ClassName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, prost::Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<prost_types::Duration>,
}

impl From<Refused> for Status {
    /// `Unavailable` with the retry time as a detail and as gRPC's push-back metadata, or `Internal`.
    fn from(refused: Refused) -> Self {
        let Refused::Full { retry_after, .. } = refused else { return Status::internal(refused.to_string()) };
        let delay = prost_types::Duration {
            seconds: i64::try_from(retry_after.as_secs()).unwrap_or(i64::MAX),
            nanos: i32::try_from(retry_after.subsec_nanos()).unwrap_or(0),
        };
        let detail = RetryInfo { retry_delay: Some(delay) };
        let url = "type.googleapis.com/google.rpc.RetryInfo";
        let mut status = with_detail(Code::Unavailable, &refused.to_string(), url, &detail);
        if let Ok(millis) = MetadataValue::try_from(retry_after.as_millis().to_string()) {
            status.metadata_mut().insert("grpc-retry-pushback-ms", millis);
        }
        status
    }
}

fn pretty(duration: Duration) -> String {
    format!("{:.1}s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_is_unavailable_and_says_when_to_come_back() {
        let status = Status::from(Refused::Full {
            class: ClassName(Class::Renewal),
            queued: 12,
            room: 12,
            retry_after: Duration::from_millis(1500),
        });
        assert_eq!(status.code(), Code::Unavailable);
        let info: RetryInfo = kit::status::detail(&status, "google.rpc.RetryInfo").unwrap();
        assert_eq!(info.retry_delay, Some(prost_types::Duration { seconds: 1, nanos: 500_000_000 }));
        assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "1500");
        assert!(status.message().contains("try again in 1.5s"), "{}", status.message());
    }
}
