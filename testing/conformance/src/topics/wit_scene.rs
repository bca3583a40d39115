//! The usual scene of WIT-SVIDs: an authority of `example.org`, a workload with its key, and a service that it calls.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::scene::ID;
use crate::forge::jws;
use crate::forge::key::{Hash, Key};
use crate::forge::keys::key;
use crate::forge::moment::{HOUR, NOW};
use crate::format::Input;
use crate::kinds::http::{Channel, Draft, Fields, Protocol, Request};
use crate::kinds::input::{Authorities, Bundles, Bytes, KeyEntry};
use crate::kinds::{wit_request, wit_svid};

/// The usual header of a WIT-SVID.
pub(super) const WIT: &str = r#"{"alg":"ES256","kid":"w","typ":"wit+jwt"}"#;
/// The usual header of a proof.
pub(super) const WPT: &str = r#"{"alg":"ES256","typ":"wpt+jwt"}"#;
/// The URI of the request without its query.
pub(super) const AUDIENCE: &str = "https://shop.example.org/orders";
/// The target of the request.
pub(super) const TARGET: &str = "/orders?all";

/// The key that signs WIT-SVIDs.
pub(super) fn authority() -> &'static Key {
    key("ec256-root")
}

/// The workload's key.
pub(super) fn own() -> &'static Key {
    key("ec256-leaf")
}

/// A public JWK with an algorithm.
pub(super) fn jwk(key: &Key, alg: &str) -> Value {
    let mut jwk = key.jwk();
    jwk["alg"] = alg.into();
    jwk
}

/// The usual claims of a WIT-SVID.
pub(super) fn wit_claims() -> Value {
    json!({ "cnf": { "jwk": jwk(own(), "ES256") }, "exp": NOW + HOUR, "sub": ID })
}

/// A value with another member.
pub(super) fn with(mut value: Value, name: &str, member: Value) -> Value {
    value[name] = member;
    value
}

/// A value without a member.
pub(super) fn without(mut value: Value, name: &str) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.remove(name);
    }
    value
}

/// A token of these parts, signed ES256 by the authority.
pub(super) fn wit(header: &str, claims: &Value) -> String {
    jws::token(header, &claims.to_string(), authority())
}

/// The workload's WIT-SVID.
pub(super) fn usual_wit() -> String {
    wit(WIT, &wit_claims())
}

/// What verifiers hold of `example.org`.
pub(super) fn wit_keys(keys: &[(&str, &Key)]) -> Bundles {
    let wit =
        keys.iter().map(|(kid, key)| KeyEntry { kid: (*kid).to_owned(), spki: Bytes(key.spki()) }).collect();
    Bundles::from([("example.org".to_owned(), Authorities { wit, ..Authorities::default() })])
}

/// The authority as `w`.
pub(super) fn bundles() -> Bundles {
    wit_keys(&[("w", authority())])
}

/// A WIT-SVID as it is verified without a proof.
pub(super) fn verified(wit: &str) -> Input {
    wit_svid::Members { wit: wit.to_owned(), bundles: bundles(), lifespan: None, now: NOW }.into()
}

/// The hash of a token as proofs have it.
pub(super) fn hash(token: &str) -> String {
    jws::part(Hash::Sha256.of(token.as_bytes()))
}

/// The usual claims of a proof for a WIT-SVID.
pub(super) fn wpt_claims(wit: &str) -> Value {
    json!({ "aud": AUDIENCE, "exp": NOW + 60, "jti": "first", "wth": hash(wit) })
}

/// A proof of these parts, signed ES256 by the workload.
pub(super) fn wpt(header: &str, claims: &Value) -> String {
    jws::token(header, &claims.to_string(), own())
}

/// The usual configuration of the service.
pub(super) fn speaking(draft: Draft) -> Protocol {
    Protocol {
        draft,
        origins: vec!["https://shop.example.org".to_owned()],
        context_fields: Vec::new(),
        longest: 300,
    }
}

