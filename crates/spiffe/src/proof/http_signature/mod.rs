//! HTTP message signatures in the profile of WIMSE (draft-ietf-wimse-http-signature-06 on RFC 9421, bodies by RFC 9530).
//!
//! The key of the WIT-SVID signs the method, the target, the fields that matter and, by its digest, the body; in answers
//! also the request that they belong to. Before -03 there was no `wimse-aud`, before -04 no `wimse-req-nonce`, and before -06
//! no `wimse-sign-response`: senders of those drafts are refused.
//!
//! Decided here: of several signatures the one with the label `wimse` counts; components with parameters other than `req`,
//! and derived components other than `@method`, `@request-target` and `@status`, are refused, since a signature over what
//! is not recomputed shows nothing; `created` may be up to one minute ahead; a digest of an algorithm other than sha-256 and
//! sha-512 is passed over, as long as there is one of those.

mod base;
mod component;
mod digest;
mod error;
mod params;
mod read;
mod required;
mod sign;
mod verify;

use std::time::Duration;

pub use error::SignatureError;
pub use sign::{HttpSignatureProver, SignedRequest};
pub use verify::{HttpSignatureVerifier, ResponseRule, may_answer_unsigned};

/// The `tag` of signatures of this profile.
pub const TAG: &str = "wimse-workload-to-workload";
/// The label of the signature, among several.
pub const LABEL: &str = "wimse";
/// The longest that a signature may hold, unless configured otherwise.
pub const LONGEST: Duration = Duration::from_secs(300);

const SIGNATURE_INPUT: &str = "Signature-Input";
const SIGNATURE: &str = "Signature";
const CONTENT_DIGEST: &str = "Content-Digest";
/// The longest nonce that is looked at, in bytes.
const MAX_NONCE: usize = 256;
/// The longest Signature-Input or Content-Digest that is looked at, in bytes.
const MAX_FIELD: usize = 16 * 1024;
/// The most components that a signature may cover.
const MAX_COMPONENTS: usize = 64;
