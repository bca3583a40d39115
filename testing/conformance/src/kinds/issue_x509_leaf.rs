//! `issue-x509-leaf`: an authority is asked for an X.509-SVID.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use spiffe::SpiffeId;
use spiffe::key::{PrivateKey, PublicKey};
use spiffe::x509::{Certificate, DistinguishedName, LeafTemplate, X509Issuer};

use super::Outcome;
use super::input::{Bytes, moment};
use crate::format::Input;
use crate::inspect;

/// The name of the kind.
pub const KIND: &str = "issue-x509-leaf";

/// A request and who is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// Who signs.
    pub authority: Authority,
    /// The names that are asked for. An issuer whose interface cannot hold their number has refused.
    pub ids: Vec<String>,
    /// The subject's key, a DER SubjectPublicKeyInfo.
    pub key: Bytes,
    /// DNS names beside the ID.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dns: Vec<String>,
    /// Whether the subject is to be empty; else it is the issuer's choice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub subject_empty: bool,
    /// In seconds since 1970.
    pub not_before: i64,
    /// In seconds since 1970.
    pub not_after: i64,
}

/// A signing certificate and its key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// DER.
    pub certificate: Bytes,
    /// Unencrypted PKCS#8, DER.
    pub key: Bytes,
}

impl Authority {
    pub(super) fn issuer(self) -> Result<X509Issuer, String> {
        let certificate = Certificate::parse(self.certificate.0).map_err(|e| e.to_string())?;
        let key = PrivateKey::from_pkcs8(&self.key.0).map_err(|e| e.to_string())?;
        X509Issuer::new(certificate, Vec::new(), Arc::new(key)).map_err(|e| e.to_string())
    }
}

impl From<Members> for Input {
    fn from(members: Members) -> Self {
        Self { kind: KIND, members: json!(members) }
    }
}

pub(super) fn judge(members: Members) -> Outcome {
    // A template has one ID by its type.
    let [id] = members.ids.as_slice() else { return Err("not one ID".to_owned()) };
    let issuer = members.authority.issuer()?;
    let id = SpiffeId::parse(id).map_err(|e| e.to_string())?;
    let key = PublicKey::from_spki_der(&members.key.0).map_err(|e| e.to_string())?;
    let (from, until) = (moment(members.not_before), moment(members.not_after));
    let mut template = LeafTemplate::new(id, key, from, until).dns(&members.dns);
    if members.subject_empty {
        template = template.named(DistinguishedName::default());
    }
    let leaf = template.issue(&issuer).map_err(|e| e.to_string())?;
    inspect::certificate(leaf.der())
}
