use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use model::ports::{AttestError, NodeProof, Prover};
use zeroize::Zeroizing;

use super::NAME;
use super::session::Session;
use super::wire::{Challenge, MAX_ANSWER, Response};
use crate::json_bytes::Bytes;
use crate::keys::Tpm;
use crate::tpm::device::detect;
use crate::tpm::public::Public;
pub use crate::tpm::public::PublicFault;

/// The settings of the agent's half under the names that they have in a configuration file (SPIRE 1.16).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentSettings {
    /// The device of the TPM or the socket of a software TPM; the only one in `/dev` if it is not set.
    pub tpm_device_path: Option<PathBuf>,
    /// The DevID certificate, then those between it and a root; PEM.
    pub devid_cert_path: PathBuf,
    /// The private half of its key, which only its TPM can read (TPM2B_PRIVATE, with or without its length).
    pub devid_priv_path: PathBuf,
    /// The public half (TPM2B_PUBLIC, with or without its length).
    pub devid_pub_path: PathBuf,
}

/// Passwords of what the proof needs in the TPM; empty where there is none. They are wiped when dropped.
#[derive(Clone, Default)]
pub struct Passwords {
    /// Of the DevID key.
    pub devid: Zeroizing<String>,
    /// Of the owner hierarchy.
    pub owner_hierarchy: Zeroizing<String>,
    /// Of the endorsement hierarchy.
    pub endorsement_hierarchy: Zeroizing<String>,
}

/// Why the node's credentials cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// No TPM, or several.
    #[error("tpm autodetection failed: {0}")]
    Detect(String),
    /// A file cannot be read.
    #[error("unable to load DevID files: cannot load {what}: {path}: {why}")]
    File {
        /// What should be in it.
        what: &'static str,
        /// The file.
        path: String,
        /// What the system said.
        why: std::io::Error,
    },
    /// The public half is none.
    #[error("unable to load DevID files: the public key cannot be used: {0}")]
    Public(#[from] PublicFault),
}

/// What files hold, as it stands now.
pub(super) struct Credentials {
    pub(super) device: PathBuf,
    pub(super) chain: Vec<Vec<u8>>,
    pub(super) private: Zeroizing<Vec<u8>>,
    pub(super) public: Vec<u8>,
}

/// The agent's half.
pub struct Agent {
    settings: AgentSettings,
    passwords: Passwords,
    keys: Option<Arc<Tpm>>,
}

impl Agent {
    /// Finds the TPM and reads the files, to fail early; both are done again for each proof. The TPM is not touched yet.
    /// Blocks.
    pub fn new(settings: AgentSettings, passwords: Passwords) -> Result<Self, CredentialError> {
        load(&settings)?;
        Ok(Self { settings, passwords, keys: None })
    }

    /// Has the TPM say that the agent's key is in it too, if it is one of these.
    #[must_use]
    pub fn with_keys(self, keys: Arc<Tpm>) -> Self {
        Self { keys: Some(keys), ..self }
    }
}

fn load(settings: &AgentSettings) -> Result<Credentials, CredentialError> {
    let device = match &settings.tpm_device_path {
        Some(path) => path.clone(),
        None => detect(Path::new("/dev")).map_err(CredentialError::Detect)?,
    };
    let fault =
        |what, path: &Path, why| CredentialError::File { what, path: path.display().to_string(), why };
    let read = |what, path: &Path| crate::files::read(path).map_err(|why| fault(what, path, why));
    let certificates = crate::files::certificates(&settings.devid_cert_path)
        .map_err(|why| fault("certificate(s)", &settings.devid_cert_path, why))?;
    let private = read("private key", &settings.devid_priv_path)?;
    let public = read("public key", &settings.devid_pub_path)?.to_vec();
    Public::parse_file(&public)?;
    let chain = certificates.iter().map(|der| der.to_vec()).collect();
    Ok(Credentials { device, chain, private, public })
}

#[async_trait]
impl NodeProof for Agent {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn prove(&self, server: &mut dyn Prover) -> Result<(), AttestError> {
        let (settings, passwords) = (self.settings.clone(), self.passwords.clone());
        let key = server.key().and_then(|key| self.keys.as_ref()?.blobs(&key));
        let (session, payload) = blocking(move || {
            let credentials = load(&settings).map_err(|cause| cause.to_string())?;
            let session = Session::open(&credentials, &passwords, key.as_ref())
                .map_err(|cause| format!("unable to start a new TPM session: {cause}"))?;
            let payload = session.payload(&credentials).map_err(|cause| cause.to_string())?;
            let payload = serde_json::to_vec(&payload)
                .map_err(|cause| format!("unable to marshal attestation data: {cause}"))?;
            Ok((Arc::new(session), payload))
        })
        .await?;
        let Some(challenge) = server.send(payload).await? else { return Ok(()) };
        let response = blocking(move || answer(&session, &challenge)).await?;
        match server.send(response).await? {
            None => Ok(()),
            Some(_) => Err(AttestError::Failed(
                "the server challenges again, after the answer that ends the proof".to_owned(),
            )),
        }
    }
}

fn answer(session: &Session, challenge: &[u8]) -> Result<Vec<u8>, String> {
    if challenge.len() > MAX_ANSWER {
        return Err(format!("the server's challenges are larger than {MAX_ANSWER} bytes"));
    }
    let challenge: Challenge = serde_json::from_slice(challenge)
        .map_err(|cause| format!("unable to unmarshall challenges: {cause}"))?;
    let activation =
        challenge.cred_activation.ok_or("received empty credential activation challenge from server")?;
    let devid = session.sign(&challenge.devid.0).map_err(|cause| cause.to_string())?;
    let secret = session.activate(&activation).map_err(|cause| cause.to_string())?;
    serde_json::to_vec(&Response { devid: Bytes(devid), cred_activation: Bytes(secret) })
        .map_err(|cause| format!("unable to marshal challenge response: {cause}"))
}

/// Runs what waits for the TPM where it keeps nobody from work.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, AttestError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(AttestError::Failed),
        Err(cause) => Err(AttestError::Failed(cause.to_string())),
    }
}
