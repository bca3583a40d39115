/// Why the signature of a message is refused or was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum SignatureError {
    #[error(
        "the field {0} is no dictionary of what belongs there, or is too long (RFC 9421 §4, RFC 9530 §2)"
    )]
    Field(&'static str),
    #[error("none of several signatures has the label wimse")]
    Label,
    #[error("the signature covers {0}, which is not understood here")]
    Component(String),
    #[error("the signature covers {0} twice")]
    Twice(String),
    #[error("the signature covers {0}, which the message does not have")]
    Absent(String),
    #[error("the signature covers more than 64 components")]
    TooMany,
    #[error("the signature does not cover {0}, as it must")]
    Uncovered(String),
    #[error("the signature has the parameter {0}, which it must not have: the WIT-SVID says it")]
    Forbidden(&'static str),
    #[error("the signature has no parameter {0} of the form that it must have")]
    Parameter(&'static str),
    #[error("the signature is of another kind: its tag is not wimse-workload-to-workload")]
    Tag,
    #[error("the message has a body and no Content-Digest by sha-256 or sha-512")]
    NoDigest,
    #[error("the body is not the one that was signed")]
    OtherBody,
    #[error("the message has a signature already")]
    Taken,
    #[error("the response belongs to another request")]
    OtherRequest,
    #[error("the response is not signed, as was asked for")]
    Unsigned,
    #[error("the request was not signed, so that there is nothing a signed response could belong to")]
    NoExchange,
}
