use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::context::{access_token, judge_one, judge_others, txn_token};
use super::{LONGEST, MAX_AUDIENCES, MAX_JTI, TXN_TOKEN, TYPE, WptBinding};
use crate::jws::{self, Jws};
use crate::proof::hash::is_hash_of;
use crate::proof::http::{Fields, Request};
use crate::proof::presented::AUTHORIZATION;
use crate::proof::protocol::sealed::{Bound, Judge, SealedFields};
use crate::proof::{Answer, Audiences, ProofError, ProofName, ProofVerifier, ReplayCache};
use crate::wit::{VerifiedWit, Wit};

/// How far the clocks of sender and verifier may be apart when `nbf` is judged; expiry is judged without.
const LEEWAY: Duration = Duration::from_secs(60);

/// Judges Workload Proof Tokens.
#[derive(Clone)]
pub struct WptVerifier {
    binding: WptBinding,
    audiences: Audiences,
    longest: Duration,
    context_fields: Vec<String>,
    used: Arc<dyn ReplayCache>,
}

impl WptVerifier {
    /// A verifier of proofs that stand where `binding` says and are for one of the audiences; each holds once, unless the
    /// cache is [`DangerAcceptReplays`](crate::proof::DangerAcceptReplays).
    pub fn new(binding: WptBinding, audiences: Audiences, used: Arc<dyn ReplayCache>) -> Self {
        Self { binding, audiences, longest: LONGEST, context_fields: Vec::new(), used }
    }

    /// Refuses proofs that would hold for longer than this from now; [`LONGEST`] if not set.
    #[must_use]
    pub fn at_most(self, longest: Duration) -> Self {
        Self { longest, ..self }
    }

    /// Understands a field of the deployment's that says for whom a request is made: if a request has it, the proof must
    /// bind it (`oth`, wpt §2).
    #[must_use]
    pub fn context_field(mut self, field: &str) -> Self {
        self.context_fields.push(field.to_ascii_lowercase());
        self
    }

    fn audience(&self, claims: &Map<String, Value>, target: &str) -> Result<(), ProofError> {
        let all: Vec<&str> = match claims.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(all)) if (1..=MAX_AUDIENCES).contains(&all.len()) => {
                all.iter().map(Value::as_str).collect::<Option<_>>().ok_or(ProofError::Claim("aud"))?
            }
            _ => return Err(ProofError::Claim("aud")),
        };
        match all.iter().any(|audience| self.audiences.accept(audience, target)) {
            true => Ok(()),
            false => Err(ProofError::Audience(all.join(", "))),
        }
    }

    fn until(&self, claims: &Map<String, Value>, now: SystemTime) -> Result<SystemTime, ProofError> {
        let moment = |name| jws::moment(claims, name).map_err(ProofError::Claim);
        let until = moment("exp")?.ok_or(ProofError::Claim("exp"))?;
        if until <= now {
            return Err(ProofError::Expired);
        }
        if until.duration_since(now).is_ok_and(|left| left > self.longest) {
            return Err(ProofError::TooLong(self.longest));
        }
        if moment("nbf")?.and_then(|start| start.checked_sub(LEEWAY)).is_some_and(|start| start > now) {
            return Err(ProofError::NotYet);
        }
        Ok(until)
    }

    /// The fields whose tokens the proof binds.
    fn context(&self, claims: &Map<String, Value>, fields: Fields<'_>) -> Result<Vec<String>, ProofError> {
        let mut bound = judge_others(claims.get("oth"), fields, &self.context_fields)?;
        // From -02 on there is no `ath`, and a claim that is not known says nothing.
        if self.binding == WptBinding::ProofTokenField
            && judge_one(claims.get("ath"), access_token(fields, self.binding)?, AUTHORIZATION)?
        {
            bound.push(AUTHORIZATION.to_owned());
        }
        if judge_one(claims.get("tth"), txn_token(fields)?, TXN_TOKEN)? {
            bound.push(TXN_TOKEN.to_owned());
        }
        Ok(bound)
    }
}

/// The proof, if it was signed with the key of the WIT-SVID and by its algorithm.
fn signed_by(proof: &str, wit: &Wit) -> Result<Jws, ProofError> {
    let jws = Jws::parse_unverified(proof).map_err(ProofError::ProofForm)?;
    if jws::text(jws.header(), "typ") != Some(TYPE) {
        return Err(ProofError::Type);
    }
    let (proof, wit) = (jws.alg(), wit.confirmation());
    if proof != wit.alg() {
        return Err(ProofError::Algorithm { proof: proof.jws_name(), wit: wit.alg().jws_name() });
    }
    jws.verify(wit.key()).map_err(|_| ProofError::Signature)?;
    Ok(jws)
}

impl Judge for WptVerifier {
    fn judge(
        &self,
        request: &Request<'_>,
        SealedFields(fields): SealedFields<'_>,
        wit: &VerifiedWit,
        now: SystemTime,
    ) -> Result<Bound, ProofError> {
        let wit = wit.wit();
        let jws = signed_by(self.binding.proof(fields)?, wit)?;
        let claims = jws.claims_throughout().map_err(ProofError::ProofForm)?;
        let text = |name| jws::text(&claims, name).ok_or(ProofError::Claim(name));
        if !is_hash_of(text("wth")?, wit.token()) {
            return Err(ProofError::OtherWit);
        }
        let until = self.until(&claims, now)?;
        self.audience(&claims, request.target)?;
        let fields = self.context(&claims, fields)?;
        let jti = text("jti")?;
        if jti.is_empty() || jti.len() > MAX_JTI {
            return Err(ProofError::Claim("jti"));
        }
        // The last: what is remembered was proven.
        self.used.remember(&ProofName::new(wit.confirmation().key(), TYPE, jti), until, now)?;
        Ok(Bound { fields, until, exchange: None })
    }
}

impl ProofVerifier for WptVerifier {
    fn answer(&self, why: &ProofError) -> Answer {
        match self.binding {
            WptBinding::ProofTokenField => Answer::to(why, Answer::BAD_REQUEST),
            WptBinding::Authorization => Answer::to(why, Answer::WPT),
        }
    }
}

impl fmt::Debug for WptVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WptVerifier({:?}, {:?})", self.binding, self.audiences)
    }
}
