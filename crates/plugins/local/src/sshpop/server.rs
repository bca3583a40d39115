use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::SystemTime;

use async_trait::async_trait;
use model::ports::{AttestError, Challenger, NodeAttestor};
use model::{Attested, Selectors};
use spiffe::{SpiffeId, TrustDomain};

use super::NAME;
use super::certificate::Certificate;
use super::line::{LineFault, first_key};
use super::public_key::{PublicKey, PublicKeyFault, Signature};
use super::template::Value;
use super::wire::{Challenge, MAX_MESSAGE, NONCE, Payload, Response, both_nonces};
use crate::json_bytes::Bytes;
use crate::path_template::{PathTemplate, TemplateError};

const PATH: &str = "/{{ .PluginName }}/{{ .Fingerprint }}";

/// The settings of the server's half under the names that they have in a configuration file (SPIRE 1.16).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Keys whose host certificates are believed, each a line as in `authorized_keys`.
    pub cert_authorities: Vec<String>,
    /// A file of such lines.
    pub cert_authorities_path: Option<PathBuf>,
    /// The domain that the first principal of a certificate must be in; what stands before it is the host's name.
    pub canonical_domain: Option<String>,
    /// The path of an agent's identity below `/spire/agent`; see the module `path_template`.
    pub agent_path_template: Option<String>,
}

/// What is wrong with a [`Configuration`].
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationFault {
    /// Nothing would be trusted.
    #[error("missing required config value for \"cert_authorities\" or \"cert_authorities_path\"")]
    NoAuthorities,
    /// The file cannot be read, or is empty.
    #[error("failed to get cert authorities from file: {path}: {why}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A line holds no key.
    #[error("failed to create cert checker: failed to parse public key \"{line}\": {why}")]
    Line {
        /// The line.
        line: String,
        /// What is wrong with it.
        #[source]
        why: LineFault,
    },
    /// A line holds a key that signatures cannot be verified with.
    #[error("failed to create cert checker: the public key \"{line}\" cannot be used: {why}")]
    Key {
        /// The line.
        line: String,
        /// What is wrong with it.
        #[source]
        why: PublicKeyFault,
    },
    /// The path template is not understood.
    #[error("failed to parse agent svid template: \"{template}\": {why}")]
    Template {
        /// What was set.
        template: String,
        /// What is wrong with it.
        #[source]
        why: TemplateError,
    },
}

/// The server's half.
pub struct Server {
    trust_domain: TrustDomain,
    authorities: BTreeSet<Vec<u8>>,
    canonical_domain: Option<String>,
    path: PathTemplate<Value>,
}

impl Server {
    /// Checks the settings and reads the file that they name; gives all that is wrong at once. Blocks while it reads.
    pub fn new(trust_domain: TrustDomain, settings: &Configuration) -> Result<Self, Vec<ConfigurationFault>> {
        let mut faults = Vec::new();
        let authorities = authorities(settings, &mut faults);
        let template = settings.agent_path_template.as_deref().filter(|it| !it.is_empty()).unwrap_or(PATH);
        let path = PathTemplate::parse(template).map_err(|why| {
            faults.push(ConfigurationFault::Template { template: template.to_owned(), why });
        });
        let canonical_domain = settings.canonical_domain.clone().filter(|domain| !domain.is_empty());
        match path {
            Ok(path) if faults.is_empty() => Ok(Self { trust_domain, authorities, canonical_domain, path }),
            _ => Err(faults),
        }
    }

    /// The certificate that a node shows, if it is to be believed, and the name of the host in it.
    fn judge(&self, payload: &[u8], now: SystemTime) -> Result<(Certificate, String), AttestError> {
        if payload.len() > MAX_MESSAGE {
            return Err(invalid(format!("the payload is larger than {MAX_MESSAGE} bytes")));
        }
        let payload: Payload = serde_json::from_slice(payload)
            .map_err(|cause| invalid(format!("failed to unmarshal data: {cause}")))?;
        if payload.certificate.0.is_empty() {
            return Err(invalid("no certificate in response"));
        }
        let certificate = Certificate::parse(&payload.certificate.0)
            .map_err(|cause| invalid(format!("failed to parse public key: {cause}")))?;
        let host = certificate.host().map_err(|cause| invalid(cause.to_string()))?.to_owned();
        certificate
            .check(&self.authorities, now)
            .map_err(|cause| denied(format!("failed to check host key: {cause}")))?;
        let host = self.without_domain(&host)?;
        Ok((certificate, host))
    }

