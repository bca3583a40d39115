//! Node attestation by a join token: a secret that the server made for one node and accepts once.

use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use model::ports::{AttestError, Challenger, NodeAttestor, NodeProof, Prover, TokenSpender};
use model::{Attested, Selectors};
use spiffe::{SpiffeId, TrustDomain};
use zeroize::Zeroizing;

const NAME: &str = "join_token";
/// The longest token that is looked up: what SPIRE's databases hold.
const MAX_TOKEN: usize = 255;

/// The server's half: the node is `/spire/agent/join_token/<token>`, without selectors, and cannot attest again.
pub struct Server {
    trust_domain: TrustDomain,
    tokens: Arc<dyn TokenSpender>,
}

impl Server {
    /// Believes nodes that hold a token which `tokens` lets them spend.
    pub fn new(trust_domain: TrustDomain, tokens: Arc<dyn TokenSpender>) -> Self {
        Self { trust_domain, tokens }
    }

    /// The identity that a token stands for. Fails when the token cannot be a segment of a SPIFFE ID's path.
    pub fn agent_id(trust_domain: &TrustDomain, token: &str) -> Result<SpiffeId, AttestError> {
        if token.is_empty() || token.len() > MAX_TOKEN || token.contains('/') {
            return Err(AttestError::Invalid(
                "failed to create join token ID: the token is malformed".to_owned(),
            ));
        }
        SpiffeId::new(trust_domain, &format!("/spire/agent/{NAME}/{token}"))
            .map_err(|cause| AttestError::Invalid(format!("failed to create join token ID: {cause}")))
    }
}

#[async_trait]
impl NodeAttestor for Server {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn attest(
        &self,
        payload: &[u8],
        _: &mut dyn Challenger,
        now: SystemTime,
    ) -> Result<Attested, AttestError> {
        let token = std::str::from_utf8(payload)
            .map_err(|_| AttestError::Invalid("the join token is not text".to_owned()))?;
        // before it is spent: a token that yields no identity would be lost
        let id = Self::agent_id(&self.trust_domain, token)?;
        self.tokens.spend(token).await?;
        Ok(Attested::vouched_by(NAME, id, Selectors::default(), false, now))
    }
}

/// The agent's half: sends the token.
pub struct Agent {
    token: Option<Zeroizing<String>>,
}

impl Agent {
    /// With the token from the command line, the environment or the configuration; `None` when there was none, so
    /// that an agent which no longer has to attest starts without.
    pub fn new(token: Option<String>) -> Self {
        Self { token: token.map(Zeroizing::new) }
    }
}

#[async_trait]
impl NodeProof for Agent {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn prove(&self, server: &mut dyn Prover) -> Result<(), AttestError> {
        let token = self.token.as_ref().filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| AttestError::Invalid("join token was not provided".to_owned()))?;
        match server.send(token.as_bytes().to_vec()).await? {
            None => Ok(()),
            Some(_) => {
                Err(AttestError::Failed("the server challenged a join token, which has no answer".to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;
    use std::time::UNIX_EPOCH;

    use super::*;

    struct Tokens(Mutex<BTreeSet<String>>);

    #[async_trait]
    impl TokenSpender for Tokens {
        async fn spend(&self, token: &str) -> Result<(), AttestError> {
            let known = self.0.lock().unwrap().remove(token);
            known.then_some(()).ok_or_else(|| AttestError::Denied("unknown token".to_owned()))
        }
    }

    struct Silent;

    #[async_trait]
    impl Challenger for Silent {
        async fn challenge(&mut self, _: Vec<u8>) -> Result<Vec<u8>, AttestError> {
            Err(AttestError::BrokenOff("nobody asked".to_owned()))
        }
    }

    fn server() -> (Arc<Tokens>, Server) {
        let tokens = Arc::new(Tokens(Mutex::new(["good".to_owned(), "a/b".to_owned()].into())));
        (Arc::clone(&tokens), Server::new(TrustDomain::parse("example.org").unwrap(), tokens))
    }

    struct Kept(Vec<Vec<u8>>);

    #[async_trait]
    impl Prover for Kept {
        async fn send(&mut self, message: Vec<u8>) -> Result<Option<Vec<u8>>, AttestError> {
            self.0.push(message);
            Ok(None)
        }
    }

    #[tokio::test]
    async fn a_token_works_once() {
        let (_, server) = server();
        let attested = server.attest(b"good", &mut Silent, UNIX_EPOCH).await.unwrap();
        assert_eq!(attested.agent_id().as_str(), "spiffe://example.org/spire/agent/join_token/good");
        assert!(attested.selectors().is_empty());
        assert!(!attested.can_reattest());
        let again = server.attest(b"good", &mut Silent, UNIX_EPOCH).await;
        assert!(matches!(again, Err(AttestError::Denied(_))));
    }

    #[tokio::test]
    async fn a_malformed_token_is_not_spent() {
        let (tokens, server) = server();
        for bad in [&b"a/b"[..], b"", b"\xff", b"..", &[b'a'; 256]] {
            let refused = server.attest(bad, &mut Silent, UNIX_EPOCH).await;
            assert!(matches!(refused, Err(AttestError::Invalid(_))), "{bad:?}");
        }
        assert!(tokens.0.lock().unwrap().contains("a/b"));
    }

    #[tokio::test]
    async fn the_agent_sends_the_bare_token() {
        let mut sent = Kept(Vec::new());
        Agent::new(Some("good".to_owned())).prove(&mut sent).await.unwrap();
        assert_eq!(sent.0, [b"good".to_vec()]);
    }

    #[tokio::test]
    async fn an_agent_without_a_token_says_so() {
        let refused = Agent::new(None).prove(&mut Kept(Vec::new())).await.unwrap_err();
        assert_eq!(refused.to_string(), "join token was not provided");
    }
}
