//! Plugins that can become others of their kind. What is under way ends with the settings that it began with.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use model::ports::{
    self, AttestError, Challenger, MintedCa, NodeAttestor, NodeProof, Peer, Prover, UpstreamAuthority,
    UpstreamError, WorkloadAttestor,
};
use model::{Attested, Selectors};
use spiffe::bundle::{Bundle, JwtAuthority};

/// One of them.
pub(super) struct Changing<P: ?Sized> {
    name: &'static str,
    now: ArcSwap<Arc<P>>,
}

impl<P: ?Sized> Changing<P> {
    pub(super) fn new(name: &'static str, first: Arc<P>) -> Arc<Self> {
        Arc::new(Self { name, now: ArcSwap::from_pointee(first) })
    }

    pub(super) fn become_another(&self, other: Arc<P>) {
        self.now.store(Arc::new(other));
    }

    fn now(&self) -> Arc<P> {
        Arc::clone(&self.now.load())
    }
}

#[async_trait]
impl ports::NodeAttestor for Changing<dyn NodeAttestor> {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn attest(
        &self,
        payload: &[u8],
        node: &mut dyn Challenger,
        now: SystemTime,
    ) -> Result<Attested, AttestError> {
        self.now().attest(payload, node, now).await
    }
}

#[async_trait]
impl ports::NodeProof for Changing<dyn NodeProof> {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn prove(&self, server: &mut dyn Prover) -> Result<(), AttestError> {
        self.now().prove(server).await
    }
}

#[async_trait]
impl ports::WorkloadAttestor for Changing<dyn WorkloadAttestor> {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn attest(&self, peer: &dyn Peer) -> Result<Selectors, AttestError> {
        self.now().attest(peer).await
    }

    /// What is known of a process by the settings before holds until it runs another program.
    fn lasting(&self) -> bool {
        self.now().lasting()
    }

    fn patience(&self) -> Duration {
        self.now().patience()
    }
}

#[async_trait]
impl ports::UpstreamAuthority for Changing<dyn UpstreamAuthority> {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn mint(&self, csr: Vec<u8>, ttl: Duration, now: SystemTime) -> Result<MintedCa, UpstreamError> {
        self.now().mint(csr, ttl, now).await
    }

    async fn publish_jwt(&self, key: &JwtAuthority) -> Result<bool, UpstreamError> {
        self.now().publish_jwt(key).await
    }

    async fn bundle(&self) -> Result<Option<Bundle>, UpstreamError> {
        self.now().bundle().await
    }
}
