use crate::SpiffeId;
use crate::wit::VerifiedWit;

/// A WIT-SVID with a proof that whoever sent the message has its key. Nothing but the verification of a proof builds one.
#[derive(Debug, Clone)]
pub struct ProvenWit {
    wit: VerifiedWit,
}

impl ProvenWit {
    /// Who sent the message.
    pub fn id(&self) -> &SpiffeId {
        self.wit.wit().subject()
    }

    /// The token and what it was verified against.
    pub fn verified(&self) -> &VerifiedWit {
        &self.wit
    }
}
