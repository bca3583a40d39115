use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::base::base;
use super::component::{Component, Parts};
use super::read::{Signed, is_signed};
use super::{LONGEST, SignatureError, SignedRequest, TAG, digest, required};
use crate::bundle::BundleSource;
use crate::proof::http::{Fields, Request, Response};
use crate::proof::presented::{presented, refuse_misuse};
use crate::proof::protocol::sealed::{Bound, Exchange, Judge, SealedFields};
use crate::proof::{Answer, Audiences, ProofError, ProofName, ProofVerifier, ProvenWit, ReplayCache};
use crate::wit::{Lifespan, VerifiedWit, Wit};

/// Whether responses must be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResponseRule {
    /// Where the request asks for it.
    AsAsked,
    /// Always, whatever the request says.
    Always,
}

/// Judges the signatures of requests and responses.
#[derive(Clone)]
pub struct HttpSignatureVerifier {
    audiences: Audiences,
    longest: Duration,
    used: Arc<dyn ReplayCache>,
}

impl HttpSignatureVerifier {
    /// A verifier of requests that are for one of the audiences (of a client, which gets responses only, none); each
    /// message holds once, unless the cache is [`DangerAcceptReplays`](crate::proof::DangerAcceptReplays).
    pub fn new(audiences: Audiences, used: Arc<dyn ReplayCache>) -> Self {
        Self { audiences, longest: LONGEST, used }
    }

    /// Refuses signatures that hold for longer than this; [`LONGEST`] if not set.
    #[must_use]
    pub fn at_most(self, longest: Duration) -> Self {
        Self { longest, ..self }
    }

    /// Says who sent the response to a request that this client signed; nobody, if it is not signed and did not have to be.
    /// `request` is the request as it was sent, with what [`SignedRequest`] added.
    ///
    /// # Errors
    ///
    /// If it is not signed and had to be; or it is signed and the signature, the digest of the body, the WIT-SVID in it or
    /// its channel does not hold, or it belongs to another request.
    #[allow(clippy::too_many_arguments)]
    pub fn verify_response(
        &self,
        response: &Response<'_>,
        request: &Request<'_>,
        signed: &SignedRequest,
        rule: ResponseRule,
        bundles: &(impl BundleSource + ?Sized),
        lifespan: Lifespan,
        now: SystemTime,
    ) -> Result<Option<ProvenWit>, ProofError> {
        let fields = Fields::new(response.fields)?;
        let required = signed.sign_response || rule == ResponseRule::Always;
        if !is_signed(fields) {
            return if required { Err(SignatureError::Unsigned.into()) } else { Ok(None) };
        }
        refuse_misuse(fields, response.channel)?;
        let wit = Wit::verify(presented(fields)?, bundles, lifespan, now)?;
        let parts = Parts {
            method: request.method,
            target: request.target,
            request_fields: Fields::new(request.fields)?,
            response: Some((response.status, fields)),
        };
        let signature = self.signature(fields, required::of_response(fields), &parts, &wit, now)?;
        match &signature.params.request_nonce {
            Some(nonce) if *nonce == signed.nonce => {}
            None if !required => {}
            _ => return Err(SignatureError::OtherRequest.into()),
        }
        // The answer to HEAD describes a body that is not sent (RFC 9110 §9.3.2).
        if request.method != "HEAD" {
            digest::judge(fields, response.body)?;
        }
        let bound = self.bound(signature, &wit, now)?;
        Ok(Some(ProvenWit::new(wit, bound)))
    }

    /// The signature, if it covers what it must, holds now, and was made with the key of the WIT-SVID.
    fn signature(
        &self,
        fields: Fields<'_>,
        required: Vec<Component>,
        parts: &Parts<'_>,
        wit: &VerifiedWit,
        now: SystemTime,
    ) -> Result<Signed, ProofError> {
        let signed = Signed::read(fields)?;
        if let Some(missing) = required.iter().find(|component| !signed.covers(component)) {
            return Err(SignatureError::Uncovered(missing.to_string()).into());
        }
        signed.params.check(self.longest, now)?;
        let confirmation = wit.wit().confirmation();
        let base = base(&signed.components, &signed.list, parts)?;
        let held = confirmation.key().verify_jws(confirmation.alg(), base.as_bytes(), &signed.signature);
        held.map_err(|_| ProofError::Signature)?;
        Ok(signed)
    }

    /// What the signature binds. The last step: what is remembered was proven.
    fn bound(&self, signed: Signed, wit: &VerifiedWit, now: SystemTime) -> Result<Bound, ProofError> {
        let until = signed.params.expires;
        let name = ProofName::new(wit.wit().confirmation().key(), TAG, &signed.params.nonce);
        self.used.remember(&name, until, now)?;
        let own = signed.components.into_iter().filter(|c| !c.of_request && !c.name.starts_with('@'));
        let fields = own.map(|component| component.name).collect();
        let exchange = Exchange { nonce: signed.params.nonce, sign_response: signed.params.sign_response };
        Ok(Bound { fields, until, exchange: Some(exchange) })
    }
}

impl Judge for HttpSignatureVerifier {
    fn judge(
        &self,
        request: &Request<'_>,
        SealedFields(fields): SealedFields<'_>,
        wit: &VerifiedWit,
        now: SystemTime,
    ) -> Result<Bound, ProofError> {
        let parts =
            Parts { method: request.method, target: request.target, request_fields: fields, response: None };
        let signed = self.signature(fields, required::of_request(fields), &parts, wit, now)?;
        let audience = signed.params.audience.as_deref().ok_or(SignatureError::Parameter("wimse-aud"))?;
        if !self.audiences.accept(audience, request.target) {
            return Err(ProofError::Audience(audience.to_owned()));
        }
        digest::judge(fields, request.body)?;
        self.bound(signed, wit, now)
    }
}

impl ProofVerifier for HttpSignatureVerifier {
    fn answer(&self, why: &ProofError) -> Answer {
        Answer::to(why, Answer::BAD_REQUEST)
    }
}

impl fmt::Debug for HttpSignatureVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpSignatureVerifier({:?})", self.audiences)
    }
}

/// Whether a server may send a response to a request of `peer` without a signature. A success it may not where the request
/// or the server's own rule wants one; it then answers 400 or 501 instead.
pub fn may_answer_unsigned(peer: &ProvenWit, rule: ResponseRule, status: u16) -> bool {
    let asked = peer.exchange().is_some_and(|exchange| exchange.sign_response);
    !(200..300).contains(&status) || !(asked || rule == ResponseRule::Always)
}
