//! The agent that a run plays towards the server.

use std::net::SocketAddr;
use std::sync::Arc;

use proto::spire::api::server::agent::v1::agent_client::AgentClient;
use proto::spire::api::server::agent::v1::attest_agent_response::Step as Answer;
use proto::spire::api::server::agent::v1::{AgentX509svidParams, AttestAgentRequest, attest_agent_request};
use proto::spire::api::types::AttestationData;
use spiffe::key::{KeyType, PrivateKey};
use spiffe::x509::{Csr, X509Svid};
use spiffe::{BundleSet, SpiffeId};
use spiffe_tls::{BundleHandle, Identity, IdentitySource};
use tokio_stream::StreamExt;
use tonic::transport::Channel;

use crate::admin::Admin;
use crate::fault::Fault;
use crate::wire;

const DOING: &str = "attesting as an agent";

/// An attested agent with its connections.
pub(crate) struct Node {
    pub(crate) id: SpiffeId,
    pub(crate) channels: Vec<Channel>,
}

impl Node {
    /// Attests with a fresh join token, then opens the connections.
    pub(crate) async fn join(admin: &Admin, address: SocketAddr, connections: usize) -> Result<Self, Fault> {
        let bundle = admin.bundle().await?;
        let server = SpiffeId::new(bundle.trust_domain(), "/spire/server").map_err(Fault::credentials)?;
        let mut set = BundleSet::default();
        set.insert(bundle);
        let bundles = BundleHandle::default();
        bundles.store(Arc::new(set));

        let key = PrivateKey::generate(KeyType::EcP256).map_err(Fault::credentials)?;
        let csr = Csr::build(&key, None, &[]).map_err(Fault::credentials)?;
        let channel = wire::tls(address, server.clone(), bundles.clone(), None).await?;
        let svid = attest(channel, admin.join_token().await?, csr).await?;

        let id = svid.id().clone();
        let identity = IdentitySource::new();
        identity.set(Identity::new(svid, Arc::new(key)).map_err(Fault::credentials)?);
        let mut channels = Vec::new();
        for _ in 0..connections.max(1) {
            let connection = wire::tls(address, server.clone(), bundles.clone(), Some(identity.clone()));
            channels.push(connection.await?);
        }
        Ok(Self { id, channels })
    }
}

async fn attest(channel: Channel, token: String, csr: Vec<u8>) -> Result<X509Svid, Fault> {
    let params = attest_agent_request::Params {
        data: Some(AttestationData { r#type: "join_token".to_owned(), payload: token.into_bytes() }),
        params: Some(AgentX509svidParams { csr }),
    };
    let request = AttestAgentRequest { step: Some(attest_agent_request::Step::Params(params)) };
    // The stream of requests stays open until the answer is there.
    let requests = tokio_stream::once(request).chain(tokio_stream::pending());
    let answers = AgentClient::new(channel).attest_agent(requests).await.map_err(Fault::call(DOING))?;
    let answer = answers.into_inner().message().await.map_err(Fault::call(DOING))?;
    let Some(Answer::Result(result)) = answer.and_then(|answer| answer.step) else {
        return Err(Fault::Answer { doing: DOING, what: "there is no result in it" });
    };
    let svid = result.svid.ok_or(Fault::Answer { doing: DOING, what: "there is no SVID in it" })?;
    X509Svid::parse_chain(svid.cert_chain).map_err(Fault::credentials)
}