/// Header fields.
pub(super) fn fields(all: &[(&str, &str)]) -> Fields {
    all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The usual request with those fields.
pub(super) fn get(all: &[(&str, &str)]) -> Request {
    Request {
        method: "GET".to_owned(),
        target: TARGET.to_owned(),
        fields: fields(all),
        body: String::new(),
        channel: Channel::Tls,
    }
}

/// A request as the service judges it.
pub(super) fn judged(draft: Draft, request: Request) -> wit_request::Members {
    wit_request::Members {
        before: Vec::new(),
        request,
        protocol: speaking(draft),
        bundles: bundles(),
        now: NOW,
    }
}

/// The usual request with a WIT-SVID and a proof in their own fields, and more.
pub(super) fn with_wpt(wit: &str, proof: &str, more: &[(&str, &str)]) -> Request {
    get(&[&[("Workload-Identity-Token", wit), ("Workload-Proof-Token", proof)], more].concat())
}

/// The usual WIT-SVID with a proof of those claims, as the service judges it.
pub(super) fn proven(claims: &Value) -> Input {
    proven_beside(claims, &[])
}

/// The same beside other fields.
pub(super) fn proven_beside(claims: &Value, more: &[(&str, &str)]) -> Input {
    judged(Draft::Wpt01, with_wpt(&usual_wit(), &wpt(WPT, claims), more)).into()
}

/// The usual claims of a proof for the usual WIT-SVID.
pub(super) fn usual_proof() -> Value {
    wpt_claims(&usual_wit())
}

/// What an HTTP message signature says: the components, the lines of their values, and the parameters.
#[derive(Debug, Clone)]
pub(super) struct Covered {
    /// As they stand in the list.
    pub(super) components: Vec<String>,
    /// A line for each.
    pub(super) lines: Vec<String>,
    /// As they stand behind the list.
    pub(super) parameters: String,
}

/// The parameters that a request must have.
pub(super) fn parameters() -> String {
    format!(
        r#";created={NOW};expires={};nonce="first";tag="wimse-workload-to-workload";wimse-aud="{AUDIENCE}""#,
        NOW + 60
    )
}

impl Covered {
    /// What the usual request must cover.
    pub(super) fn request() -> Self {
        let none = Self { components: Vec::new(), lines: Vec::new(), parameters: parameters() };
        none.and(r#""@method""#, "GET")
            .and(r#""@request-target""#, TARGET)
            .and(r#""workload-identity-token""#, &usual_wit())
    }

    /// With another component.
    pub(super) fn and(mut self, component: &str, value: &str) -> Self {
        self.components.push(component.to_owned());
        self.lines.push(format!("{component}: {value}"));
        self
    }

    /// Without the component of that number.
    pub(super) fn without(mut self, number: usize) -> Self {
        self.components.remove(number);
        self.lines.remove(number);
        self
    }

    /// With other parameters.
    pub(super) fn with(self, parameters: String) -> Self {
        Self { parameters, ..self }
    }

    /// The fields of the signature, under a label, by a key.
    pub(super) fn signed(&self, label: &str, key: &Key) -> [(&'static str, String); 2] {
        let list = format!("({}){}", self.components.join(" "), self.parameters);
        let base = format!("{}\n\"@signature-params\": {list}", self.lines.join("\n"));
        let signature = STANDARD.encode(key.sign_fixed(key.usual(), base.as_bytes()));
        [("Signature-Input", format!("{label}={list}")), ("Signature", format!("{label}=:{signature}:"))]
    }
}

/// A request with the usual WIT-SVID, a signature, and more.
pub(super) fn with_signature(covered: &Covered, more: &[(&str, &str)]) -> Request {
    let wit = usual_wit();
    let [input, signature] = covered.signed("wimse", own());
    let own = [("Workload-Identity-Token", &*wit), (input.0, &*input.1), (signature.0, &*signature.1)];
    get(&[&own[..], more].concat())
}

/// Such a request as the service judges it.
pub(super) fn signed(covered: &Covered, more: &[(&str, &str)]) -> Input {
    judged(Draft::HttpSignature06, with_signature(covered, more)).into()
}
