use std::path::{Path, PathBuf};

use async_trait::async_trait;
use model::ports::{AttestError, NodeProof, Prover};

use super::NAME;
use super::certificate::{Certificate, CertificateFault};
use super::line::{LineFault, first_key};
use super::private_key::{KeyFault, PrivateKey};
use super::wire::{Challenge, MAX_MESSAGE, NONCE, Payload, Response, both_nonces};
use crate::json_bytes::Bytes;

/// Why the host's certificate or key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The key's file cannot be read.
    #[error("failed to read host key file: {path}: {why}")]
    KeyFile {
        /// The file.
        path: String,
        /// What the system said.
        why: std::io::Error,
    },
    /// The certificate's file cannot be read.
    #[error("failed to read host cert file: {path}: {why}")]
    CertificateFile {
        /// The file.
        path: String,
        /// What the system said.
        why: std::io::Error,
    },
    /// There is no key in the file that can be used.
    #[error("failed to get cert and signer from pem: {0}")]
    Key(#[from] KeyFault),
    /// There is no line with a certificate in the file.
    #[error("failed to get cert and signer from pem: {0}")]
    Line(#[from] LineFault),
    /// What is in the line is no certificate.
    #[error("failed to get cert and signer from pem: {0}")]
    Certificate(#[from] CertificateFault),
}

/// The agent's half.
pub struct Agent {
    key: PathBuf,
    certificate: PathBuf,
}

impl Agent {
    /// With the files of `host_key_path` (OpenSSH's form, or PEM) and `host_cert_path`. They are read now, to fail early,
    /// and again for each proof. Blocks while it reads.
    pub fn from_files(key: PathBuf, certificate: PathBuf) -> Result<Self, CredentialError> {
        load(&key, &certificate)?;
        Ok(Self { key, certificate })
    }
}

fn load(key: &Path, certificate: &Path) -> Result<(PrivateKey, Vec<u8>), CredentialError> {
    let path = |path: &Path| path.display().to_string();
    let file = crate::files::read(key).map_err(|why| CredentialError::KeyFile { path: path(key), why })?;
    let line = crate::files::read(certificate)
        .map_err(|why| CredentialError::CertificateFile { path: path(certificate), why })?;
    let key = PrivateKey::parse(&file)?;
    let blob = first_key(&String::from_utf8_lossy(&line))?;
    let certificate = Certificate::parse(&blob)?;
    key.belongs_to(&certificate.key)?;
    Ok((key, certificate.blob().to_vec()))
}

#[async_trait]
impl NodeProof for Agent {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn prove(&self, server: &mut dyn Prover) -> Result<(), AttestError> {
        let failed = |why: String| AttestError::Failed(why);
        let (key, certificate) = (self.key.clone(), self.certificate.clone());
        let loaded = tokio::task::spawn_blocking(move || load(&key, &certificate)).await;
        let (key, certificate) =
            loaded.map_err(|cause| failed(cause.to_string()))?.map_err(|cause| failed(cause.to_string()))?;
        let payload = serde_json::to_vec(&Payload { certificate: Bytes(certificate) })
            .map_err(|cause| failed(format!("failed to marshal attestation data: {cause}")))?;
        let Some(challenge) = server.send(payload).await? else { return Ok(()) };
        let response = answer(&key, &challenge).map_err(failed)?;
        match server.send(response).await? {
            None => Ok(()),
            Some(_) => {
                Err(failed("the server challenges again, after the answer that ends the proof".to_owned()))
            }
        }
    }
}

fn answer(key: &PrivateKey, challenge: &[u8]) -> Result<Vec<u8>, String> {
    if challenge.len() > MAX_MESSAGE {
        return Err(format!("the server's challenge is larger than {MAX_MESSAGE} bytes"));
    }
    let challenge: Challenge = serde_json::from_slice(challenge)
        .map_err(|cause| format!("failed to unmarshal challenge request: {cause}"))?;
    let mut nonce = [0; NONCE];
    aws_lc_rs::rand::fill(&mut nonce).map_err(|_| "failed to generate nonce: no random numbers")?;
    let signed =
        both_nonces(&challenge.nonce.0, &nonce).map_err(|why| format!("failed to combine nonces: {why}"))?;
    let signature = key.sign(&signed).map_err(|cause| cause.to_string())?;
    let response = Response { nonce: Bytes(nonce.to_vec()), signature: Some(signature.into()) };
    serde_json::to_vec(&response).map_err(|cause| format!("failed to marshal response: {cause}"))
}
