use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sfv::InnerList;

use super::base::{base, written};
use super::component::{Component, Parts};
use super::params::Params;
use super::read::is_signed;
use super::{CONTENT_DIGEST, LABEL, SIGNATURE, SIGNATURE_INPUT, SignatureError, digest, required};
use crate::jws;
use crate::proof::http::{Fields, Request, Response};
use crate::proof::presented::refuse_misuse;
use crate::proof::{HeldWit, ProofError, ProvenWit, Prover, WIT_FIELD};
use crate::wit::random_jti;

/// Signs requests and responses.
#[derive(Debug, Clone)]
pub struct HttpSignatureProver {
    lifetime: Duration,
    sign_response: bool,
    fields: Vec<String>,
}

/// A request that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    /// The header fields to add to it.
    pub fields: Vec<(&'static str, String)>,
    /// The nonce, by which a response shows that it belongs to it.
    pub nonce: String,
    /// Whether it asks for a signed response.
    pub sign_response: bool,
}

impl Default for HttpSignatureProver {
    /// Signatures that hold for one minute, and requests that do not ask for signed responses.
    fn default() -> Self {
        Self { lifetime: Duration::from_secs(60), sign_response: false, fields: Vec::new() }
    }
}

impl HttpSignatureProver {
    /// Makes signatures that hold for so long, in whole seconds.
    #[must_use]
    pub fn lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }

    /// Asks for signed responses: `wimse-sign-response`.
    #[must_use]
    pub fn asking_for_signed_responses(self) -> Self {
        Self { sign_response: true, ..self }
    }

    /// Signs also this field, where a message has it.
    #[must_use]
    pub fn also(mut self, field: &str) -> Self {
        self.fields.push(field.to_ascii_lowercase());
        self
    }

    /// Signs a request for `audience`; see [`Prover::present`].
    ///
    /// # Errors
    ///
    /// As [`Prover::present`] has them; also if the request has a signature already, or a `Content-Digest` that is not that
    /// of its body.
    pub fn sign_request(
        &self,
        held: &HeldWit,
        request: &Request<'_>,
        audience: &str,
        now: SystemTime,
    ) -> Result<SignedRequest, ProofError> {
        let sent = Fields::new(request.fields)?;
        refuse_misuse(sent, request.channel)?;
        if audience.is_empty() {
            return Err(SignatureError::Parameter("wimse-aud").into());
        }
        let mut params = self.params(now)?;
        params.audience = Some(audience.to_owned());
        params.sign_response = self.sign_response;
        let mut added = first_fields(held, sent, request.body)?;
        let all = joined(request.fields, &added);
        let fields = Fields::new(&all)?;
        let parts =
            Parts { method: request.method, target: request.target, request_fields: fields, response: None };
        let signature = self.sign(held, required::of_request(fields), &params, &parts, fields, now)?;
        drop(all);
        added.extend(signature);
        Ok(SignedRequest { fields: added, nonce: params.nonce, sign_response: self.sign_response })
    }

    /// The header fields to add to a response to a signed request of `peer`: the server's WIT-SVID, the signature and what
    /// belongs to it. `request` is the request as it was received.
    ///
    /// # Errors
    ///
    /// As [`Self::sign_request`] has them; also if the request was not authenticated by a signature.
    pub fn sign_response(
        &self,
        held: &HeldWit,
        response: &Response<'_>,
        request: &Request<'_>,
        peer: &ProvenWit,
        now: SystemTime,
    ) -> Result<Vec<(&'static str, String)>, ProofError> {
        let sent = Fields::new(response.fields)?;
        refuse_misuse(sent, response.channel)?;
        let exchange = peer.exchange().ok_or(SignatureError::NoExchange)?;
        let mut params = self.params(now)?;
        params.request_nonce = Some(exchange.nonce.clone());
        let mut added = first_fields(held, sent, response.body)?;
        let all = joined(response.fields, &added);
        let fields = Fields::new(&all)?;
        let parts = Parts {
            method: request.method,
            target: request.target,
            request_fields: Fields::new(request.fields)?,
            response: Some((response.status, fields)),
        };
        let signature = self.sign(held, required::of_response(fields), &params, &parts, fields, now)?;
        drop(all);
        added.extend(signature);
        Ok(added)
    }

    fn params(&self, now: SystemTime) -> Result<Params, ProofError> {
        let expires = now.checked_add(self.lifetime).ok_or(SignatureError::Parameter("expires"))?;
        Ok(Params {
            created: now,
            expires,
            nonce: random_jti()?,
            audience: None,
            sign_response: false,
            request_nonce: None,
        })
    }

    fn sign(
        &self,
        held: &HeldWit,
        mut components: Vec<Component>,
        params: &Params,
        parts: &Parts<'_>,
        fields: Fields<'_>,
        now: SystemTime,
    ) -> Result<[(&'static str, String); 2], ProofError> {
        for field in self.fields.iter().filter(|field| fields.has(field)).map(|field| Component::own(field)) {
            if !components.contains(&field) {
                components.push(field);
            }
        }
        let items = components.iter().map(Component::item).collect::<Result<_, _>>()?;
        let list = InnerList::with_params(items, params.write()?);
        let alg = held.wit().confirmation().alg();
        let base = base(&components, &list, parts)?;
        let signature = held.key_at(now)?.sign(alg, base.as_bytes()).map_err(jws::JwsError::Sign);
        let signature =
            signature.and_then(|signature| jws::in_jws(alg, signature)).map_err(ProofError::Sign)?;
        Ok([
            (SIGNATURE_INPUT, format!("{LABEL}={}", written(&list)?)),
            (SIGNATURE, format!("{LABEL}=:{}:", STANDARD.encode(signature))),
        ])
    }
}

/// The token, and the digest of a body that has none yet.
fn first_fields(
    held: &HeldWit,
    sent: Fields<'_>,
    body: &[u8],
) -> Result<Vec<(&'static str, String)>, ProofError> {
    if is_signed(sent) || sent.has(WIT_FIELD) {
        return Err(SignatureError::Taken.into());
    }
    let mut added = vec![(WIT_FIELD, held.wit().token().to_owned())];
    match sent.has(CONTENT_DIGEST) {
        true => digest::judge(sent, body)?,
        false if body.is_empty() => {}
        false => added.push((CONTENT_DIGEST, digest::written(body))),
    }
    Ok(added)
}

fn joined<'a>(sent: &[(&'a str, &'a str)], added: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    sent.iter().copied().chain(added.iter().map(|(name, value)| (*name, value.as_str()))).collect()
}

impl Prover for HttpSignatureProver {
    fn present(
        &self,
        held: &HeldWit,
        request: &Request<'_>,
        audience: &str,
        now: SystemTime,
    ) -> Result<Vec<(&'static str, String)>, ProofError> {
        self.sign_request(held, request, audience, now).map(|signed| signed.fields)
    }
}
