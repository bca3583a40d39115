//! From nothing, or from what is remembered, to an identity.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proto::spire::api::server::bundle::v1::GetBundleRequest;
use proto::spire::api::server::bundle::v1::bundle_client::BundleClient;
use spiffe::bundle::{Bundle, BundleSet, X509Authority};
use spiffe::key::Signer;
use spiffe::x509::X509Svid;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::Instant;
use tonic::{Code, Status};

use super::attest::{self, AttestFault};
use super::bootstrap::{self, BootstrapError};
use super::identity::{NodeIdentity, Own};
use super::{keys, state::AgentState};
use crate::backoff::Backoff;
use crate::error::AgentError;
use crate::link::{Connection, Server, deadline, explain};
use crate::metrics::{BOOTSTRAP_ATTEMPTS, BOOTSTRAP_SECONDS, BOOTSTRAPPED, NEW_SVID};
use crate::settings::{Adapters, Settings};

/// The first wait between attempts, and how long they go on (SPIRE 1.16).
const RETRY: Duration = Duration::from_secs(5);
const GIVE_UP: Duration = Duration::from_secs(60);
/// An SVID this near its end is no start.
const SKEW: Duration = Duration::from_secs(1);

/// A node that was attested.
pub(crate) struct Node {
    pub(crate) identity: NodeIdentity,
    pub(crate) bundle: Bundle,
}

/// Why an attempt failed.
enum Setback {
    /// Another will fail as well.
    Final(AgentError),
    /// Another may not.
    Passing(String),
}

impl<E: Into<AgentError>> From<E> for Setback {
    fn from(error: E) -> Self {
        Self::Final(error.into())
    }
}

/// Attests the node if need be, trying for a minute.
pub(crate) async fn start(
    settings: &Settings,
    adapters: &Adapters,
    server: &Server,
    state: &AgentState,
) -> Result<Node, AgentError> {
    let started = Instant::now();
    let mut start = Start {
        settings,
        adapters,
        server,
        state,
        key: None,
        attempt: 0,
        began: rfc3339(server.clock.now()),
        began_at: server.clock.now(),
    };
    let mut backoff = Backoff::new(RETRY, GIVE_UP);
    loop {
        let attempt = start.attempt().await;
        start.measure(attempt.is_ok());
        let last = match attempt {
            Ok(node) => return Ok(node),
            Err(Setback::Final(error)) => return Err(error),
            Err(Setback::Passing(why)) => why,
        };
        let wait = backoff.step();
        if started.elapsed() + wait > GIVE_UP {
            return Err(AgentError::GaveUp { waited: started.elapsed(), last });
        }
        tracing::warn!(error = last, retry_interval = ?wait, subsystem_name = "attestor", "Failed to retrieve attestation result");
        tokio::time::sleep(wait).await;
    }
}

fn rfc3339(at: SystemTime) -> String {
    OffsetDateTime::from(at).format(&Rfc3339).unwrap_or_default()
}

struct Start<'a> {
    settings: &'a Settings,
    adapters: &'a Adapters,
    server: &'a Server,
    state: &'a AgentState,
    /// Made once for all attempts.
    key: Option<Arc<dyn Signer>>,
    attempt: u32,
    began: String,
    began_at: SystemTime,
}

