//! What a refused caller is told beside the message: which attestors found out nothing about it.
//!
//! The details of a status are `google.rpc.Status`, here with one `google.rpc.ErrorInfo` for each attestor. Its name is
//! told and nothing else: why it failed is for the log, since it may speak of the node.

use prost::Message;
use prost::bytes::Bytes;
use tonic::{Code, Status};

const INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";
const REASON: &str = "WORKLOAD_ATTESTOR_FAILED";
const DOMAIN: &str = "bonafide";

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct Details {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

/// `google.rpc.ErrorInfo`, without what is not used of it.
#[derive(Clone, PartialEq, Message)]
struct Info {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    domain: String,
    #[prost(map = "string, string", tag = "3")]
    metadata: std::collections::HashMap<String, String>,
}

/// A refusal that names the attestors that failed, if any did.
pub(crate) fn refusal(code: Code, message: &str, failed: &[&'static str]) -> Status {
    if failed.is_empty() {
        return Status::new(code, message);
    }
    let info = |name: &&'static str| {
        let metadata = [("attestor".to_owned(), (*name).to_owned())].into();
        let info = Info { reason: REASON.to_owned(), domain: DOMAIN.to_owned(), metadata };
        prost_types::Any { type_url: INFO.to_owned(), value: info.encode_to_vec() }
    };
    let details = Details {
        code: code.into(),
        message: message.to_owned(),
        details: failed.iter().map(info).collect(),
    };
    Status::with_details(code, message, Bytes::from(details.encode_to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attestor_that_failed_is_named() {
        let status = refusal(Code::PermissionDenied, "no identity issued", &["docker", "systemd"]);
        let details = Details::decode(status.details()).unwrap();
        assert_eq!((details.code, details.message.as_str()), (7, "no identity issued"));
        let names = details.details.iter().map(|any| {
            assert_eq!(any.type_url, INFO);
            Info::decode(any.value.as_slice()).unwrap().metadata["attestor"].clone()
        });
        assert_eq!(names.collect::<Vec<_>>(), ["docker", "systemd"]);
    }

    #[test]
    fn without_a_failure_there_are_no_details() {
        assert!(refusal(Code::PermissionDenied, "no identity issued", &[]).details().is_empty());
    }
}