    fn without_domain(&self, host: &str) -> Result<String, AttestError> {
        let Some(domain) = &self.canonical_domain else { return Ok(host.to_owned()) };
        let suffix = format!(".{domain}");
        let name = host.strip_suffix(&suffix).ok_or_else(|| {
            denied(format!("failed to decanonicalize hostname: cert principal is not in domain \"{suffix}\""))
        })?;
        Ok(name.to_owned())
    }

    fn agent_id(&self, certificate: &Certificate, host: &str) -> Result<SpiffeId, AttestError> {
        let failed = |why: String| AttestError::Failed(format!("failed to create AgentID: {why}"));
        let path = self.path.fill(|value| value.of(certificate, host));
        let path = path.map_err(|cause| failed(cause.to_string()))?;
        SpiffeId::new(&self.trust_domain, &format!("/spire/agent{path}"))
            .map_err(|cause| failed(format!("invalid agent path suffix \"{path}\": {cause}")))
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
        let (certificate, host) = self.judge(payload, now)?;
        // now that the certificate is believed, the node has to show that it is the one it was issued to
        prove(&certificate.key, node).await?;
        let id = self.agent_id(&certificate, &host)?;
        Ok(Attested::vouched_by(NAME, id, Selectors::default(), true, now))
    }
}

/// Challenges the node and checks its response.
async fn prove(key: &PublicKey, node: &mut dyn Challenger) -> Result<(), AttestError> {
    let mut nonce = [0; NONCE];
    aws_lc_rs::rand::fill(&mut nonce)
        .map_err(|_| AttestError::Failed("failed to generate nonce: no random numbers".to_owned()))?;
    let challenge = serde_json::to_vec(&Challenge { nonce: Bytes(nonce.to_vec()) })
        .map_err(|cause| AttestError::Failed(format!("failed to marshal challenge request: {cause}")))?;
    let response = node.challenge(challenge).await?;
    if response.len() > MAX_MESSAGE {
        return Err(invalid(format!("the challenge response is larger than {MAX_MESSAGE} bytes")));
    }
    let response: Response = serde_json::from_slice(&response)
        .map_err(|cause| invalid(format!("failed to unmarshal challenge response: {cause}")))?;
    let signed = both_nonces(&nonce, &response.nonce.0)
        .map_err(|why| invalid(format!("failed to combine nonces: {why}")))?;
    let signature: Signature = response.signature.ok_or_else(unsigned)?.into();
    key.verifies(&signed, &signature).then_some(()).ok_or_else(unsigned)
}

fn authorities(settings: &Configuration, faults: &mut Vec<ConfigurationFault>) -> BTreeSet<Vec<u8>> {
    let mut lines = settings.cert_authorities.clone();
    if let Some(path) = &settings.cert_authorities_path {
        match lines_of(path) {
            Ok(more) => lines.extend(more),
            Err(why) => faults.push(ConfigurationFault::File { path: path.display().to_string(), why }),
        }
    }
    if lines.is_empty() && faults.is_empty() {
        faults.push(ConfigurationFault::NoAuthorities);
    }
    let mut authorities = BTreeSet::new();
    for line in lines {
        match first_key(&line).map(|blob| PublicKey::parse(&blob)) {
            Ok(Ok(key)) => drop(authorities.insert(key.blob())),
            Ok(Err(why)) => faults.push(ConfigurationFault::Key { line, why }),
            Err(why) => faults.push(ConfigurationFault::Line { line, why }),
        }
    }
    authorities
}

fn lines_of(path: &std::path::Path) -> Result<Vec<String>, String> {
    let text = crate::files::read(path).map_err(|cause| cause.to_string())?;
    let text = std::str::from_utf8(&text).map_err(|_| "it is not text".to_owned())?;
    let line = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let lines: Vec<String> = text.lines().filter(line).map(str::to_owned).collect();
    match lines.is_empty() {
        true => Err("no data found in file".to_owned()),
        false => Ok(lines),
    }
}

fn unsigned() -> AttestError {
    denied("failed to verify signature: ssh: signature did not verify")
}

fn invalid(why: impl Into<String>) -> AttestError {
    AttestError::Invalid(why.into())
}

fn denied(why: impl Into<String>) -> AttestError {
    AttestError::Denied(why.into())
}
