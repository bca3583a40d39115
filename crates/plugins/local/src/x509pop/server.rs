use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use model::ports::{AttestError, Challenger, NodeAttestor};
use model::{Attested, Selector, Selectors};
use spiffe::x509::Certificate;
use spiffe::{SpiffeId, TrustDomain};

use super::chain::Roots;
use super::leaf::{Leaf, fingerprint};
use super::proof::PublicKey;
use super::template::{Facts, Value};
use super::wire::{MAX_ANSWER, MAX_PAYLOAD, NONCE, Payload, Response};
use super::{NAME, san};
use crate::path_template::{PathTemplate, TemplateError};

const PATH_BY_FINGERPRINT: &str = "/{{ .PluginName }}/{{ .Fingerprint }}";
const PATH_BY_SVID: &str = "/{{ .PluginName }}/{{ .SVIDPathTrimmed }}";
const PREFIX: &str = "/spire-exchange/";

/// The settings of the server's half under the names that they have in a configuration file (SPIRE 1.16). What is
/// `None` or empty was not set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    /// `external_pki`, the default, trusts the files named below; `spiffe` trusts the trust domain's own X.509
    /// authorities.
    pub mode: Option<String>,
    /// What the path of a SPIFFE ID must begin with to be exchanged for an agent's, in mode `spiffe`;
    /// `/spire-exchange/` unless set. SPIRE's documentation calls it `svid_prefix`, its code this.
    pub spiffe_prefix: Option<String>,
    /// A PEM file of roots.
    pub ca_bundle_path: Option<PathBuf>,
    /// Or several.
    pub ca_bundle_paths: Vec<PathBuf>,
    /// The path of an agent's identity below `/spire/agent`; see the module `path_template`.
    pub agent_path_template: Option<String>,
    /// How many certificates a node may show beside its own; 4 unless set.
    pub max_intermediates: Option<i64>,
    /// How many bits an RSA key may have in a certificate that a node shows; 8192 unless set, and the most that can
    /// be verified.
    pub max_rsa_key_size: Option<i64>,
    /// Whether the node's address must be among those in its certificate.
    pub verify_client_ip: bool,
}

