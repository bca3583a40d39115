//! What a run asks of the server's admin socket.

use std::path::Path;
use std::sync::Arc;

use proto::spire::api::server::agent::v1::agent_client::AgentClient;
use proto::spire::api::server::agent::v1::{CreateJoinTokenRequest, DeleteAgentRequest, ListAgentsRequest};
use proto::spire::api::server::bundle::v1::GetBundleRequest;
use proto::spire::api::server::bundle::v1::bundle_client::BundleClient;
use proto::spire::api::server::entry::v1::entry_client::EntryClient;
use proto::spire::api::server::entry::v1::{BatchCreateEntryRequest, BatchDeleteEntryRequest};
use proto::spire::api::server::localauthority::v1::local_authority_client::LocalAuthorityClient;
use proto::spire::api::server::localauthority::v1::{
    ActivateX509AuthorityRequest, GetX509AuthorityStateRequest, PrepareX509AuthorityRequest,
    TaintX509AuthorityRequest,
};
use proto::spire::api::types;
use spiffe::bundle::X509Authority;
use spiffe::x509::Certificate;
use spiffe::{Bundle, SpiffeId, TrustDomain};
use tonic::transport::Channel;

use crate::fault::Fault;
use crate::wire;

/// How many entries go into one call: what SPIRE's own commands and controllers send.
pub(crate) const BATCH: usize = 50;
/// How long a token may wait, in seconds.
const TOKEN_TTL: i32 = 60;

/// A connection to the admin socket.
#[derive(Clone)]
pub(crate) struct Admin(Channel);

impl Admin {
    pub(crate) async fn connect(socket: &Path) -> Result<Self, Fault> {
        Ok(Self(wire::unix(socket).await?))
    }

    /// The bundle of the server's trust domain.
    pub(crate) async fn bundle(&self) -> Result<Arc<Bundle>, Fault> {
        const DOING: &str = "asking for the bundle";
        let mut client = BundleClient::new(self.0.clone());
        let answer =
            client.get_bundle(GetBundleRequest::default()).await.map_err(Fault::call(DOING))?.into_inner();
        let td = TrustDomain::parse(&answer.trust_domain).map_err(Fault::credentials)?;
        let mut bundle = Bundle::new(td);
        for authority in answer.x509_authorities {
            let certificate = Certificate::parse(authority.asn1).map_err(Fault::credentials)?;
            let authority = X509Authority { certificate, tainted: authority.tainted };
            bundle.push_x509(authority).map_err(Fault::credentials)?;
        }
        Ok(Arc::new(bundle))
    }

    pub(crate) async fn join_token(&self) -> Result<String, Fault> {
        let request = CreateJoinTokenRequest { ttl: TOKEN_TTL, token: String::new(), agent_id: None };
        let answer = AgentClient::new(self.0.clone()).create_join_token(request).await;
        Ok(answer.map_err(Fault::call("making a join token"))?.into_inner().value)
    }

    /// Removes an agent.
    pub(crate) async fn evict(&self, agent: &SpiffeId) -> Result<(), Fault> {
        let request = DeleteAgentRequest { id: Some(id(agent)) };
        let answer = AgentClient::new(self.0.clone()).delete_agent(request).await;
        answer.map(drop).map_err(Fault::call("removing the agent of this run"))
    }

    /// The one agent that the server has.
    pub(crate) async fn only_agent(&self) -> Result<SpiffeId, Fault> {
        const DOING: &str = "listing the agents";
        let answer = AgentClient::new(self.0.clone()).list_agents(ListAgentsRequest::default()).await;
        let agents = answer.map_err(Fault::call(DOING))?.into_inner().agents;
        match agents.as_slice() {
            [types::Agent { id: Some(id), .. }] => {
                let td = TrustDomain::parse(&id.trust_domain).map_err(Fault::credentials)?;
                SpiffeId::new(&td, &id.path).map_err(Fault::credentials)
            }
            [] => Err(Fault::Usage("the server has no agent yet".to_owned())),
            many => {
                let count = many.len();
                Err(Fault::Usage(format!(
                    "the server has {count} agents; say with -parentID whose entries to make"
                )))
            }
        }
    }

    fn authorities(&self) -> LocalAuthorityClient<Channel> {
        LocalAuthorityClient::new(self.0.clone())
    }

