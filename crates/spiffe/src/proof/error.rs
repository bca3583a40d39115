use std::time::Duration;

use super::http::HeaderError;
use super::http_signature::SignatureError;
use super::{HeldError, ReplayError};
use crate::jws::JwsError;
use crate::key::KeyError;
use crate::wit::WitError;

/// Why a proof is refused or was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum ProofError {
    #[error(
        "the channel is neither TLS nor local; a WIT-SVID and its proof are not sent over it (WIT-SVID §7.3)"
    )]
    Cleartext,
    #[error(transparent)]
    Header(#[from] HeaderError),
    #[error("the request has no field Workload-Identity-Token")]
    NoWit,
    #[error("the field Workload-Identity-Token is not one token, without a scheme and without quotes")]
    WitForm,
    #[error("a WIT-SVID stands in Authorization, where it never belongs (WIT-SVID §5)")]
    WitInAuthorization,
    #[error("the WIT-SVID is refused: {0}")]
    Wit(#[from] WitError),
    #[error("the WIT-SVID that is held cannot be presented: {0}")]
    Held(#[from] HeldError),
    #[error("the request has no proof of possession: a WIT-SVID alone is nobody (WIT-SVID §5)")]
    NoProof,
    #[error("the proof is no JWT: {0}")]
    ProofForm(JwsError),
    #[error("the proof's type is not wpt+jwt")]
    Type,
    #[error("the proof is signed by {proof}, and the WIT-SVID's key is for {wit}")]
    Algorithm { proof: &'static str, wit: &'static str },
    #[error("the proof was not signed with the WIT-SVID's key")]
    Signature,
    #[error("the proof has no \"{0}\" of the form that it must have")]
    Claim(&'static str),
    #[error("the proof is for {0:?}, which is not this service or not this request")]
    Audience(String),
    #[error("the proof has expired")]
    Expired,
    #[error("the proof is not valid yet: is the clock right?")]
    NotYet,
    #[error("the proof would hold for more than {} seconds from now", .0.as_secs())]
    TooLong(Duration),
    #[error("the proof is for another WIT-SVID")]
    OtherWit,
    #[error("the proof does not bind the token in {0}, which is part of the request")]
    Unbound(String),
    #[error("the proof binds another token than that in {0}")]
    OtherToken(String),
    #[error("the proof binds {0:?}, which is not understood here")]
    NotUnderstood(String),
    #[error("the request has a field Authorization of its own, whose place the proof needs")]
    AuthorizationTaken,
    #[error(transparent)]
    HttpSignature(#[from] SignatureError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error("no random name could be made for the proof")]
    Random(#[from] KeyError),
    #[error("the proof was not signed: {0}")]
    Sign(JwsError),
}
