//! Workload Proof Tokens: a JWT that the sender makes for one request (draft-ietf-wimse-wpt-01 and -02).
//!
//! The two drafts do not understand each other: until -01 the proof stands in `Workload-Proof-Token`, from -02 in
//! `Authorization: WPT`, where no OAuth access token can then be, so that `ath` is gone. Which of them is spoken is
//! configured; nothing is guessed.
//!
//! Decided here: `aud` is one text or a list of at most 16, one of which must fit; `exp` holds to the second, and no more
//! than [`LONGEST`] from now unless configured otherwise; a future `nbf` is refused with a leeway of one minute; a claim that
//! binds a token which is not there refuses the proof, and so does a member of `oth` that is not configured (§2).

mod binding;
mod context;
mod prove;
mod verify;

use std::time::Duration;

pub use binding::WptBinding;
pub use prove::WptProver;
pub use verify::WptVerifier;

/// The `typ` of a proof (wpt §2).
pub const TYPE: &str = "wpt+jwt";
/// The longest that a proof may hold from now, unless configured otherwise.
pub const LONGEST: Duration = Duration::from_secs(300);
/// The longest `jti` that is looked at, in bytes.
const MAX_JTI: usize = 256;
/// The most audiences that are looked at.
const MAX_AUDIENCES: usize = 16;
/// The header field of transaction tokens (draft-ietf-oauth-transaction-tokens).
const TXN_TOKEN: &str = "Txn-Token";
