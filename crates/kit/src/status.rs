//! gRPC statuses that carry details (`grpc-status-details-bin`).

use prost::Message;
use tonic::{Code, Status};

/// `google.rpc.Status`, as far as it is used.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

/// A status with one detail message of the given type URL.
pub fn with_detail(code: Code, message: &str, type_url: &str, detail: &impl Message) -> Status {
    let any = prost_types::Any { type_url: type_url.to_owned(), value: detail.encode_to_vec() };
    let full = RpcStatus { code: code as i32, message: message.to_owned(), details: vec![any] };
    Status::with_details(code, message, full.encode_to_vec().into())
}

/// The first detail of that type (the last part of its type URL), if the status has one that can be read.
pub fn detail<M: Message + Default>(status: &Status, type_name: &str) -> Option<M> {
    let full = RpcStatus::decode(status.details()).ok()?;
    let any = full.details.iter().find(|any| any.type_url.rsplit('/').next() == Some(type_name))?;
    M::decode(any.value.as_slice()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_survives_the_way() {
        let status = with_detail(
            Code::PermissionDenied,
            "no",
            "type.googleapis.com/x.Y",
            &prost_types::Duration { seconds: 7, nanos: 0 },
        );
        assert_eq!(detail::<prost_types::Duration>(&status, "x.Y").map(|d| d.seconds), Some(7));
        assert_eq!(detail::<prost_types::Duration>(&status, "x.Z"), None);
    }
}
