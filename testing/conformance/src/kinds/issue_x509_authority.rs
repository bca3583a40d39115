//! `issue-x509-authority`: a signing certificate is made, by itself or by another authority.

use serde::{Deserialize, Serialize};
use serde_json::json;
use spiffe::SpiffeId;
use spiffe::key::{PrivateKey, Signer};
use spiffe::x509::{CaSubject, CaTemplate, UriConstraints};

use super::Outcome;
use super::input::{Bytes, moment};
use super::issue_x509_leaf::Authority;
use crate::format::Input;
use crate::inspect;

/// The name of the kind.
pub const KIND: &str = "issue-x509-authority";

/// What is asked for, and who signs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    /// The SPIFFE ID of the authority.
    pub id: String,
    /// Its key, unencrypted PKCS#8 in DER.
    pub key: Bytes,
    /// Who signs; itself if nobody is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<Authority>,
    /// How many authorities may stand below it; any number if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_length: Option<u8>,
    /// The hosts that URIs below it may name; any if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permitted: Vec<String>,
    /// The hosts that URIs below it may not name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<String>,
    /// In seconds since 1970.
    pub not_before: i64,
    /// In seconds since 1970.
    pub not_after: i64,
}

impl From<Members> for Input {
    fn from(members: Members) -> Self {
        Self { kind: KIND, members: json!(members) }
    }
}

pub(super) fn judge(members: Members) -> Outcome {
    let id = SpiffeId::parse(&members.id).map_err(|e| e.to_string())?;
    // A template has a trust domain by its type, and no path.
    if !id.path().is_empty() {
        return Err("the ID has a path".to_owned());
    }
    let key = PrivateKey::from_pkcs8(&members.key.0).map_err(|e| e.to_string())?;
    let (from, until) = (moment(members.not_before), moment(members.not_after));
    let permitted = members.permitted.into_iter().fold(UriConstraints::new(), UriConstraints::permit);
    let constraints = members.excluded.into_iter().fold(permitted, UriConstraints::exclude);
    let mut template =
        CaTemplate::new(id.trust_domain(), CaSubject::default(), from, until).constrain(constraints);
    if let Some(length) = members.path_length {
        template = template.path_len(length);
    }
    let certificate = match members.below {
        None => template.self_sign(&key),
        Some(above) => template.issue(key.public(), &above.issuer()?),
    };
    inspect::certificate(certificate.map_err(|e| e.to_string())?.der())
}
