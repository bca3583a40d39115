//! What a proof protocol is.

use std::time::SystemTime;

use super::http::Request;
use super::{Answer, HeldWit, ProofError};

/// Proves to a server that a request comes from whoever has the key of a WIT-SVID.
pub trait Prover {
    /// The header fields to add to the request: the WIT-SVID and its proof, never one without the other. `audience` is whom
    /// it is for: most often the URI of the request, from which query and fragment are to be left away
    /// ([`audience_of`](super::audience_of)).
    ///
    /// # Errors
    ///
    /// If the channel is one that others can read, the WIT-SVID has expired, a field that it needs is taken, or the key does
    /// not sign.
    fn present(
        &self,
        held: &HeldWit,
        request: &Request<'_>,
        audience: &str,
        now: SystemTime,
    ) -> Result<Vec<(&'static str, String)>, ProofError>;
}

/// Judges the proof of a request. Only this crate has verifiers, since what they say makes somebody of a token.
pub trait ProofVerifier: sealed::Judge {
    /// How to answer a request that was refused (creds §5.2, wpt §2.1).
    fn answer(&self, why: &ProofError) -> Answer;
}

pub(super) mod sealed {
    use std::time::SystemTime;

    use super::super::ProofError;
    use super::super::http::{Fields, Request};
    use crate::wit::VerifiedWit;

    /// What a proof was found to bind.
    #[derive(Debug, Clone)]
    pub struct Bound {
        pub(in super::super) fields: Vec<String>,
        pub(in super::super) until: SystemTime,
        pub(in super::super) exchange: Option<Exchange>,
    }

    /// What a response to a signed request needs to know of it.
    #[derive(Debug, Clone)]
    pub(crate) struct Exchange {
        pub(in super::super) nonce: String,
        pub(in super::super) sign_response: bool,
    }

    pub trait Judge {
        #[doc(hidden)]
        fn judge(
            &self,
            request: &Request<'_>,
            fields: SealedFields<'_>,
            wit: &VerifiedWit,
            now: SystemTime,
        ) -> Result<Bound, ProofError>;
    }

    /// The fields of the request, with a bound on them.
    #[derive(Debug, Clone, Copy)]
    pub struct SealedFields<'a>(pub(in super::super) Fields<'a>);
}
