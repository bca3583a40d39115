//! Keeps the agent's own SVID alive, and deals with a server that no longer accepts it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use model::ports::{KeyManager, NodeProof};
use proto::spire::api::server::agent::v1::agent_client::AgentClient;
use proto::spire::api::server::agent::v1::{AgentX509svidParams, RenewAgentRequest};
use spiffe::bundle::{Bundle, BundleSet};
use spiffe::key::Signer;
use spiffe::x509::{Csr, X509Svid};
use tokio::sync::{mpsc, watch};
use tonic::Status;

use super::attest::{self, AttestFault};
use super::identity::{NodeIdentity, Own};
use super::refusal::{self, Refusal};
use super::start::{is_final, refused};
use super::{keys, state::AgentState};
use crate::backoff::Backoff;
use crate::error::AgentError;
use crate::halflife;
use crate::link::{Link, Server, deadline};
use crate::metrics::{REATTEST, ROTATE};

/// The clock is looked at this often at least.
const LOOK: Duration = Duration::from_secs(5);
/// The shortest time between two renewals.
const REST: Duration = Duration::from_secs(1);
/// The longest wait after a failed renewal.
const RETRY_MAX: Duration = Duration::from_secs(60);

/// Something that the keeper has to deal with.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The server refused the agent as such.
    Refused(Refusal, String),
    /// The SVID is no longer good.
    Renew,
}

/// Reports trouble to the keeper.
#[derive(Clone)]
pub(crate) struct Troubles(mpsc::UnboundedSender<(u64, Trouble)>);

/// What waits for a [`Keeper`].
pub(crate) type Reported = mpsc::UnboundedReceiver<(u64, Trouble)>;

impl Troubles {
    /// A way to report, and where it ends.
    pub(crate) fn new() -> (Self, Reported) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// Reports trouble of a call that was made over the connection of that number. What older connections met no
    /// longer matters once there is a new SVID.
    pub(crate) fn report(&self, connection: u64, trouble: Trouble) {
        // Without a keeper, the agent stops anyway.
        let _ = self.0.send((connection, trouble));
    }

    /// Reports a status if it is a refusal.
    pub(crate) fn note(&self, connection: u64, status: &Status) {
        if let Some(refusal) = refusal::read(status) {
            self.report(connection, Trouble::Refused(refusal, status.message().to_owned()));
        }
    }
}

/// Keeps the agent's own SVID alive.
pub(crate) struct Keeper {
    pub(crate) keys: Arc<dyn KeyManager>,
    pub(crate) proof: Arc<dyn NodeProof>,
    pub(crate) server: Server,
    pub(crate) link: Arc<Link>,
    pub(crate) identity: Arc<NodeIdentity>,
    pub(crate) state: Arc<AgentState>,
    pub(crate) target: Option<Duration>,
    pub(crate) troubles: Reported,
    pub(crate) bundle: watch::Receiver<Option<Arc<Bundle>>>,
}

impl Keeper {
    /// Runs until the agent has to stop.
    pub(crate) async fn run(mut self) -> Result<(), AgentError> {
        let mut backoff = Backoff::new(LOOK, RETRY_MAX);
        // How long the one that was loaded has been there is not known.
        let mut due = self.due(self.identity.own().svid.leaf().not_before());
        let mut tainted = HashSet::new();
        loop {
            let now = self.server.clock.now();
            let wait = due.duration_since(now).unwrap_or_default().min(LOOK);
            tokio::select! {
                // Whatever arm runs, the others keep what they have for the next turn.
                () = tokio::time::sleep(wait) => {}
                Some((connection, trouble)) = self.troubles.recv() => {
                    if connection >= self.link.number() && self.face(trouble)? {
                        due = now;
                    }
                }
                Ok(()) = self.bundle.changed() => {
                    if self.follow_bundle(&mut tainted) {
                        due = now;
                    }
                }
            }
            if self.server.clock.now() < due {
                continue;
            }
            due = match self.renew().await? {
                true => {
                    backoff.reset();
                    let now = self.server.clock.now();
                    self.due(now).max(now + REST)
                }
                false => self.server.clock.now() + backoff.step(),
            };
        }
    }

    fn due(&self, got: SystemTime) -> SystemTime {
        let own = self.identity.own();
        halflife::renewal(got, own.svid.leaf().not_before(), own.svid.leaf().not_after(), self.target)
    }

    /// What to do about trouble: true for a new SVID, now.
    fn face(&self, trouble: Trouble) -> Result<bool, AgentError> {
        match trouble {
            Trouble::Renew => Ok(true),
            Trouble::Refused(Refusal::Banned, _) => {
                tracing::warn!(
                    subsystem_name = "manager",
                    "Agent is banned: removing SVID and shutting down"
                );
                self.forget();
                Err(AgentError::Banned)
            }
            Trouble::Refused(Refusal::Reattest, why) if self.identity.own().reattestable => {
                tracing::warn!(
                    subsystem_name = "manager",
                    error = why,
                    "Agent needs to re-attest; will attempt to re-attest"
                );
                Ok(true)
            }
            Trouble::Refused(Refusal::Reattest, why) => {
                tracing::error!(
                    subsystem_name = "manager",
                    error = why,
                    "Agent needs to re-attest: removing SVID and shutting down"
                );
                self.forget();
                Err(AgentError::MustReattest(why))
            }
        }
    }

