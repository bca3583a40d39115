//! What is done with the input of a vector, one module a kind.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::format::Vector;

pub mod authorization;
pub mod bundle;
pub mod bundle_map;
pub mod concatenated;
pub mod csr;
pub mod endpoint;
pub mod federation;
pub mod held_wit;
pub mod http;
pub mod input;
pub mod issue_jwt_svid;
pub mod issue_wit_svid;
pub mod issue_x509_authority;
pub mod issue_x509_leaf;
pub mod jwt_bundle;
pub mod jwt_svid;
pub mod present_wit;
pub mod private_key;
pub mod publish_bundle;
pub mod revocation;
pub mod same_id;
pub mod spiffe_id;
pub mod svid_by_document;
pub mod trust_domain;
pub mod wit_request;
pub mod wit_response;
pub mod wit_svid;
pub mod x509_svid;

/// What came of an input: what is known of it, or why it was refused.
pub type Outcome = Result<Value, String>;

/// A kind of vector.
pub struct Kind {
    /// Its name in the files.
    pub name: &'static str,
    /// Judges the members of an input; an error means that they are not those of the kind.
    judge: fn(&Value) -> Result<Outcome, String>,
}

/// All kinds.
pub const KINDS: &[Kind] = &[
    Kind { name: spiffe_id::KIND, judge: |input| with(input, spiffe_id::judge) },
    Kind { name: trust_domain::KIND, judge: |input| with(input, trust_domain::judge) },
    Kind { name: x509_svid::KIND, judge: |input| with(input, x509_svid::judge) },
    Kind { name: same_id::KIND, judge: |input| with(input, same_id::judge) },
    Kind { name: csr::KIND, judge: |input| with(input, csr::judge) },
    Kind { name: issue_x509_leaf::KIND, judge: |input| with(input, issue_x509_leaf::judge) },
    Kind { name: issue_x509_authority::KIND, judge: |input| with(input, issue_x509_authority::judge) },
    Kind { name: bundle::KIND, judge: |input| with(input, bundle::judge) },
    Kind { name: publish_bundle::KIND, judge: |input| with(input, publish_bundle::judge) },
    Kind { name: svid_by_document::X509, judge: |input| with(input, svid_by_document::judge_x509) },
    Kind { name: svid_by_document::JWT, judge: |input| with(input, svid_by_document::judge_jwt) },
    Kind { name: concatenated::SVID, judge: |input| with(input, concatenated::judge_svid) },
    Kind { name: concatenated::BUNDLE, judge: |input| with(input, concatenated::judge_bundle) },
    Kind { name: held_wit::KIND, judge: |input| with(input, held_wit::judge) },
    Kind { name: private_key::KIND, judge: |input| with(input, private_key::judge) },
    Kind { name: jwt_bundle::KIND, judge: |input| with(input, jwt_bundle::judge) },
    Kind { name: svid_by_document::WIT, judge: |input| with(input, svid_by_document::judge_wit) },
    Kind { name: bundle_map::READ, judge: |input| with(input, bundle_map::judge_read) },
    Kind { name: bundle_map::PUBLISH, judge: |input| with(input, bundle_map::judge_publish) },
    Kind { name: bundle_map::SET, judge: |input| with(input, bundle_map::judge_set) },
    Kind { name: endpoint::ADDRESS, judge: |input| with(input, endpoint::judge_address) },
    Kind { name: endpoint::ENDPOINT, judge: |input| with(input, endpoint::judge_located) },
    Kind { name: endpoint::HEADER, judge: |input| with(input, endpoint::judge_header) },
    Kind { name: federation::ENDPOINT, judge: |input| with(input, federation::judge_endpoint) },
    Kind { name: federation::FETCH, judge: |input| with(input, federation::judge_fetch) },
    Kind { name: federation::RESPONSE, judge: |input| with(input, federation::judge_response) },
    Kind { name: federation::SUCCESSION, judge: |input| with(input, federation::judge_succession) },
    Kind { name: federation::REFRESH, judge: |input| with(input, federation::judge_refresh) },
    Kind { name: federation::PEER, judge: |input| with(input, federation::judge_peer) },
    Kind { name: federation::ENDPOINTS, judge: |input| with(input, federation::judge_endpoints) },
    Kind { name: revocation::KIND, judge: |input| with(input, revocation::judge) },
    Kind { name: jwt_svid::KIND, judge: |input| with(input, jwt_svid::judge) },
    Kind { name: issue_jwt_svid::KIND, judge: |input| with(input, issue_jwt_svid::judge) },
    Kind { name: authorization::READ, judge: |input| with(input, authorization::judge_read) },
    Kind { name: authorization::WRITE, judge: |input| with(input, authorization::judge_write) },
    Kind { name: wit_svid::KIND, judge: |input| with(input, wit_svid::judge) },
    Kind { name: issue_wit_svid::KIND, judge: |input| with(input, issue_wit_svid::judge) },
    Kind { name: wit_request::KIND, judge: |input| with(input, wit_request::judge) },
    Kind { name: wit_request::REFUSAL, judge: |input| with(input, wit_request::judge_refusal) },
    Kind { name: wit_response::KIND, judge: |input| with(input, wit_response::judge) },
    Kind { name: wit_response::UNSIGNED, judge: |input| with(input, wit_response::judge_unsigned) },
    Kind { name: present_wit::KIND, judge: |input| with(input, present_wit::judge) },
];

/// Reads the input's members and judges them.
fn with<T: DeserializeOwned>(input: &Value, judge: fn(T) -> Outcome) -> Result<Outcome, String> {
    T::deserialize(input).map(judge).map_err(|e| e.to_string())
}

/// What comes of a vector's input; an error means that it cannot be judged at all.
pub fn outcome(vector: &Vector) -> Result<Outcome, String> {
    let kind = KINDS
        .iter()
        .find(|kind| kind.name == vector.kind)
        .ok_or_else(|| format!("no kind {}", vector.kind))?;
    (kind.judge)(&vector.input)
}

/// Judges one vector; says what is wrong when the outcome is not the one it must have.
pub fn judge(vector: &Vector) -> Result<(), String> {
    match (outcome(vector)?, vector.accept) {
        (Ok(outcome), true) => expected(&outcome, vector.expect.as_ref()),
        (Err(_), false) => Ok(()),
        (Err(why), true) => Err(format!("refused ({why}), and must be accepted: {}", vector.why)),
        (Ok(outcome), false) => Err(format!("accepted ({outcome}), and must be refused: {}", vector.why)),
    }
}

/// Whether each member that is expected is there with that value.
fn expected(outcome: &Value, expect: Option<&Value>) -> Result<(), String> {
    let Some(expect) = expect else { return Ok(()) };
    let members = expect.as_object().ok_or("\"expect\" is not an object")?;
    match members.iter().find(|(name, value)| outcome.get(name) != Some(value)) {
        None => Ok(()),
        Some((name, value)) => Err(format!("\"{name}\" must be {value}; the outcome is {outcome}")),
    }
}
