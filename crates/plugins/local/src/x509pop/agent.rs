use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use model::ports::{AttestError, NodeProof, Prover};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use super::NAME;
use super::key::Key;
use super::leaf::Leaf;
use super::wire::{Bytes, Challenge, MAX_ANSWER, Payload};

/// Why the node's certificate or key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The certificate or its key is missing or wrong.
    #[error("unable to load keypair: {0}")]
    KeyPair(String),
    /// The further certificates are missing or wrong.
    #[error("unable to load intermediate certificates: {0}")]
    Intermediates(String),
    /// Another Workload API was asked and did not give.
    #[error("unable to fetch SVID from workload API: {0}")]
    Fetch(String),
}

/// A certificate chain, leaf first, and the leaf's key.
pub struct Credentials {
    /// DER of each certificate.
    pub chain: Vec<Vec<u8>>,
    /// PKCS#8 DER of the key.
    pub key: Zeroizing<Vec<u8>>,
}

/// Where the node's certificate comes from when it is not in files: a Workload API named by
/// `spiffe_endpoint_socket`.
#[async_trait]
pub trait Source: Send + Sync {
    /// The certificate and key as they stand now.
    async fn fetch(&self) -> Result<Credentials, CredentialError>;
}

/// The agent's half.
pub struct Agent {
    from: From,
}

enum From {
    Files(Files),
    Source(Arc<dyn Source>),
}

#[derive(Clone)]
struct Files {
    private_key: PathBuf,
    certificate: PathBuf,
    intermediates: Option<PathBuf>,
}

impl Agent {
    /// With the PEM files of `private_key_path` (PKCS#8, PKCS#1 or SEC 1), `certificate_path` (leaf first) and
    /// `intermediates_path`. They are read now, to fail early, and again for each proof. Blocks while it reads.
    pub fn from_files(
        private_key: PathBuf,
        certificate: PathBuf,
        intermediates: Option<PathBuf>,
    ) -> Result<Self, CredentialError> {
        let files = Files { private_key, certificate, intermediates };
        files.load()?;
        Ok(Self { from: From::Files(files) })
    }

    /// With whatever `source` gives, asked for each proof.
    pub fn from_source(source: Arc<dyn Source>) -> Self {
        Self { from: From::Source(source) }
    }

    async fn load(&self) -> Result<(Key, Payload), CredentialError> {
        match &self.from {
            From::Files(files) => {
                let files = files.clone();
                let loaded = tokio::task::spawn_blocking(move || files.load()).await;
                loaded.unwrap_or_else(|why| Err(CredentialError::KeyPair(why.to_string())))
            }
            From::Source(source) => {
                let Credentials { chain, key } = source.fetch().await?;
                let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.as_slice()));
                checked(&key, chain)
            }
        }
    }
}

impl Files {
    fn load(&self) -> Result<(Key, Payload), CredentialError> {
        let fault = |path: &PathBuf, cause: std::io::Error| format!("{}: {cause}", path.display());
        let certificates = crate::files::certificates(&self.certificate)
            .map_err(|cause| CredentialError::KeyPair(fault(&self.certificate, cause)))?;
        let mut chain: Vec<Vec<u8>> = certificates.iter().map(|der| der.to_vec()).collect();
        if let Some(path) = &self.intermediates {
            let more = crate::files::certificates(path)
                .map_err(|cause| CredentialError::Intermediates(fault(path, cause)))?;
            chain.extend(more.iter().map(|der| der.to_vec()));
        }
        let key = crate::files::private_key(&self.private_key)
            .map_err(|cause| CredentialError::KeyPair(fault(&self.private_key, cause)))?;
        checked(&key, chain)
    }
}

fn checked(key: &PrivateKeyDer<'_>, chain: Vec<Vec<u8>>) -> Result<(Key, Payload), CredentialError> {
    let wrong = |why: String| CredentialError::KeyPair(why);
    let leaf = chain.first().ok_or_else(|| wrong("there is no certificate".to_owned()))?;
    let leaf = Leaf::parse(leaf).map_err(|cause| wrong(format!("the certificate is malformed: {cause}")))?;
    let key = Key::load(key).map_err(|cause| wrong(cause.to_string()))?;
    key.belongs_to(&leaf.public_key()).map_err(|cause| wrong(cause.to_string()))?;
    Ok((key, Payload { certificates: Some(chain.into_iter().map(Bytes).collect()) }))
}

#[async_trait]
impl NodeProof for Agent {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn prove(&self, server: &mut dyn Prover) -> Result<(), AttestError> {
        let failed = |why: String| AttestError::Failed(why);
        let (key, payload) = self.load().await.map_err(|cause| failed(cause.to_string()))?;
        let payload = serde_json::to_vec(&payload)
            .map_err(|cause| failed(format!("unable to marshal attestation data: {cause}")))?;
        let Some(challenge) = server.send(payload).await? else { return Ok(()) };
        if challenge.len() > MAX_ANSWER {
            return Err(failed(format!("the server's challenge is larger than {MAX_ANSWER} bytes")));
        }
        let challenge: Challenge = serde_json::from_slice(&challenge)
            .map_err(|cause| failed(format!("unable to unmarshal challenge: {cause}")))?;
        let response = key
            .answer(&challenge)
            .map_err(|cause| failed(format!("failed to calculate challenge response: {cause}")))?;
        let response = serde_json::to_vec(&response)
            .map_err(|cause| failed(format!("unable to marshal challenge response: {cause}")))?;
        match server.send(response).await? {
            None => Ok(()),
            Some(_) => {
                Err(failed("the server challenges again, after the answer that ends the proof".to_owned()))
            }
        }
    }
}
