use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use model::ports::{AttestError, Challenger, NodeAttestor};
use model::{Attested, Selector, Selectors};
use spiffe::{SpiffeId, TrustDomain};

use super::NAME;
use super::residency::{Question, question};
use super::wire::{Challenge, MAX_ANSWER, MAX_PAYLOAD, Payload, Response};
use crate::json_bytes::Bytes;
use crate::x509pop::chain::Roots;
use crate::x509pop::leaf::{Leaf, fingerprint};
use crate::x509pop::server::roots_of;

/// The length of what the DevID key signs (SPIRE 1.16).
const NONCE: usize = 32;
/// How many certificates a node may show beside its own.
const MAX_INTERMEDIATES: usize = 8;

const NO_AGENT_KEY: &str = "the agent's key is not certified to be in the TPM, as require_agent_key_in_tpm wants it: \
                            use KeyManager \"tpm\" with the TPM of the DevID key";

/// The settings of the server's half under the names that they have in a configuration file (SPIRE 1.16).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// A PEM file of the authorities that DevID certificates come from.
    pub devid_ca_path: PathBuf,
    /// A PEM file of the authorities, roots or not, that certificates of endorsement keys come from: of TPM makers.
    pub endorsement_ca_path: PathBuf,
    /// Whether the key of the agent's SVID must be in the TPM too, as agents of ours with KeyManager `tpm` prove. Ours.
    pub require_agent_key_in_tpm: bool,
}

