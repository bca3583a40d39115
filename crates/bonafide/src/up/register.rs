//! What `up` asks of the server, over its admin socket.

use std::path::Path;

use proto::spire::api::server::agent::v1::CreateJoinTokenRequest;
use proto::spire::api::server::agent::v1::agent_client::AgentClient;
use proto::spire::api::server::bundle::v1::GetBundleRequest;
use proto::spire::api::server::bundle::v1::bundle_client::BundleClient;
use proto::spire::api::server::entry::v1::BatchCreateEntryRequest;
use proto::spire::api::server::entry::v1::entry_client::EntryClient;
use proto::spire::api::types;
use spiffe::SpiffeId;
use tonic::transport::Channel;

use super::files::Files;
use crate::start::Failure;

/// How long a join token may wait for its agent, in seconds.
const TOKEN_TTL: i32 = 300;

/// A connection to the admin socket.
pub(crate) struct Registrar(Channel);

impl Registrar {
    pub(crate) async fn connect(socket: &Path) -> Result<Self, Failure> {
        Ok(Self(ctl::connect(ctl::Peer::Server, socket).await?))
    }

    /// The X.509 authorities that the agent is to begin with.
    pub(crate) async fn bundle_pem(&self) -> Result<String, Failure> {
        let bundle =
            BundleClient::new(self.0.clone()).get_bundle(GetBundleRequest::default()).await?.into_inner();
        let pem = |authority: &types::X509Certificate| {
            spiffe::pem::encode(spiffe::pem::CERTIFICATE, &authority.asn1)
        };
        Ok(bundle.x509_authorities.iter().map(pem).collect())
    }

    /// A token with which this machine's agent attests; it also gives the agent the ID `node`.
    pub(crate) async fn join_token(&self, node: &SpiffeId) -> Result<String, Failure> {
        let request =
            CreateJoinTokenRequest { ttl: TOKEN_TTL, token: String::new(), agent_id: Some(wire(node)) };
        Ok(AgentClient::new(self.0.clone()).create_join_token(request).await?.into_inner().value)
    }

    /// An identity for whoever runs this.
    pub(crate) async fn person(&self, files: &Files) -> Result<(), Failure> {
        let uid = rustix::process::getuid().as_raw();
        let id = SpiffeId::new(files.trust_domain(), &format!("/user/{}", user_name(uid)))?;
        let entry = types::Entry {
            parent_id: Some(wire(&files.node_id()?)),
            spiffe_id: Some(wire(&id)),
            selectors: vec![types::Selector { r#type: "unix".into(), value: format!("uid:{uid}") }],
            ..types::Entry::default()
        };
        self.entries(vec![entry]).await
    }

    /// Creates entries; those that are there already are fine.
    pub(crate) async fn entries(&self, entries: Vec<types::Entry>) -> Result<(), Failure> {
        let request = BatchCreateEntryRequest { entries, output_mask: None };
        let response = EntryClient::new(self.0.clone()).batch_create_entry(request).await?.into_inner();
        let fine = [tonic::Code::Ok as i32, tonic::Code::AlreadyExists as i32];
        match response.results.into_iter().filter_map(|r| r.status).find(|s| !fine.contains(&s.code)) {
            Some(status) => Err(format!("the server refused an entry: {}", status.message).into()),
            None => Ok(()),
        }
    }
}

fn wire(id: &SpiffeId) -> types::Spiffeid {
    types::Spiffeid { trust_domain: id.trust_domain().as_str().to_owned(), path: id.path().to_owned() }
}

/// The user's name as far as an ID can carry it, else the number.
fn user_name(uid: u32) -> String {
    let fine = |name: &String| {
        !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
            && !name.starts_with('.')
    };
    std::env::var("USER").ok().filter(fine).unwrap_or_else(|| match uid {
        0 => "root".to_owned(),
        uid => uid.to_string(),
    })
}
