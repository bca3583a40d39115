//! A client that writes whatever comes to its mind, on names that it shares with the others.

use std::collections::BTreeMap;
use std::time::Instant;

use proto::spire::api::server::agent::v1::agent_client::AgentClient;
use proto::spire::api::server::agent::v1::{
    AgentX509svidParams, BanAgentRequest, CreateJoinTokenRequest, DeleteAgentRequest, PostStatusRequest,
    RenewAgentRequest,
};
use proto::spire::api::server::bundle::v1::bundle_client::BundleClient;
use proto::spire::api::server::bundle::v1::{
    AppendBundleRequest, BatchCreateFederatedBundleRequest, BatchDeleteFederatedBundleRequest,
    BatchSetFederatedBundleRequest, BatchUpdateFederatedBundleRequest, GetBundleRequest,
};
use proto::spire::api::server::entry::v1::entry_client::EntryClient;
use proto::spire::api::server::entry::v1::{
    BatchCreateEntryRequest, BatchDeleteEntryRequest, BatchUpdateEntryRequest, ListEntriesRequest,
    list_entries_request,
};
use proto::spire::api::server::localauthority::v1::local_authority_client::LocalAuthorityClient;
use proto::spire::api::server::localauthority::v1::{
    ActivateJwtAuthorityRequest, GetJwtAuthorityStateRequest, PrepareJwtAuthorityRequest,
    RevokeJwtAuthorityRequest, TaintJwtAuthorityRequest,
};
use proto::spire::api::server::trustdomain::v1::trust_domain_client::TrustDomainClient;
use proto::spire::api::server::trustdomain::v1::{
    BatchCreateFederationRelationshipRequest, BatchDeleteFederationRelationshipRequest,
    BatchUpdateFederationRelationshipRequest,
};
use proto::spire::api::types::federation_relationship::BundleEndpointProfile;
use proto::spire::api::types::{
    self, Bundle, Entry, FederationRelationship, HttpsWebProfile, JwtKey, Selector, Spiffeid,
};
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::peers::{Node, csr};

/// What is written; each has to go well at least once.
pub(crate) const KINDS: [&str; 22] = [
    "entry create",
    "entry update",
    "entry delete",
    "bundle create",
    "bundle update",
    "bundle set",
    "bundle delete",
    "bundle append",
    "relationship create",
    "relationship update",
    "relationship delete",
    "token",
    "token with alias",
    "attest",
    "renew",
    "status",
    "ban",
    "evict",
    "authority prepare",
    "authority activate",
    "authority taint",
    "authority revoke",
];

/// Foreign trust domains that all writers share.
const FOREIGN: u64 = 5;
/// Paths of entries that all writers share.
const SHARED: u64 = 12;

/// One of the clients.
pub(crate) struct Writer {
    number: usize,
    random: u64,
    channel: Channel,
    port: u16,
    /// The server's own bundle, whose keys stand for those of the foreign trust domains.
    bundle: Bundle,
    done: BTreeMap<&'static str, u64>,
}

impl Writer {
    pub(crate) async fn new(number: usize, channel: Channel, port: u16) -> Self {
        let bundle = BundleClient::new(channel.clone()).get_bundle(GetBundleRequest::default()).await;
        let random = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self { number, random, channel, port, bundle: bundle.unwrap().into_inner(), done: BTreeMap::new() }
    }

