//! The stream between the two halves, without a network.

use std::time::SystemTime;

use async_trait::async_trait;
use model::Attested;
use model::ports::{AttestError, Challenger, NodeAttestor, NodeProof, Prover};
use spiffe::TrustDomain;
use tokio::sync::mpsc;

pub(crate) fn trust_domain() -> TrustDomain {
    TrustDomain::parse("example.org").unwrap()
}

struct Node {
    to: mpsc::Sender<Vec<u8>>,
    from: mpsc::Receiver<Vec<u8>>,
}

#[async_trait]
impl Challenger for Node {
    async fn challenge(&mut self, challenge: Vec<u8>) -> Result<Vec<u8>, AttestError> {
        let gone = || AttestError::BrokenOff("the agent is gone".to_owned());
        self.to.send(challenge).await.map_err(|_| gone())?;
        self.from.recv().await.ok_or_else(gone)
    }
}

struct Wire {
    to: mpsc::Sender<Vec<u8>>,
    from: mpsc::Receiver<Vec<u8>>,
}

#[async_trait]
impl Prover for Wire {
    async fn send(&mut self, message: Vec<u8>) -> Result<Option<Vec<u8>>, AttestError> {
        let sent = self.to.send(message).await;
        sent.map_err(|_| AttestError::BrokenOff("the server is gone".to_owned()))?;
        Ok(self.from.recv().await)
    }
}

/// What the server makes of the agent.
pub(crate) async fn converse(
    agent: &dyn NodeProof,
    server: &dyn NodeAttestor,
    now: SystemTime,
) -> Result<Attested, AttestError> {
    let (to, mut from_agent) = mpsc::channel(1);
    let (to_agent, from) = mpsc::channel(1);
    let mut wire = Wire { to, from };
    let serve = async move {
        let payload = from_agent.recv().await.unwrap();
        server.attest(&payload, &mut Node { to: to_agent, from: from_agent }, now).await
    };
    let prove = async {
        let proven = agent.prove(&mut wire).await;
        drop(wire);
        proven
    };
    let (proven, attested) = tokio::join!(prove, serve);
    proven.unwrap();
    attested
}

/// A node that opens with `payload` and answers each challenge with what `answer` makes of it.
pub(crate) struct Saying<F>(pub(crate) F);

#[async_trait]
impl<F: FnMut(Vec<u8>) -> Vec<u8> + Send> Challenger for Saying<F> {
    async fn challenge(&mut self, challenge: Vec<u8>) -> Result<Vec<u8>, AttestError> {
        Ok(self.0(challenge))
    }
}
