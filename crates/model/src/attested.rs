use std::time::SystemTime;

use spiffe::SpiffeId;

use crate::Selectors;

/// Why a node was believed, with what it may call itself. A node attestor alone builds one, at the end of a proof;
/// whatever signs an agent's SVID demands it.
#[derive(Debug, Clone)]
pub struct Attested {
    agent_id: SpiffeId,
    selectors: Selectors,
    can_reattest: bool,
    attestor: &'static str,
    at: SystemTime,
    first_use: bool,
}

impl Attested {
    /// For node attestors, after the proof has been checked: `attestor` vouches at `at` that the peer is `agent_id`.
    pub fn vouched_by(
        attestor: &'static str,
        agent_id: SpiffeId,
        selectors: Selectors,
        can_reattest: bool,
        at: SystemTime,
    ) -> Self {
        Self { agent_id, selectors, can_reattest, attestor, at, first_use: false }
    }

    /// For node attestors whose proof anyone on the node may be able to repeat later: it counts only as long as no
    /// agent of that identity is known.
    #[must_use]
    pub fn on_first_use(self) -> Self {
        Self { first_use: true, ..self }
    }

    /// Whether it counts only if no agent of that identity is known.
    pub fn is_on_first_use(&self) -> bool {
        self.first_use
    }

    /// The identity of the node.
    pub fn agent_id(&self) -> &SpiffeId {
        &self.agent_id
    }

    /// What was found out about the node.
    pub fn selectors(&self) -> &Selectors {
        &self.selectors
    }

    /// Whether the same proof may be given again.
    pub fn can_reattest(&self) -> bool {
        self.can_reattest
    }

    /// Which attestor believed it.
    pub fn attestor(&self) -> &'static str {
        self.attestor
    }

    /// When.
    pub fn at(&self) -> SystemTime {
        self.at
    }
}