    /// Writes, and tells how often each kind went well.
    ///
    /// # Panics
    /// When it is told what no client may be told.
    pub(crate) async fn write_until(mut self, end: Instant) -> BTreeMap<&'static str, u64> {
        while Instant::now() < end {
            // One client changes authorities, so that there is always one that signs.
            if self.number == 0 {
                self.authorities().await;
                continue;
            }
            match self.below(10) {
                0..5 => self.entries().await,
                5..7 => self.bundles().await,
                7 => self.relationships().await,
                8 => self.tokens().await,
                _ => self.agents().await,
            }
        }
        self.done
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % bound
    }

    /// Counts what went well, passes over what was the others' doing, and ends the test for anything else.
    fn told(&mut self, kind: &'static str, code: Code, message: &str) -> bool {
        match code {
            Code::Ok => {
                *self.done.entry(kind).or_default() += 1;
                true
            }
            Code::NotFound | Code::AlreadyExists | Code::Aborted | Code::FailedPrecondition => {
                let message = message.to_lowercase();
                let inner = ["deadlock", "database", "locked", "busy", "sqlite"];
                assert!(!inner.iter().any(|word| message.contains(word)), "{kind}: {code:?}: {message}");
                false
            }
            _ => panic!("{kind}: {code:?}: {message}"),
        }
    }

    fn call<T>(&mut self, kind: &'static str, answer: Result<tonic::Response<T>, Status>) -> Option<T> {
        match answer {
            Ok(answer) => {
                self.told(kind, Code::Ok, "");
                Some(answer.into_inner())
            }
            Err(status) => {
                self.told(kind, status.code(), status.message());
                None
            }
        }
    }

    fn item(&mut self, kind: &'static str, status: Option<types::Status>) -> bool {
        let status = status.unwrap();
        self.told(kind, Code::from(status.code), &status.message)
    }

    /// The results of a batch, which is never refused as a whole.
    fn batch<T>(&mut self, kind: &'static str, answer: Result<tonic::Response<T>, Status>) -> T {
        match answer {
            Ok(answer) => answer.into_inner(),
            Err(status) => panic!("{kind}: {status:?}"),
        }
    }

    fn foreign(&mut self) -> String {
        format!("foreign{}.test", self.below(FOREIGN))
    }

    fn entry(&mut self) -> Entry {
        let path = match self.below(2) {
            0 => format!("/shared/{}", self.below(SHARED)),
            _ => format!("/own/{}/{}", self.number, self.random),
        };
        let federates_with = if self.below(3) == 0 { vec![self.foreign()] } else { Vec::new() };
        Entry {
            spiffe_id: id(&path),
            parent_id: id("/node"),
            selectors: vec![Selector { r#type: "unix".to_owned(), value: "uid:1".to_owned() }],
            federates_with,
            ..Entry::default()
        }
    }

    async fn entries(&mut self) {
        let mut client = EntryClient::new(self.channel.clone());
        let entries = (0..1 + self.below(8)).map(|_| self.entry()).collect();
        let request = BatchCreateEntryRequest { entries, output_mask: None };
        let answer = self.batch("entry create", client.batch_create_entry(request).await);
        let mut ids = Vec::new();
        let mut made = Vec::new();
        for result in answer.results {
            self.item("entry create", result.status);
            // One that somebody else made is written to as well.
            if let Some(mut entry) = result.entry {
                entry.hint = format!("{}", self.below(1000));
                ids.push(entry.id.clone());
                made.push(entry);
            }
        }
        let input_mask = Some(types::EntryMask { hint: true, ..types::EntryMask::default() });
        let request = BatchUpdateEntryRequest { entries: made, input_mask, output_mask: None };
        let answer = self.batch("entry update", client.batch_update_entry(request).await);
        for result in answer.results {
            self.item("entry update", result.status);
        }
        let answer =
            self.batch("entry delete", client.batch_delete_entry(BatchDeleteEntryRequest { ids }).await);
        for result in answer.results {
            self.item("entry delete", result.status);
        }
    }

    async fn bundles(&mut self) {
        let mut client = BundleClient::new(self.channel.clone());
        let bundle = vec![Bundle {
            trust_domain: self.foreign(),
            refresh_hint: i64::try_from(self.below(1000)).unwrap(),
            ..self.bundle.clone()
        }];
        match self.below(10) {
            0..3 => {
                let request = BatchCreateFederatedBundleRequest { bundle, output_mask: None };
                let answer = client.batch_create_federated_bundle(request).await;
                let answer = self.batch("bundle create", answer);
                answer.results.into_iter().for_each(|r| _ = self.item("bundle create", r.status));
            }
            3..5 => {
                let request =
                    BatchUpdateFederatedBundleRequest { bundle, input_mask: None, output_mask: None };
                let answer = client.batch_update_federated_bundle(request).await;
                let answer = self.batch("bundle update", answer);
                answer.results.into_iter().for_each(|r| _ = self.item("bundle update", r.status));
            }
            5..7 => {
                let request = BatchSetFederatedBundleRequest { bundle, output_mask: None };
                let answer = client.batch_set_federated_bundle(request).await;
                let answer = self.batch("bundle set", answer);
                answer.results.into_iter().for_each(|r| _ = self.item("bundle set", r.status));
            }
            7..9 => {
                let trust_domains = vec![self.foreign()];
                let mode = i32::try_from(self.below(3)).unwrap();
                let request = BatchDeleteFederatedBundleRequest { trust_domains, mode };
                let answer = client.batch_delete_federated_bundle(request).await;
                let answer = self.batch("bundle delete", answer);
                answer.results.into_iter().for_each(|r| _ = self.item("bundle delete", r.status));
            }
            _ => {
                let key = self.bundle.jwt_authorities.first().cloned().unwrap();
                let key_id = format!("appended-{}", self.below(4));
                let jwt_authorities = vec![JwtKey { key_id, ..key }];
                let request = AppendBundleRequest { jwt_authorities, ..AppendBundleRequest::default() };
                let answer = client.append_bundle(request).await;
                self.call("bundle append", answer);
            }
        }
    }

    async fn relationships(&mut self) {
        let mut client = TrustDomainClient::new(self.channel.clone());
        let trust_domain = self.foreign();
        let relationships = vec![FederationRelationship {
            trust_domain: trust_domain.clone(),
            bundle_endpoint_url: format!("https://{trust_domain}/{}", self.below(1000)),
            bundle_endpoint_profile: Some(BundleEndpointProfile::HttpsWeb(HttpsWebProfile {})),
            trust_domain_bundle: None,
        }];
        let request = BatchCreateFederationRelationshipRequest {
            federation_relationships: relationships.clone(),
            output_mask: None,
        };
        let answer = client.batch_create_federation_relationship(request).await;
        let answer = self.batch("relationship create", answer);
        answer.results.into_iter().for_each(|r| _ = self.item("relationship create", r.status));
        let request = BatchUpdateFederationRelationshipRequest {
            federation_relationships: relationships,
            input_mask: None,
            output_mask: None,
        };
        let answer = client.batch_update_federation_relationship(request).await;
        let answer = self.batch("relationship update", answer);
        answer.results.into_iter().for_each(|r| _ = self.item("relationship update", r.status));
        let request = BatchDeleteFederationRelationshipRequest { trust_domains: vec![trust_domain] };
        let answer = client.batch_delete_federation_relationship(request).await;
        let answer = self.batch("relationship delete", answer);
        answer.results.into_iter().for_each(|r| _ = self.item("relationship delete", r.status));
    }

    async fn token(&mut self, kind: &'static str, agent_id: Option<Spiffeid>) -> Option<String> {
        let request = CreateJoinTokenRequest { ttl: 60, token: String::new(), agent_id };
        let answer = AgentClient::new(self.channel.clone()).create_join_token(request).await;
        self.call(kind, answer).map(|token| token.value)
    }

    async fn tokens(&mut self) {
        self.token("token", None).await;
        let alias = id(&format!("/alias/{}/{}", self.number, self.random));
        self.token("token with alias", alias.clone()).await;
        // The alias is an entry, which is not to pile up.
        let filter = list_entries_request::Filter { by_spiffe_id: alias, ..Default::default() };
        let request = ListEntriesRequest { filter: Some(filter), ..ListEntriesRequest::default() };
        let mut client = EntryClient::new(self.channel.clone());
        let found = client.list_entries(request).await.unwrap().into_inner().entries;
        assert_eq!(found.len(), 1, "what was written is there at once");
        let ids = found.into_iter().map(|entry| entry.id).collect();
        let answer = client.batch_delete_entry(BatchDeleteEntryRequest { ids }).await;
        let answer = self.batch("entry delete", answer);
        answer.results.into_iter().for_each(|r| _ = self.item("entry delete", r.status));
    }

    async fn agents(&mut self) {
        let Some(token) = self.token("token", None).await else { return };
        let node = match Node::join_with(self.port, token).await {
            Ok(node) => node,
            Err(status) => panic!("attest: {status:?}"),
        };
        self.told("attest", Code::Ok, "");
        let mut own = AgentClient::new(node.connect(self.port));
        let request = PostStatusRequest { current_bundle_serial: 1, agent_version: "test".to_owned() };
        let answer = own.post_status(request).await;
        self.call("status", answer);
        let request = RenewAgentRequest { params: Some(AgentX509svidParams { csr: csr() }) };
        let answer = own.renew_agent(request).await;
        self.call("renew", answer);
        let mut admin = AgentClient::new(self.channel.clone());
        if self.below(2) == 0 {
            let answer = admin.ban_agent(BanAgentRequest { id: Some(node.id.clone()) }).await;
            self.call("ban", answer);
        }
        let answer = admin.delete_agent(DeleteAgentRequest { id: Some(node.id) }).await;
        self.call("evict", answer);
    }

    /// A JWT key from its making to its end.
    async fn authorities(&mut self) {
        let mut client = LocalAuthorityClient::new(self.channel.clone());
        let answer = client.prepare_jwt_authority(PrepareJwtAuthorityRequest {}).await;
        let Some(prepared) = self.call("authority prepare", answer) else { return };
        let authority_id = prepared.prepared_authority.unwrap().authority_id;
        let request = ActivateJwtAuthorityRequest { authority_id };
        let answer = client.activate_jwt_authority(request).await;
        self.call("authority activate", answer);
        let state =
            client.get_jwt_authority_state(GetJwtAuthorityStateRequest {}).await.unwrap().into_inner();
        let Some(old) = state.old else { return };
        let request = TaintJwtAuthorityRequest { authority_id: old.authority_id.clone() };
        let answer = client.taint_jwt_authority(request).await;
        self.call("authority taint", answer);
        let request = RevokeJwtAuthorityRequest { authority_id: old.authority_id };
        let answer = client.revoke_jwt_authority(request).await;
        self.call("authority revoke", answer);
    }
}

fn id(path: &str) -> Option<Spiffeid> {
    Some(Spiffeid { trust_domain: "example.org".to_owned(), path: path.to_owned() })
}
