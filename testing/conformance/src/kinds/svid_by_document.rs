//! `x509-svid-by-document`, `jwt-svid-by-document` and `wit-svid-by-document`: an SVID is verified by someone who has read bundle documents.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use spiffe::TrustDomain;
use spiffe::bundle::{Bundle, BundleSet};
use spiffe::jwt::JwtSvid;
use spiffe::wit::{Lifespan, Wit};
use spiffe::x509::X509Svid;

use super::Outcome;
use super::input::{Bytes, moment};
use crate::format::Input;

/// The name of the kind for X.509-SVIDs.
pub const X509: &str = "x509-svid-by-document";
/// The name of the kind for JWT-SVIDs.
pub const JWT: &str = "jwt-svid-by-document";
/// The name of the kind for WIT-SVIDs.
pub const WIT: &str = "wit-svid-by-document";

/// The documents by the name of their trust domain.
pub type Documents = BTreeMap<String, String>;

/// A chain and the documents.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    /// The certificates, leaf first, DER.
    pub chain: Vec<Bytes>,
    /// What the verifier has read.
    pub documents: Documents,
    /// When it is judged, in seconds since 1970.
    pub now: i64,
}

/// A token and the documents.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The token as it was sent.
    pub token: String,
    /// The audiences that the verifier answers to.
    pub audience: Vec<String>,
    /// What the verifier has read.
    pub documents: Documents,
    /// When it is judged, in seconds since 1970.
    pub now: i64,
}

/// A WIT-SVID and the documents.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitToken {
    /// The token as it was sent.
    pub wit: String,
    /// What the verifier has read.
    pub documents: Documents,
    /// When it is judged, in seconds since 1970.
    pub now: i64,
}

impl From<WitToken> for Input {
    fn from(members: WitToken) -> Self {
        Self { kind: WIT, members: json!(members) }
    }
}

impl From<Chain> for Input {
    fn from(members: Chain) -> Self {
        Self { kind: X509, members: json!(members) }
    }
}

impl From<Token> for Input {
    fn from(members: Token) -> Self {
        Self { kind: JWT, members: json!(members) }
    }
}

/// What was read; a document that is refused leaves no bundle.
fn read(documents: &Documents) -> Result<BundleSet, String> {
    let mut set = BundleSet::default();
    for (name, text) in documents {
        let trust_domain = TrustDomain::parse(name).map_err(|e| e.to_string())?;
        if let Ok(bundle) = Bundle::parse_spiffe_json(trust_domain, text) {
            set.insert(Arc::new(bundle));
        }
    }
    Ok(set)
}

pub(super) fn judge_x509(members: Chain) -> Outcome {
    let bundles = read(&members.documents)?;
    let svid =
        X509Svid::parse_chain(members.chain.into_iter().map(|der| der.0)).map_err(|e| e.to_string())?;
    let verified = svid.verify(&bundles, moment(members.now)).map_err(|e| e.to_string())?;
    Ok(json!({ "id": verified.id().as_str() }))
}

pub(super) fn judge_jwt(members: Token) -> Outcome {
    let bundles = read(&members.documents)?;
    let audience: Vec<&str> = members.audience.iter().map(String::as_str).collect();
    let verified = JwtSvid::verify(&members.token, &bundles, &audience, moment(members.now))
        .map_err(|e| e.to_string())?;
    Ok(json!({ "id": verified.id().as_str() }))
}

pub(super) fn judge_wit(members: WitToken) -> Outcome {
    let bundles = read(&members.documents)?;
    let verified = Wit::verify(&members.wit, &bundles, Lifespan::AsIssued, moment(members.now))
        .map_err(|e| e.to_string())?;
    Ok(json!({ "subject": verified.wit().subject().as_str() }))
}