/// What is wrong with a [`Configuration`].
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationFault {
    /// There is no such mode.
    #[error("mode can only be either spiffe or external_pki")]
    Mode,
    /// Both of two settings that exclude one another.
    #[error("only one of ca_bundle_path or ca_bundle_paths can be configured, not both")]
    TwoBundles,
    /// Nothing would be trusted.
    #[error("one of ca_bundle_path or ca_bundle_paths must be configured")]
    NoBundle,
    /// In mode `spiffe` the roots are given.
    #[error("you can not use ca_bundle_path or ca_bundle_paths in spiffe mode")]
    BundleInSpiffeMode,
    /// A file of roots cannot be read.
    #[error("unable to load trust bundle \"{path}\": {why}")]
    Bundle {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
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
    /// A number that must be positive.
    #[error("{0} must be greater than 0")]
    NotPositive(&'static str),
}

/// The X.509 authorities of the trust domain itself as they stand now, for mode `spiffe`.
pub trait OwnAuthorities: Send + Sync {
    /// All of them.
    fn x509_authorities(&self) -> Vec<Certificate>;
}

impl<F: Fn() -> Vec<Certificate> + Send + Sync> OwnAuthorities for F {
    fn x509_authorities(&self) -> Vec<Certificate> {
        self()
    }
}

/// The server's half.
pub struct Server {
    trust_domain: TrustDomain,
    trust: Trust,
    path: PathTemplate<Value>,
    limits: Limits,
    verify_client_ip: bool,
}

/// How much a node may make the server do before it has proven anything.
#[derive(Debug, Clone, Copy)]
struct Limits {
    max_intermediates: usize,
    max_rsa_key_size: usize,
}

enum Trust {
    ExternalPki(Arc<Roots>),
    Spiffe { prefix: String, own: Arc<dyn OwnAuthorities> },
}

impl Limits {
    /// The leaf and the certificates above it.
    fn parse(self, payload: &[u8]) -> Result<(Leaf, Vec<Leaf>), AttestError> {
        if payload.len() > MAX_PAYLOAD {
            return Err(invalid(format!("the payload is larger than {MAX_PAYLOAD} bytes")));
        }
        let payload: Payload = serde_json::from_slice(payload)
            .map_err(|cause| invalid(format!("failed to unmarshal data: {cause}")))?;
        let shown = payload.certificates.unwrap_or_default();
        let Some((leaf, intermediates)) = shown.split_first() else {
            return Err(invalid("no certificate to attest"));
        };
        // before any of them is parsed
        if intermediates.len() > self.max_intermediates {
            return Err(invalid("too many intermediate certificates"));
        }
        let leaf = Leaf::parse(&leaf.0)
            .map_err(|cause| invalid(format!("unable to parse leaf certificate: {cause}")))?;
        if self.key_too_large(&leaf) {
            return Err(invalid("leaf certificate key size too large"));
        }
        let intermediate = |(number, der): (usize, &super::wire::Bytes)| {
            let parsed = Leaf::parse(&der.0).map_err(|cause| {
                invalid(format!("unable to parse intermediate certificate {number}: {cause}"))
            })?;
            if self.key_too_large(&parsed) {
                return Err(invalid(format!("intermediate certificate {number} key size too large")));
            }
            Ok(parsed)
        };
        let intermediates = intermediates.iter().enumerate().map(intermediate).collect::<Result<_, _>>()?;
        Ok((leaf, intermediates))
    }

    fn key_too_large(self, certificate: &Leaf) -> bool {
        matches!(certificate.public_key(), PublicKey::Rsa { bits, .. } if bits > self.max_rsa_key_size)
    }
}

impl Server {
    /// Checks the settings and reads the files that they name; gives all that is wrong at once. Blocks while it
    /// reads.
    pub fn new(
        trust_domain: TrustDomain,
        settings: &Configuration,
        own: Arc<dyn OwnAuthorities>,
    ) -> Result<Self, Vec<ConfigurationFault>> {
        let mut faults = Vec::new();
        let (trust, default_path) = match settings.mode.as_deref() {
            None | Some("" | "external_pki") => {
                (Trust::ExternalPki(Arc::new(Roots::new(roots(settings, &mut faults)))), PATH_BY_FINGERPRINT)
            }
            Some("spiffe") => {
                if settings.ca_bundle_path.is_some() || !settings.ca_bundle_paths.is_empty() {
                    faults.push(ConfigurationFault::BundleInSpiffeMode);
                }
                (Trust::Spiffe { prefix: prefix(settings.spiffe_prefix.as_deref()), own }, PATH_BY_SVID)
            }
            Some(_) => return Err(vec![ConfigurationFault::Mode]),
        };
        let template =
            settings.agent_path_template.as_deref().filter(|it| !it.is_empty()).unwrap_or(default_path);
        let path = PathTemplate::parse(template).map_err(|why| {
            faults.push(ConfigurationFault::Template { template: template.to_owned(), why });
        });
        let mut positive = |name, set: Option<i64>, default| match set.map(usize::try_from) {
            None => default,
            Some(Ok(number)) if number > 0 => number,
            Some(_) => {
                faults.push(ConfigurationFault::NotPositive(name));
                default
            }
        };
        let max_intermediates = positive("max_intermediates", settings.max_intermediates, 4);
        let max_rsa_key_size = positive("max_rsa_key_size", settings.max_rsa_key_size, 8192);
        match path {
            Ok(path) if faults.is_empty() => Ok(Self {
                trust_domain,
                trust,
                path,
                limits: Limits { max_intermediates, max_rsa_key_size },
                verify_client_ip: settings.verify_client_ip,
            }),
            _ => Err(faults),
        }
    }

    /// The roots that hold now.
    fn roots(&self) -> Result<Arc<Roots>, AttestError> {
        match &self.trust {
            Trust::ExternalPki(roots) => Ok(Arc::clone(roots)),
            Trust::Spiffe { own, .. } => {
                let own = own.x509_authorities();
                let roots = own.iter().map(|root| Leaf::parse(root.der())).collect::<Result<_, _>>();
                let roots = roots
                    .map_err(|cause| AttestError::Failed(format!("failed to get trust bundle: {cause}")))?;
                Ok(Arc::new(Roots::new(roots)))
            }
        }
    }

    /// The path by which a node is known in mode `spiffe`, without the prefix.
    fn svid_path(&self, leaf: &Leaf) -> Result<String, AttestError> {
        let Trust::Spiffe { prefix, .. } = &self.trust else { return Ok(String::new()) };
        let id =
            leaf.uris().find(|uri| uri.starts_with("spiffe://")).and_then(|uri| SpiffeId::parse(uri).ok());
        let id = id.ok_or_else(|| denied("valid SVID x509 cert not found"))?;
        if !id.member_of(&self.trust_domain) {
            return Err(denied(format!("{id} is not of trust domain {}", self.trust_domain)));
        }
        let path = id.path().strip_prefix(prefix.as_str());
        path.map(str::to_owned).ok_or_else(|| denied("x509 cert doesnt match SVID prefix"))
    }

    fn agent_id(&self, leaf: &Leaf, uri_sans: &BTreeMap<String, String>) -> Result<SpiffeId, AttestError> {
        let svid_path_trimmed = self.svid_path(leaf)?;
        let facts = Facts {
            trust_domain: self.trust_domain.as_str(),
            fingerprint: &fingerprint(leaf.der()),
            serial_number_hex: &leaf.serial_number_hex(),
            svid_path_trimmed: &svid_path_trimmed,
            common_name: &leaf.common_name(),
            uri_sans,
        };
        let path = self.path.fill(|value| value.of(&facts).map(Into::into));
        let failed = |why: String| AttestError::Failed(format!("failed to make spiffe id: {why}"));
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
        let (limits, roots, payload) = (self.limits, self.roots()?, payload.to_vec());
        // many signatures with large keys may have to be verified: not on a thread that others wait on
        let judged = tokio::task::spawn_blocking(move || judge(limits, &roots, &payload, now)).await;
        let (leaf, above) = judged.unwrap_or_else(|why| Err(AttestError::Failed(why.to_string())))?;
        if self.verify_client_ip {
            has_address(&leaf, node.address())?;
        }
        // now that the certificate is believed, the node has to show that it is the one it was issued to
        prove(&leaf, node).await?;
        let uri_sans = san::selectors(leaf.uris(), self.trust_domain.as_str());
        let id = self.agent_id(&leaf, &uri_sans)?;
        let selectors = selectors(&leaf, above, &uri_sans)?;
        Ok(Attested::vouched_by(NAME, id, selectors, true, now))
    }
}

/// What the node shows, if it leads to a root: the leaf, and the fingerprints above it.
fn judge(
    limits: Limits,
    roots: &Roots,
    payload: &[u8],
    now: SystemTime,
) -> Result<(Leaf, BTreeSet<String>), AttestError> {
    let (leaf, intermediates) = limits.parse(payload)?;
    let above = roots.verify(&leaf, &intermediates, now);
    let above = above.map_err(|cause| denied(format!("certificate verification failed: {cause:?}")))?;
    Ok((leaf, above))
}

/// Challenges the node and checks its response.
async fn prove(leaf: &Leaf, node: &mut dyn Challenger) -> Result<(), AttestError> {
    let failed = |why: String| AttestError::Failed(format!("unable to generate challenge: {why}"));
    if !leaf.signs() {
        return Err(failed("certificate not intended for digital signature use".to_owned()));
    }
    let mut nonce = [0; NONCE];
    aws_lc_rs::rand::fill(&mut nonce).map_err(|_| failed("no random numbers to be had".to_owned()))?;
    let challenge = leaf.public_key().challenge(nonce).map_err(|cause| failed(cause.to_string()))?;
    let challenge = serde_json::to_vec(&challenge).map_err(|cause| failed(cause.to_string()))?;
    let response = node.challenge(challenge).await?;
    if response.len() > MAX_ANSWER {
        return Err(invalid(format!("the challenge response is larger than {MAX_ANSWER} bytes")));
    }
    let response: Response = serde_json::from_slice(&response)
        .map_err(|cause| invalid(format!("unable to unmarshal challenge response: {cause}")))?;
    leaf.public_key()
        .verify(&nonce, &response)
        .map_err(|cause| denied(format!("challenge response verification failed: {cause}")))
}

fn has_address(leaf: &Leaf, address: Option<IpAddr>) -> Result<(), AttestError> {
    let address = address
        .ok_or_else(|| AttestError::Failed("client IP not available for verification".to_owned()))?
        .to_canonical();
    let known = leaf.ips().any(|ip| ip.to_canonical() == address);
    known
        .then_some(())
        .ok_or_else(|| denied(format!("client IP {address} does not match any certificate IP SAN")))
}

fn selectors(
    leaf: &Leaf,
    above: impl IntoIterator<Item = String>,
    uri_sans: &BTreeMap<String, String>,
) -> Result<Selectors, AttestError> {
    let common_name = Some(leaf.common_name()).filter(|name| !name.is_empty());
    let mut values: Vec<String> = common_name.map(|name| format!("subject:cn:{name}")).into_iter().collect();
    values.extend(above.into_iter().map(|fingerprint| format!("ca:fingerprint:{fingerprint}")));
    values.push(format!("serialnumber:{}", leaf.serial_number_hex()));
    values.extend(uri_sans.iter().map(|(key, value)| format!("san:{key}:{value}")));
    let selectors = values.iter().map(|value| Selector::new(NAME, value)).collect::<Result<_, _>>();
    selectors.map_err(|fault| invalid(format!("what the certificate says cannot be a selector: {fault}")))
}

fn prefix(set: Option<&str>) -> String {
    match set {
        None => PREFIX.to_owned(),
        Some(prefix) if prefix.ends_with('/') => prefix.to_owned(),
        Some(prefix) => format!("{prefix}/"),
    }
}

fn roots(settings: &Configuration, faults: &mut Vec<ConfigurationFault>) -> Vec<Leaf> {
    let one = settings.ca_bundle_path.as_ref();
    if one.is_some() && !settings.ca_bundle_paths.is_empty() {
        faults.push(ConfigurationFault::TwoBundles);
    }
    let paths = one.map_or(settings.ca_bundle_paths.as_slice(), std::slice::from_ref);
    if paths.is_empty() {
        faults.push(ConfigurationFault::NoBundle);
    }
    let mut roots = Vec::new();
    for path in paths {
        match roots_of(path) {
            Ok(found) => roots.extend(found),
            Err(why) => faults.push(ConfigurationFault::Bundle { path: path.display().to_string(), why }),
        }
    }
    roots
}

pub(crate) fn roots_of(path: &Path) -> Result<Vec<Leaf>, String> {
    let ders = crate::files::certificates(path).map_err(|cause| cause.to_string())?;
    let root = |(number, der): (usize, &rustls_pki_types::CertificateDer<'_>)| {
        let root = Leaf::parse(der);
        let root = root.map_err(|cause| format!("unable to parse certificate in block {number}: {cause}"))?;
        // what cannot serve as a root is said now, not when a node comes
        webpki::anchor_from_trusted_cert(der)
            .map_err(|cause| format!("the certificate in block {number} cannot be a root: {cause:?}"))?;
        Ok(root)
    };
    ders.iter().enumerate().map(root).collect()
}

fn invalid(why: impl Into<String>) -> AttestError {
    AttestError::Invalid(why.into())
}

fn denied(why: impl Into<String>) -> AttestError {
    AttestError::Denied(why.into())
}