/// What is wrong with a [`Configuration`].
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationFault {
    /// The file of one kind of authorities cannot be used.
    #[error("unable to load {what} trust bundle: {path}: {why}")]
    Bundle {
        /// Which.
        what: &'static str,
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

/// The server's half.
pub struct Server {
    trust_domain: TrustDomain,
    trust: Arc<Trust>,
}

struct Trust {
    devid: Roots,
    endorsement: Roots,
    agent_key_in_tpm: bool,
}

/// What is to be asked of a node that showed the right certificates.
struct Judged {
    devid: Leaf,
    above: BTreeSet<String>,
    question: Question,
}

impl Server {
    /// Reads the files that the settings name; gives all that is wrong at once. Blocks while it reads.
    pub fn new(trust_domain: TrustDomain, settings: &Configuration) -> Result<Self, Vec<ConfigurationFault>> {
        let load = |what, path: &PathBuf| {
            let fault = |why| ConfigurationFault::Bundle { what, path: path.display().to_string(), why };
            roots_of(path).map(Roots::new).map_err(fault)
        };
        let devid = load("DevID", &settings.devid_ca_path);
        let endorsement = load("endorsement", &settings.endorsement_ca_path);
        match (devid, endorsement) {
            (Ok(devid), Ok(endorsement)) => {
                let agent_key_in_tpm = settings.require_agent_key_in_tpm;
                let trust = Arc::new(Trust { devid, endorsement, agent_key_in_tpm });
                Ok(Self { trust_domain, trust })
            }
            (devid, endorsement) => Err(devid.err().into_iter().chain(endorsement.err()).collect()),
        }
    }
}

impl Trust {
    fn judge(&self, payload: &[u8], key: Option<&[u8]>, now: SystemTime) -> Result<Judged, AttestError> {
        if payload.len() > MAX_PAYLOAD {
            return Err(invalid(format!("the payload is larger than {MAX_PAYLOAD} bytes")));
        }
        let shown: Payload = serde_json::from_slice(payload)
            .map_err(|cause| invalid(format!("unable to unmarshall attestation data: {cause}")))?;
        let (devid, above) = self.devid(shown.devid_cert.as_deref().unwrap_or_default(), now)?;
        let question = question(&shown, &devid, key, &self.endorsement, now)?;
        if self.agent_key_in_tpm && !question.agent_key {
            return Err(AttestError::Denied(NO_AGENT_KEY.to_owned()));
        }
        Ok(Judged { devid, above, question })
    }

    /// The DevID certificate, and the fingerprints above it.
    fn devid(&self, chain: &[Bytes], now: SystemTime) -> Result<(Leaf, BTreeSet<String>), AttestError> {
        let (leaf, intermediates) =
            chain.split_first().ok_or_else(|| invalid("no DevID certificate to attest"))?;
        if intermediates.len() > MAX_INTERMEDIATES {
            return Err(invalid("too many DevID intermediate certificates"));
        }
        let leaf = Leaf::parse(&leaf.0)
            .map_err(|cause| invalid(format!("unable to parse DevID certificate: {cause}")))?;
        let intermediate = |(number, der): (usize, &Bytes)| {
            Leaf::parse(&der.0).map_err(|cause| {
                invalid(format!("unable to parse DevID intermediate certificate {number}: {cause}"))
            })
        };
        let intermediates: Vec<Leaf> =
            intermediates.iter().enumerate().map(intermediate).collect::<Result<_, _>>()?;
        let above = self.devid.verify(&leaf, &intermediates, now);
        let above = above.map_err(|cause| {
            AttestError::Denied(format!("unable to verify DevID signature: verification failed: {cause:?}"))
        })?;
        Ok((leaf, above))
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
        node: &mut dyn Challenger,
        now: SystemTime,
    ) -> Result<Attested, AttestError> {
        let (trust, payload, key) = (self.trust.clone(), payload.to_vec(), node.key());
        // many signatures with large keys may have to be verified: not on a thread that others wait on
        let judged = tokio::task::spawn_blocking(move || trust.judge(&payload, key.as_deref(), now)).await;
        let judged = judged.unwrap_or_else(|why| Err(AttestError::Failed(why.to_string())))?;
        let agent_key = judged.question.agent_key;
        prove(&judged.devid, judged.question, node).await?;
        let id = format!("/spire/agent/{NAME}/{}", fingerprint(judged.devid.der()));
        let id = SpiffeId::new(&self.trust_domain, &id)
            .map_err(|cause| AttestError::Failed(format!("failed to create agent ID: {cause}")))?;
        let selectors = selectors(&judged.devid, judged.above, agent_key)?;
        Ok(Attested::vouched_by(NAME, id, selectors, true, now))
    }
}

/// Asks the node and checks its answers.
async fn prove(devid: &Leaf, question: Question, node: &mut dyn Challenger) -> Result<(), AttestError> {
    let mut nonce = [0; NONCE];
    let failed = |why: String| AttestError::Failed(format!("unable to generate challenge: {why}"));
    aws_lc_rs::rand::fill(&mut nonce).map_err(|_| failed("no random numbers to be had".to_owned()))?;
    let challenge = Challenge { devid: Bytes(nonce.to_vec()), cred_activation: Some(question.challenge) };
    let challenge = serde_json::to_vec(&challenge).map_err(|cause| failed(cause.to_string()))?;
    let response = node.challenge(challenge).await?;
    if response.len() > MAX_ANSWER {
        return Err(invalid(format!("the challenges response is larger than {MAX_ANSWER} bytes")));
    }
    let response: Response = serde_json::from_slice(&response)
        .map_err(|cause| invalid(format!("unable to unmarshall challenges response: {cause}")))?;
    if !devid.public_key().verifies_sha256(&nonce, &response.devid.0) {
        let why = "devID challenge verification failed: the signature does not verify";
        return Err(AttestError::Denied(why.to_owned()));
    }
    verify_slices_are_equal(&question.answer, &response.cred_activation.0)
        .map_err(|_| AttestError::Denied("credential activation failed: nonces are different".to_owned()))
}

fn selectors(leaf: &Leaf, above: BTreeSet<String>, agent_key: bool) -> Result<Selectors, AttestError> {
    let named = |what: &str, name: String| (!name.is_empty()).then(|| format!("{what}:cn:{name}"));
    let names = [named("subject", leaf.common_name()), named("issuer", leaf.issuer_common_name())];
    let values = names.into_iter().flatten();
    let values = values.chain(above.into_iter().map(|fingerprint| format!("ca:fingerprint:{fingerprint}")));
    let values = values.chain(agent_key.then(|| "agent-key:in-tpm".to_owned()));
    let selectors = values.map(|value| Selector::new(NAME, &value)).collect::<Result<_, _>>();
    selectors.map_err(|fault| invalid(format!("what the certificate says cannot be a selector: {fault}")))
}

fn invalid(why: impl Into<String>) -> AttestError {
    AttestError::Invalid(why.into())
}
