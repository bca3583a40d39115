use std::time::SystemTime;

use async_trait::async_trait;
use base64::prelude::{BASE64_URL_SAFE, Engine};
use model::ports::{AttestError, Challenger, NodeAttestor};
use model::{Attested, Selector, Selectors};
use regex::Regex;
use spiffe::{SpiffeId, TrustDomain};

use super::NAME;
use super::fetch::fetch;
use super::wire::{Challenge, MAX_MESSAGE, Payload};

/// The longest name in DNS.
const MAX_HOST: usize = 253;
/// The longest name of an agent (SPIRE 1.16).
const MAX_AGENT_NAME: usize = 32;
/// The first port that needs no privilege to listen on.
const UNPRIVILEGED: i64 = 1024;
/// The largest program that a pattern may compile to, in bytes.
const MAX_PATTERN: usize = 256 * 1024;

/// The settings of the server's half under the names that they have in a configuration file (SPIRE 1.16).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// Regular expressions, one of which the node's name must match somewhere; every name will do if there is none.
    pub allowed_dns_patterns: Vec<String>,
    /// The only port that nodes may be asked on.
    pub required_port: Option<i64>,
    /// Whether ports from 1024 on may be used, which any user of the node can listen on; it is so unless set.
    pub allow_non_root_ports: bool,
    /// Whether a name is believed once only, until its agent is evicted; it is so unless set.
    pub tofu: bool,
}

/// What is wrong with a [`Configuration`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigurationFault {
    /// A pattern is no regular expression, or too large a one.
    #[error("cannot compile allowed_dns_pattern: \"{pattern}\", {why}")]
    Pattern {
        /// What was set.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// Any user of a node could come again in its name.
    #[error("you can not turn off trust on first use (TOFU) when non-root ports are allowed")]
    Tofu,
}

/// The server's half.
pub struct Server {
    trust_domain: TrustDomain,
    patterns: Vec<Regex>,
    required_port: Option<i64>,
    allow_non_root_ports: bool,
    tofu: bool,
}

impl Server {
    /// Checks the settings; gives all that is wrong at once.
    pub fn new(trust_domain: TrustDomain, settings: &Configuration) -> Result<Self, Vec<ConfigurationFault>> {
        let mut faults = Vec::new();
        let compile = |pattern: &String| match regex::RegexBuilder::new(pattern)
            .size_limit(MAX_PATTERN)
            .build()
        {
            Ok(pattern) => Some(pattern),
            Err(why) => {
                faults.push(ConfigurationFault::Pattern { pattern: pattern.clone(), why: in_one_line(&why) });
                None
            }
        };
        let patterns = settings.allowed_dns_patterns.iter().filter_map(compile).collect();
        let open = match settings.required_port {
            Some(port) => port >= UNPRIVILEGED,
            None => settings.allow_non_root_ports,
        };
        if open && !settings.tofu {
            faults.push(ConfigurationFault::Tofu);
        }
        match faults.is_empty() {
            true => Ok(Self {
                trust_domain,
                patterns,
                required_port: settings.required_port,
                allow_non_root_ports: settings.allow_non_root_ports,
                tofu: settings.tofu,
            }),
            false => Err(faults),
        }
    }

    /// Where the node may be asked, if it may be asked where it says.
    fn admitted(&self, payload: &[u8]) -> Result<Place, AttestError> {
        if payload.len() > MAX_MESSAGE {
            return Err(invalid(format!("the payload is larger than {MAX_MESSAGE} bytes")));
        }
        let claim: Payload = serde_json::from_slice(payload)
            .map_err(|cause| invalid(format!("failed to unmarshal data: {cause}")))?;
        if self.required_port.is_some_and(|required| required != claim.port) {
            return Err(invalid(format!("port {} is not allowed to be used by this server", claim.port)));
        }
        if !self.allow_non_root_ports && claim.port >= UNPRIVILEGED {
            return Err(invalid(format!("port {} is not allowed to be >= 1024", claim.port)));
        }
        if !is_agent_name(&claim.agentname) {
            return Err(invalid("agent name is not valid"));
        }
        self.admit_host(&claim.hostname)?;
        let port = u16::try_from(claim.port).ok().filter(|port| *port > 0);
        let port = port.ok_or_else(|| unverified("port is invalid"))?;
        let id = SpiffeId::new(&self.trust_domain, &format!("/spire/agent/{NAME}/{}", claim.hostname));
        let id = id.map_err(|cause| AttestError::Failed(format!("failed to make spiffe id: {cause}")))?;
        Ok(Place { id, host: claim.hostname, port, agent_name: claim.agentname })
    }

    fn admit_host(&self, host: &str) -> Result<(), AttestError> {
        if is_localhost(host) {
            return Err(AttestError::Denied("you can not use localhost as a hostname".to_owned()));
        }
        if !self.patterns.is_empty() && !self.patterns.iter().any(|pattern| pattern.is_match(host)) {
            return Err(AttestError::Denied("the requested hostname is not allowed to connect".to_owned()));
        }
        for (wrong, why) in [
            (host.is_empty(), "hostname must be set"),
            (host.contains('/'), "hostname can not contain a slash"),
            (host.contains(':'), "hostname can not contain a colon"),
            (host.len() > MAX_HOST, "hostname can not be longer than 253 bytes"),
        ] {
            if wrong {
                return Err(unverified(why));
            }
        }
        Ok(())
    }
}

/// Where a node is to be asked, and what it is called if it answers.
struct Place {
    id: SpiffeId,
    host: String,
    port: u16,
    agent_name: String,
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
        let place = self.admitted(payload)?;
        let nonce = nonce()?;
        let challenge = serde_json::to_vec(&Challenge { nonce: nonce.clone() })
            .map_err(|cause| AttestError::Failed(format!("unable to marshal challenge: {cause}")))?;
        // what it says does not matter: it says that the node is ready to be asked
        node.challenge(challenge).await?;
        let found = fetch(&place.host, place.port, &place.agent_name).await;
        if found.map_err(|cause| unverified(&cause.to_string()))? != nonce.as_bytes() {
            return Err(unverified("expected nonce was not found in HTTP response"));
        }
        let selector = Selector::new(NAME, &format!("hostname:{}", place.host))
            .map_err(|fault| invalid(format!("the hostname cannot be a selector: {fault}")))?;
        let selectors: Selectors = [selector].into_iter().collect();
        let attested = Attested::vouched_by(NAME, place.id, selectors, !self.tofu, now);
        Ok(if self.tofu { attested.on_first_use() } else { attested })
    }
}

/// What is wrong, without the picture of where.
fn in_one_line(why: &regex::Error) -> String {
    let text = why.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// A letter, then letters, digits and dashes.
fn is_agent_name(name: &str) -> bool {
    name.len() <= MAX_AGENT_NAME
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-')
}

/// The server itself, by any spelling of the name that is kept for it (RFC 6761).
fn is_localhost(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

fn nonce() -> Result<String, AttestError> {
    let mut nonce = [0; 32];
    aws_lc_rs::rand::fill(&mut nonce)
        .map_err(|_| AttestError::Failed("unable to generate challenge: no random numbers".to_owned()))?;
    Ok(BASE64_URL_SAFE.encode(nonce))
}

fn invalid(why: impl Into<String>) -> AttestError {
    AttestError::Invalid(why.into())
}

fn unverified(why: &str) -> AttestError {
    AttestError::Denied(format!("challenge verification failed: {why}"))
}
