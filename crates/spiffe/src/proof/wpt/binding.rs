use super::super::ProofError;
use super::super::http::Fields;
use super::super::presented::{AUTHORIZATION, is_jwt};

/// Where the proof stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WptBinding {
    /// In the field `Workload-Proof-Token`: draft-ietf-wimse-wpt-00 and -01.
    ProofTokenField,
    /// As `Authorization: WPT` with the token behind it: draft-ietf-wimse-wpt-02.
    Authorization,
}

impl WptBinding {
    /// The name of the header field.
    pub fn field(self) -> &'static str {
        match self {
            Self::ProofTokenField => "Workload-Proof-Token",
            Self::Authorization => AUTHORIZATION,
        }
    }

    pub(super) fn value(self, proof: String) -> String {
        match self {
            Self::ProofTokenField => proof,
            Self::Authorization => format!("WPT {proof}"),
        }
    }

    /// The proof of a request, of which there must be exactly one.
    pub(super) fn proof(self, fields: Fields<'_>) -> Result<&str, ProofError> {
        let value = fields.one(self.field())?.ok_or(ProofError::NoProof)?;
        let proof = match self {
            Self::ProofTokenField => Some(value),
            Self::Authorization => value
                .split_once(' ')
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("WPT"))
                .map(|(_, token)| token.trim_start_matches(' ')),
        };
        proof.filter(|proof| is_jwt(proof)).ok_or(ProofError::NoProof)
    }
}
