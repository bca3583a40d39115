use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde_json::{Map, Value};

use super::context::{access_token, other_token, txn_token};
use super::{TYPE, WptBinding};
use crate::jws::{self, Header};
use crate::proof::hash::hash_of;
use crate::proof::http::{Fields, Request};
use crate::proof::presented::{AUTHORIZATION, refuse_misuse};
use crate::proof::{HeldWit, ProofError, Prover, WIT_FIELD};
use crate::wit::random_jti;

/// Makes Workload Proof Tokens.
#[derive(Debug, Clone)]
pub struct WptProver {
    binding: WptBinding,
    lifetime: Duration,
    context_fields: Vec<String>,
}

impl WptProver {
    /// A prover whose proofs hold for one minute.
    pub fn new(binding: WptBinding) -> Self {
        Self { binding, lifetime: Duration::from_secs(60), context_fields: Vec::new() }
    }

    /// Makes proofs that hold for so long, in whole seconds; short, since a proof that is copied can be used for so long.
    #[must_use]
    pub fn lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }

    /// Binds also what stands in a field of the deployment's that says for whom a request is made (`oth`, wpt §2).
    #[must_use]
    pub fn context_field(mut self, field: &str) -> Self {
        self.context_fields.push(field.to_ascii_lowercase());
        self
    }

    fn others(&self, fields: Fields<'_>) -> Result<Option<Map<String, Value>>, ProofError> {
        let mut others = Map::new();
        for field in &self.context_fields {
            if let Some(token) = other_token(fields, field)? {
                others.insert(field.clone(), hash_of(token).into());
            }
        }
        Ok(Some(others).filter(|others| !others.is_empty()))
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
    aud: &'a str,
    exp: u64,
    jti: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    oth: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tth: Option<String>,
    wth: String,
}

impl Prover for WptProver {
    fn present(
        &self,
        held: &HeldWit,
        request: &Request<'_>,
        audience: &str,
        now: SystemTime,
    ) -> Result<Vec<(&'static str, String)>, ProofError> {
        let fields = Fields::new(request.fields)?;
        refuse_misuse(fields, request.channel)?;
        if self.binding == WptBinding::Authorization && fields.has(AUTHORIZATION) {
            return Err(ProofError::AuthorizationTaken);
        }
        if audience.is_empty() {
            return Err(ProofError::Claim("aud"));
        }
        let wit = held.wit();
        let key = held.key_at(now)?;
        let until = now.checked_add(self.lifetime).ok_or(ProofError::Claim("exp"))?;
        let claims = Claims {
            ath: access_token(fields, self.binding)?.map(hash_of),
            aud: audience,
            exp: jws::seconds(until, "exp").map_err(ProofError::Claim)?,
            jti: random_jti()?,
            oth: self.others(fields)?,
            tth: txn_token(fields)?.map(hash_of),
            wth: hash_of(wit.token()),
        };
        let alg = wit.confirmation().alg();
        let proof =
            jws::compact(alg, &Header::new(alg, None, TYPE), &claims, key).map_err(ProofError::Sign)?;
        Ok(vec![(WIT_FIELD, wit.token().to_owned()), (self.binding.field(), self.binding.value(proof))])
    }
}
