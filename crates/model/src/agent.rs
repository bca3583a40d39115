use spiffe::SpiffeId;

use crate::{Selectors, UnixTime};

/// An attested node: the agent's SPIFFE ID and what the server keeps of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Agent {
    /// `spiffe://<td>/spire/agent/…`
    pub id: SpiffeId,
    /// The number of the change that created it: the order of lists. 0 until stored.
    pub ord: u64,
    /// The node attestor that believed it.
    pub attestation_type: String,
    /// Serial number of its X.509-SVID in decimal; empty when banned.
    pub serial: String,
    /// When that SVID ends.
    pub expires_at: UnixTime,
    /// Serial of the SVID it renewed to and has not used yet; empty when there is none.
    pub new_serial: String,
    /// When that one ends.
    pub new_expires_at: Option<UnixTime>,
    /// What the attestor said of the node.
    pub selectors: Selectors,
    /// Whether the node can attest again with the same proof.
    pub can_reattest: bool,
    /// The agent's own word about its version; empty when it has not said.
    pub version: String,
    /// One more at each write: guards against lost updates.
    pub revision: i64,
}

impl Agent {
    /// Banned agents keep their row, without a serial number (SPIRE 1.16).
    pub fn is_banned(&self) -> bool {
        self.serial.is_empty()
    }
}