    /// The name of the X.509 authority that signs, as it is said on the wire.
    pub(crate) async fn active_authority(&self) -> Result<String, Fault> {
        const DOING: &str = "asking for the authorities";
        let answer = self.authorities().get_x509_authority_state(GetX509AuthorityStateRequest {}).await;
        let active = answer.map_err(Fault::call(DOING))?.into_inner().active;
        Ok(active.ok_or(Fault::Answer { doing: DOING, what: "none signs" })?.authority_id)
    }

    /// Has the next X.509 authority made. Returns its subject key ID.
    pub(crate) async fn prepare_authority(&self) -> Result<Vec<u8>, Fault> {
        const DOING: &str = "preparing an authority";
        let answer = self.authorities().prepare_x509_authority(PrepareX509AuthorityRequest {}).await;
        let next = answer.map_err(Fault::call(DOING))?.into_inner().prepared_authority;
        let next = next.ok_or(Fault::Answer { doing: DOING, what: "there is none" })?.authority_id;
        unhex(&next).ok_or(Fault::Answer { doing: DOING, what: "its name is not hexadecimal" })
    }

    /// Has the prepared X.509 authority sign.
    pub(crate) async fn activate_authority(&self, id: &[u8]) -> Result<(), Fault> {
        let authority_id = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let answer =
            self.authorities().activate_x509_authority(ActivateX509AuthorityRequest { authority_id }).await;
        answer.map(drop).map_err(Fault::call("activating an authority"))
    }

    /// Has every SVID of the old X.509 authority replaced.
    pub(crate) async fn taint_authority(&self, id: &str) -> Result<(), Fault> {
        let request = TaintX509AuthorityRequest { authority_id: id.to_owned() };
        let answer = self.authorities().taint_x509_authority(request).await;
        answer.map(drop).map_err(Fault::call("tainting an authority"))
    }

    /// Creates entries and returns their IDs, in order.
    pub(crate) async fn create(&self, entries: Vec<types::Entry>) -> Result<Vec<String>, Fault> {
        const DOING: &str = "creating entries";
        let request = BatchCreateEntryRequest { entries, output_mask: None };
        let answer = EntryClient::new(self.0.clone()).batch_create_entry(request).await;
        let results = answer.map_err(Fault::call(DOING))?.into_inner().results;
        let one = |result: proto::spire::api::server::entry::v1::batch_create_entry_response::Result| {
            fine(DOING, result.status)?;
            let entry = result.entry.ok_or(Fault::Answer { doing: DOING, what: "a result has no entry" })?;
            Ok(entry.id)
        };
        results.into_iter().map(one).collect()
    }

    /// Deletes entries.
    pub(crate) async fn delete(&self, ids: &[String]) -> Result<(), Fault> {
        const DOING: &str = "deleting entries";
        for some in ids.chunks(BATCH) {
            let request = BatchDeleteEntryRequest { ids: some.to_vec() };
            let answer = EntryClient::new(self.0.clone()).batch_delete_entry(request).await;
            for result in answer.map_err(Fault::call(DOING))?.into_inner().results {
                fine(DOING, result.status)?;
            }
        }
        Ok(())
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

/// An entry for whoever has the selector.
pub(crate) fn entry(parent: &SpiffeId, path: &str, selector: &str) -> types::Entry {
    let selector = types::Selector { r#type: "unix".to_owned(), value: selector.to_owned() };
    let spiffe_id =
        types::Spiffeid { trust_domain: parent.trust_domain().as_str().to_owned(), path: path.to_owned() };
    types::Entry {
        parent_id: Some(id(parent)),
        spiffe_id: Some(spiffe_id),
        selectors: vec![selector],
        ..types::Entry::default()
    }
}

/// A part of paths that no other run has used.
pub(crate) fn run_name() -> String {
    let clock = kit::clock::Clock::system();
    let since = clock.now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{:x}-{:x}", std::process::id(), since.as_micros())
}

fn id(id: &SpiffeId) -> types::Spiffeid {
    types::Spiffeid { trust_domain: id.trust_domain().as_str().to_owned(), path: id.path().to_owned() }
}

fn fine(doing: &'static str, status: Option<types::Status>) -> Result<(), Fault> {
    match status {
        Some(status) if status.code != 0 => Err(Fault::Refused { doing, message: status.message }),
        _ => Ok(()),
    }
}