    fn forget(&self) {
        if let Err(error) = self.state.delete_svid() {
            tracing::error!(subsystem_name = "manager", error = %error, "Failed to remove SVID");
        }
    }

    /// Trusts and remembers the bundle; true when an authority that is tainted since signed our SVID.
    fn follow_bundle(&mut self, tainted: &mut HashSet<Vec<u8>>) -> bool {
        let Some(bundle) = self.bundle.borrow_and_update().clone() else { return false };
        let set: BundleSet = std::iter::once(bundle.clone()).collect();
        self.server.trust.store(Arc::new(set));
        let authorities: Vec<_> =
            bundle.x509_authorities().iter().map(|one| one.certificate.clone()).collect();
        if let Err(error) = self.state.store_bundle(&authorities) {
            tracing::error!(subsystem_name = "manager", error = %error, "Could not store bundle");
        }
        let own = self.identity.own();
        let top = own.svid.chain().last().map(|top| top.issuer_der().to_vec());
        let signed = bundle
            .x509_authorities()
            .iter()
            .filter(|one| one.tainted && tainted.insert(one.certificate.der().to_vec()))
            .any(|one| Some(one.certificate.subject_der()) == top.as_deref());
        if signed {
            tracing::info!(
                subsystem_name = "manager",
                "Agent SVID is tainted by a root authority, forcing rotation"
            );
        }
        signed
    }

    /// A new SVID; false if there is none yet.
    async fn renew(&self) -> Result<bool, AgentError> {
        let own = self.identity.own();
        let key = keys::next(self.keys.as_ref(), Some(&own.svid)).await?;
        let what = if own.reattestable { "reattest agent" } else { "rotate agent SVID" };
        let call = if own.reattestable { REATTEST.start(&[]) } else { ROTATE.start(&[]) };
        let got = match own.reattestable {
            true => self.reattest(&key).await,
            false => self.rotate(&key).await,
        };
        call.with(&got, AttestFault::code);
        match got {
            Ok(new) => self.adopt(new, key).map(|()| true),
            Err(fault) => {
                tracing::error!(subsystem_name = "manager", error = %fault, "Could not {what}");
                self.judge(fault, own.reattestable).map(|()| false)
            }
        }
    }

    /// Whether a failure is the end.
    fn judge(&self, fault: AttestFault, reattesting: bool) -> Result<(), AgentError> {
        let AttestFault::Server(status) = fault else { return Ok(()) };
        if let Some(refusal) = refusal::read(&status) {
            // The server wants a proof, and the proof itself was refused: there is no other way.
            if reattesting && refusal == Refusal::Reattest {
                return self.give_up(&status);
            }
            return self.face(Trouble::Refused(refusal, status.message().to_owned())).map(|_| ());
        }
        match reattesting && is_final(&status) {
            true => self.give_up(&status),
            false => Ok(()),
        }
    }

    fn give_up(&self, status: &Status) -> Result<(), AgentError> {
        tracing::error!(
            subsystem_name = "manager",
            error = status.message(),
            "Agent failed re-attestation; removing SVID and shutting down"
        );
        self.forget();
        Err(refused(status))
    }

    async fn reattest(&self, key: &Arc<dyn Signer>) -> Result<Own, AttestFault> {
        let channel = self
            .server
            .anonymous()
            .map_err(|error| AttestFault::Server(Status::internal(error.to_string())))?;
        let done = attest::attest(channel, self.proof.as_ref(), key).await?;
        tracing::info!(
            subsystem_name = "manager",
            spiffe_id = done.svid.id().as_str(),
            "Successfully reattested node"
        );
        Ok(Own { svid: done.svid, reattestable: done.reattestable })
    }

    async fn rotate(&self, key: &Arc<dyn Signer>) -> Result<Own, AttestFault> {
        let csr = Csr::build(key.as_ref(), None, &[])?;
        let mut client = AgentClient::new(self.link.channel());
        let request = RenewAgentRequest { params: Some(AgentX509svidParams { csr }) };
        let answer = deadline(client.renew_agent(request)).await.map_err(|status| {
            self.link.note(&status);
            AttestFault::Server(status)
        })?;
        let chain = answer.into_inner().svid.ok_or(AttestFault::Answer("it holds no SVID"))?.cert_chain;
        let svid = attest::checked(X509Svid::parse_chain(chain)?, key)?;
        tracing::info!(
            subsystem_name = "manager",
            spiffe_id = svid.id().as_str(),
            "Successfully rotated agent SVID"
        );
        Ok(Own { svid, reattestable: false })
    }

    fn adopt(&self, new: Own, key: Arc<dyn Signer>) -> Result<(), AgentError> {
        if let Err(error) = self.state.store_svid(&new.svid, new.reattestable) {
            tracing::warn!(subsystem_name = "manager", error = %error, "Could not store SVID");
        }
        self.identity.replace(new, key)?;
        self.link.renew();
        Ok(())
    }
}
