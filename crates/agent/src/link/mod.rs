//! Connections to the server.

mod dial;
mod explain;
mod first_server;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use kit::clock::Clock;
use kit::rpc::Outgoing;
use spiffe::{SpiffeId, TrustDomain};
use spiffe_tls::{Authorize, BundleHandle, IdentitySource, TlsError};
use tokio::sync::watch;
use tonic::Status;
use tonic::transport::Channel;

pub(crate) use dial::{Address, Dial};
pub(crate) use explain::explain;

/// A connection to the server. Its calls stand in the trace of who makes them.
pub(crate) type Connection = Outgoing<Channel>;

/// How long an answer may take (SPIRE 1.16).
pub(crate) const RPC_TIMEOUT: Duration = Duration::from_secs(30);

/// The answer, or `DeadlineExceeded`.
pub(crate) async fn deadline<T>(answer: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    match tokio::time::timeout(RPC_TIMEOUT, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(Status::deadline_exceeded("the server did not answer within 30 seconds")),
    }
}

/// Whom an agent talks to.
pub(crate) fn server_id(trust_domain: &TrustDomain) -> SpiffeId {
    SpiffeId::new(trust_domain, "/spire/server").expect("the path is well-formed")
}

/// What a connection to the server is made with.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: Address,
    pub(crate) trust_domain: TrustDomain,
    pub(crate) trust: BundleHandle,
    pub(crate) clock: Clock,
}

impl Server {
    /// A connection that shows no certificate, for attestation. The server's is verified.
    pub(crate) fn anonymous(&self) -> Result<Connection, TlsError> {
        self.connect(None)
    }

    /// The same to whichever server answers. Its name is looked at, which anybody can write into a certificate.
    pub(crate) fn danger_first(&self) -> Result<Connection, TlsError> {
        let config = first_server::danger_config(server_id(&self.trust_domain))?;
        Ok(Outgoing(Dial::new(self.address.clone(), config).channel()))
    }

    fn connect(&self, identity: Option<Arc<IdentitySource>>) -> Result<Connection, TlsError> {
        let clock = self.clock.clone();
        let server = Authorize::Id(server_id(&self.trust_domain));
        let config =
            spiffe_tls::client_config(identity, self.trust.clone(), server, Arc::new(move || clock.now()))?;
        Ok(Outgoing(Dial::new(self.address.clone(), config).channel()))
    }
}

/// The connection that shows the agent's own SVID: replaced when the SVID is, since a server looks at it once.
pub(crate) struct Link {
    server: Server,
    identity: Arc<IdentitySource>,
    channel: ArcSwap<Connection>,
    renewed: watch::Sender<u64>,
}

impl Link {
    pub(crate) fn new(server: Server, identity: Arc<IdentitySource>) -> Result<Self, TlsError> {
        let channel = server.connect(Some(identity.clone()))?;
        Ok(Self { server, identity, channel: ArcSwap::from_pointee(channel), renewed: watch::Sender::new(0) })
    }

    /// The connection of now. It is opened when first used, and again when it broke.
    pub(crate) fn channel(&self) -> Connection {
        self.channel.load().as_ref().clone()
    }

    /// Makes the next call use a new connection: the SVID changed, or the old connection is dead without saying so.
    pub(crate) fn renew(&self) {
        match self.server.connect(Some(self.identity.clone())) {
            Ok(channel) => {
                self.channel.store(Arc::new(channel));
                self.renewed.send_modify(|count| *count += 1);
            }
            Err(error) => tracing::error!(error = %error, "Cannot prepare a connection to the server"),
        }
    }

    /// The number of the connection that the next call uses.
    pub(crate) fn number(&self) -> u64 {
        *self.renewed.borrow()
    }

    /// Moves with each renewal.
    pub(crate) fn renewals(&self) -> watch::Receiver<u64> {
        self.renewed.subscribe()
    }

    /// Notes how a call ended: a connection on which nothing is answered is replaced.
    pub(crate) fn note(&self, status: &Status) {
        if status.code() == tonic::Code::DeadlineExceeded {
            self.renew();
        }
    }
}
