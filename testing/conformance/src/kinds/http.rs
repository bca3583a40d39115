//! HTTP messages and proof protocols, as several kinds have them.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use spiffe::proof::http;
use spiffe::proof::http_signature::{HttpSignatureProver, HttpSignatureVerifier};
use spiffe::proof::wpt::{WptBinding, WptProver, WptVerifier};
use spiffe::proof::{Audiences, ProofVerifier, Prover, ReplayMemory};

/// What a message travels over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// TLS whose server was authenticated.
    Tls,
    /// A link that does not leave the machine.
    Local,
    /// Anything else.
    Cleartext,
}

impl From<Channel> for http::Channel {
    fn from(channel: Channel) -> Self {
        match channel {
            Channel::Tls => Self::Tls,
            Channel::Local => Self::Local,
            Channel::Cleartext => Self::Cleartext,
        }
    }
}

/// Header fields in order.
pub type Fields = Vec<(String, String)>;

/// A request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The request target as in the request line.
    pub target: String,
    /// The header fields: name and value.
    pub fields: Fields,
    /// The body, which is text here.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// What it travels over.
    pub channel: Channel,
}

/// A response.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header fields: name and value.
    pub fields: Fields,
    /// The body, which is text here.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// What it travels over.
    pub channel: Channel,
}

/// The fields as the library takes them.
pub fn borrowed(fields: &Fields) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

impl Request {
    /// The request as the library takes it.
    pub fn with<'a>(&'a self, fields: &'a [(&'a str, &'a str)]) -> http::Request<'a> {
        http::Request {
            method: &self.method,
            target: &self.target,
            fields,
            body: self.body.as_bytes(),
            channel: self.channel.into(),
        }
    }
}

impl Response {
    /// The response as the library takes it.
    pub fn with<'a>(&'a self, fields: &'a [(&'a str, &'a str)]) -> http::Response<'a> {
        http::Response {
            status: self.status,
            fields,
            body: self.body.as_bytes(),
            channel: self.channel.into(),
        }
    }
}

/// A proof protocol, by its draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Draft {
    /// draft-ietf-wimse-wpt-01: the proof in a field of its own.
    #[serde(rename = "wpt-01")]
    Wpt01,
    /// draft-ietf-wimse-wpt-02: the proof in `Authorization`.
    #[serde(rename = "wpt-02")]
    Wpt02,
    /// draft-ietf-wimse-http-signature-06.
    #[serde(rename = "http-signature-06")]
    HttpSignature06,
}

/// How a verifier is configured.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// What it speaks.
    pub draft: Draft,
    /// The origins under which it is reached.
    pub origins: Vec<String>,
    /// The fields with tokens of the deployment's that it understands in `oth`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context_fields: Vec<String>,
    /// The longest that a proof may hold from now, in seconds.
    pub longest: u64,
}

impl Protocol {
    /// A verifier with room for some proofs.
    pub fn verifier(&self) -> Result<Box<dyn ProofVerifier>, String> {
        let mut audiences = Audiences::default();
        for origin in &self.origins {
            audiences = audiences.origin(origin).map_err(|e| e.to_string())?;
        }
        let (longest, used) = (Duration::from_secs(self.longest), Arc::new(ReplayMemory::new(100)));
        let wpt = |binding| {
            let verifier = WptVerifier::new(binding, audiences.clone(), used.clone()).at_most(longest);
            self.context_fields.iter().fold(verifier, |verifier, field| verifier.context_field(field))
        };
        Ok(match self.draft {
            Draft::Wpt01 => Box::new(wpt(WptBinding::ProofTokenField)),
            Draft::Wpt02 => Box::new(wpt(WptBinding::Authorization)),
            Draft::HttpSignature06 => {
                Box::new(HttpSignatureVerifier::new(audiences.clone(), used.clone()).at_most(longest))
            }
        })
    }

    /// A prover whose proofs hold for as long as they may.
    pub fn prover(&self) -> Box<dyn Prover> {
        let lifetime = Duration::from_secs(self.longest);
        let wpt = |binding| {
            let prover = WptProver::new(binding).lifetime(lifetime);
            self.context_fields.iter().fold(prover, |prover, field| prover.context_field(field))
        };
        match self.draft {
            Draft::Wpt01 => Box::new(wpt(WptBinding::ProofTokenField)),
            Draft::Wpt02 => Box::new(wpt(WptBinding::Authorization)),
            Draft::HttpSignature06 => Box::new(HttpSignatureProver::default().lifetime(lifetime)),
        }
    }
}
