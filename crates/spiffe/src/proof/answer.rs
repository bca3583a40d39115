use super::{ProofError, ReplayError};

/// How a server answers a request whose WIT-SVID or proof it refuses (creds §5.2, wpt §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The value of `WWW-Authenticate`, if it is to be there.
    pub authenticate: Option<&'static str>,
}

impl Answer {
    /// 400: what the drafts recommend, since 401 would ask for `Authorization`.
    pub(super) const BAD_REQUEST: Self = Self { status: 400, authenticate: None };
    /// What draft-ietf-wimse-wpt-02 recommends for a proof that is refused.
    pub(super) const WPT: Self = Self { status: 401, authenticate: Some("WPT") };
    /// Not the client's fault.
    const UNAVAILABLE: Self = Self { status: 503, authenticate: None };

    /// What fits the error, where `proof` is how a protocol answers a proof that is refused.
    pub(super) fn to(why: &ProofError, proof: Self) -> Self {
        use ProofError as E;
        match why {
            E::Cleartext | E::Header(_) | E::NoWit | E::WitForm | E::WitInAuthorization | E::Wit(_) => {
                Self::BAD_REQUEST
            }
            E::Replay(ReplayError::Full) | E::Random(_) | E::Sign(_) | E::Held(_) => Self::UNAVAILABLE,
            _ => proof,
        }
    }
}
