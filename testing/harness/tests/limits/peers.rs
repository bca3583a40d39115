//! Agents that are no programs: a key, an SVID and a channel.

use std::time::Duration;

use harness::Domain;
use proto::spire::api::server::agent::v1::agent_client::AgentClient;
use proto::spire::api::server::agent::v1::{
    AgentX509svidParams, AttestAgentRequest, attest_agent_request, attest_agent_response,
};
use proto::spire::api::types::{self, AttestationData};
use spiffe::key::{KeyType, PrivateKey};
use spiffe::x509::{Certificate, Csr};
use tokio_stream::StreamExt as _;
use tonic::Status;
use tonic::transport::Channel;

use super::wire::{Shown, over_tls};

/// An agent of the server.
pub(crate) struct Node {
    pub(crate) id: types::Spiffeid,
    pub(crate) shown: Shown,
}

impl Node {
    /// Attests with a fresh join token.
    pub(crate) async fn join(domain: &Domain) -> Self {
        let token = domain.cli(&["token", "generate"]).succeeds().stdout;
        let token = token.lines().find_map(|line| line.strip_prefix("Token: ")).unwrap().trim().to_owned();
        Self::join_with(domain.port(), token).await.unwrap()
    }

    /// Attests with this token.
    pub(crate) async fn join_with(port: u16, token: String) -> Result<Self, Status> {
        let key = PrivateKey::generate(KeyType::EcP256).unwrap();
        let csr = Csr::build(&key, None, &[]).unwrap();
        let chain = attest(over_tls(port, None), token, csr).await?;
        let leaf = Certificate::parse(chain.first().unwrap().clone()).unwrap();
        let uri = leaf.uri_sans().first().unwrap().clone();
        let id = path_of(&uri);
        Ok(Self { id, shown: Shown { chain, key: key.to_pkcs8().to_vec() } })
    }

    /// A new connection of it.
    pub(crate) fn connect(&self, port: u16) -> Channel {
        over_tls(port, Some(self.shown.clone()))
    }

    /// Its ID in print.
    pub(crate) fn printed(&self) -> String {
        format!("spiffe://{}{}", self.id.trust_domain, self.id.path)
    }
}

/// The words of an ID.
pub(crate) fn path_of(uri: &str) -> types::Spiffeid {
    let (trust_domain, path) = uri.strip_prefix("spiffe://").and_then(|rest| rest.split_once('/')).unwrap();
    types::Spiffeid { trust_domain: trust_domain.to_owned(), path: format!("/{path}") }
}

/// A certificate request with a key of its own.
pub(crate) fn csr() -> Vec<u8> {
    Csr::build(&PrivateKey::generate(KeyType::EcP256).unwrap(), None, &[]).unwrap()
}

/// Attests over `channel`; the chain that comes of it.
pub(crate) async fn attest(channel: Channel, token: String, csr: Vec<u8>) -> Result<Vec<Vec<u8>>, Status> {
    let params = attest_agent_request::Params {
        data: Some(AttestationData { r#type: "join_token".to_owned(), payload: token.into_bytes() }),
        params: Some(AgentX509svidParams { csr }),
    };
    let request = AttestAgentRequest { step: Some(attest_agent_request::Step::Params(params)) };
    let requests = tokio_stream::once(request).chain(tokio_stream::pending());
    let mut answers = AgentClient::new(channel).attest_agent(requests).await?.into_inner();
    match answers.message().await?.and_then(|answer| answer.step) {
        Some(attest_agent_response::Step::Result(result)) => Ok(result.svid.unwrap_or_default().cert_chain),
        other => Err(Status::unknown(format!("instead of an SVID came {other:?}"))),
    }
}

/// Attests with a token that does not exist, within that time if one is given.
pub(crate) async fn attest_within(channel: Channel, limit: Option<Duration>) -> Result<(), Status> {
    let params = attest_agent_request::Params {
        data: Some(AttestationData { r#type: "join_token".to_owned(), payload: b"none".to_vec() }),
        params: Some(AgentX509svidParams { csr: csr() }),
    };
    let request = AttestAgentRequest { step: Some(attest_agent_request::Step::Params(params)) };
    let mut request = tonic::Request::new(tokio_stream::once(request).chain(tokio_stream::pending()));
    if let Some(limit) = limit {
        request.set_timeout(limit);
    }
    // The connection is made first: its time is not the call's.
    let mut client = AgentClient::new(channel);
    client.attest_agent(request).await?.into_inner().message().await.map(|_| ())
}