impl Start<'_> {
    /// Measures how far the bootstrap has come, as SPIRE does.
    fn measure(&self, done: bool) {
        let mode = ["bootstrap"];
        let began = if done { SystemTime::UNIX_EPOCH } else { self.began_at };
        BOOTSTRAPPED.set(if done { 1.0 } else { 0.0 }, &[]);
        let seconds = began.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        BOOTSTRAP_SECONDS.set(seconds.trunc(), &mode);
        BOOTSTRAP_ATTEMPTS.set(if done { 0.0 } else { f64::from(self.attempt) }, &mode);
    }

    async fn attempt(&mut self) -> Result<Node, Setback> {
        self.attempt += 1;
        let bundle = self.trust().await?;
        match &bundle {
            Some(_) => {
                tracing::info!(subsystem_name = "attestor", trust_domain_id = %self.settings.trust_domain.id(), "Bundle loaded")
            }
            None => tracing::info!(subsystem_name = "attestor", "Bundle is not found"),
        }
        let channel = self.channel(bundle.as_ref())?;
        let (own, key) = match self.remembered().await? {
            Some(found) => found,
            None => self.attested(channel.clone()).await?,
        };
        let bundle = match bundle {
            Some(bundle) => bundle,
            None => self.first_bundle(channel).await?,
        };
        self.set_trust(&bundle);
        self.keep_bundle(&bundle);
        Ok(Node { identity: NodeIdentity::new(own, key)?, bundle })
    }

    /// What is trusted so far: what is remembered, or else what the settings name.
    async fn trust(&self) -> Result<Option<Bundle>, Setback> {
        let remembered = self.state.bundle()?;
        if remembered.is_empty() {
            let bundle = bootstrap::bundle(self.settings, self.attempt, &self.began).await;
            return bundle.map_err(|error| match error {
                BootstrapError::Fetch { .. } => Setback::Passing(error.to_string()),
                lasting => Setback::Final(lasting.into()),
            });
        }
        let mut bundle = Bundle::new(self.settings.trust_domain.clone());
        for certificate in remembered {
            if let Err(error) = bundle.push_x509(X509Authority { certificate, tainted: false }) {
                tracing::warn!(error = %error, "Ignoring a remembered X.509 authority");
            }
        }
        Ok(Some(bundle))
    }

    fn set_trust(&self, bundle: &Bundle) {
        let set: BundleSet = std::iter::once(Arc::new(bundle.clone())).collect();
        self.server.trust.store(Arc::new(set));
    }

    fn channel(&self, bundle: Option<&Bundle>) -> Result<Connection, AgentError> {
        match bundle {
            Some(bundle) => {
                self.set_trust(bundle);
                Ok(self.server.anonymous()?)
            }
            None => {
                tracing::warn!(
                    subsystem_name = "attestor",
                    "Insecure bootstrap enabled; skipping server certificate verification"
                );
                Ok(self.server.danger_first()?)
            }
        }
    }

    /// The SVID of an earlier life, if its key is there and it has not expired.
    async fn remembered(&self) -> Result<Option<(Own, Arc<dyn Signer>)>, AgentError> {
        let manager = self.adapters.keys.as_ref();
        let Some((svid, reattestable)) = self.state.svid()? else {
            if keys::any(manager).await? && self.key.is_none() {
                tracing::warn!(
                    subsystem_name = "attestor",
                    "Keys recovered, but no SVID found. Generating new keypair"
                );
            }
            return Ok(None);
        };
        let Some(key) = keys::of(manager, &svid).await? else {
            let what = match keys::any(manager).await? {
                true => "SVID recovered, but no SVID key found. Generating new keypair",
                false => "SVID recovered, but no keys found. Generating new keypair",
            };
            tracing::warn!(subsystem_name = "attestor", "{what}");
            return Ok(None);
        };
        if self.server.clock.now() + SKEW >= svid.leaf().not_after() {
            let expiry = rfc3339(svid.leaf().not_after());
            tracing::warn!(
                subsystem_name = "attestor",
                expiry,
                "SVID key recovered, but SVID is expired. Generating new keypair"
            );
            return Ok(None);
        }
        tracing::info!(subsystem_name = "attestor", spiffe_id = svid.id().as_str(), "SVID loaded");
        Ok(Some((Own { svid, reattestable }, key)))
    }

    async fn attested(&mut self, channel: Connection) -> Result<(Own, Arc<dyn Signer>), Setback> {
        tracing::info!(subsystem_name = "attestor", "SVID is not found. Starting node attestation");
        let key = match self.key.clone() {
            Some(key) => key,
            None => keys::next(self.adapters.keys.as_ref(), None).await?,
        };
        self.key = Some(key.clone());
        let call = NEW_SVID.start(&[]);
        let done = attest::attest(channel, self.adapters.proof.as_ref(), &key).await;
        call.with(&done, AttestFault::code);
        let done = done.map_err(setback)?;
        tracing::info!(
            subsystem_name = "attestor",
            reattestable = done.reattestable,
            spiffe_id = done.svid.id().as_str(),
            "Node attestation was successful"
        );
        // At once: a join token does not work twice.
        self.keep_svid(&done.svid, done.reattestable);
        Ok((Own { svid: done.svid, reattestable: done.reattestable }, key))
    }

    async fn first_bundle(&self, channel: Connection) -> Result<Bundle, Setback> {
        let mut client = BundleClient::new(channel);
        let answer = deadline(client.get_bundle(GetBundleRequest::default())).await;
        let answer = answer.map_err(|status| Setback::Passing(explain(&status)))?.into_inner();
        crate::wire::bundle(&answer)
            .map_err(|error| Setback::Passing(format!("the server's bundle cannot be used: {error}")))
    }

    fn keep_svid(&self, svid: &X509Svid, reattestable: bool) {
        if let Err(error) = self.state.store_svid(svid, reattestable) {
            tracing::warn!(error = %error, "Could not store SVID");
        }
    }

    fn keep_bundle(&self, bundle: &Bundle) {
        let authorities: Vec<_> =
            bundle.x509_authorities().iter().map(|one| one.certificate.clone()).collect();
        if let Err(error) = self.state.store_bundle(&authorities) {
            tracing::error!(error = %error, "Could not store bundle");
        }
    }
}

/// Whether to try again after the attestation failed.
fn setback(fault: AttestFault) -> Setback {
    match fault {
        AttestFault::Server(status) if is_final(&status) => Setback::Final(refused(&status)),
        AttestFault::Proof(model::ports::AttestError::Invalid(why)) => {
            Setback::Final(AgentError::NoProof(why))
        }
        passing => Setback::Passing(passing.to_string()),
    }
}

/// Whether the server judged, as opposed to could not.
pub(super) fn is_final(status: &Status) -> bool {
    matches!(status.code(), Code::PermissionDenied | Code::InvalidArgument | Code::Unauthenticated)
}

pub(super) fn refused(status: &Status) -> AgentError {
    let message = status.message().to_owned();
    let said = message.to_ascii_lowercase();
    let hint = if said.contains("join token") {
        "a join token works once and for a limited time: make a new one on the server (`token generate`) and start the agent with -joinToken"
    } else if said.contains("banned") {
        "`agent evict` on the server lets it attest again"
    } else if said.contains("already") || said.contains("attested") {
        "the server knows this node already and lets it attest once only: `agent evict` on the server lets it attest again"
    } else {
        "compare the NodeAttestor blocks of agent and server; the server's log says more"
    };
    AgentError::NotAttested { message, hint }
}
