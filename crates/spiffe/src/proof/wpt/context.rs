//! Other tokens of the request that a proof binds: `ath`, `tth` and `oth` (wpt §2).

use serde_json::{Map, Value};

use super::super::ProofError;
use super::super::hash::is_hash_of;
use super::super::http::Fields;
use super::super::presented::AUTHORIZATION;
use super::{TXN_TOKEN, WptBinding};

/// The OAuth access token of a request, for the drafts in which it can stand beside the proof.
pub(super) fn access_token<'a>(
    fields: Fields<'a>,
    binding: WptBinding,
) -> Result<Option<&'a str>, ProofError> {
    if binding == WptBinding::Authorization {
        return Ok(None);
    }
    let Some(value) = fields.one(AUTHORIZATION)? else { return Ok(None) };
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let of_oauth = ["Bearer", "DPoP"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    Ok(of_oauth.then_some(token.trim_start_matches(' ')))
}

/// The transaction token of a request.
pub(super) fn txn_token<'a>(fields: Fields<'a>) -> Result<Option<&'a str>, ProofError> {
    Ok(fields.one(TXN_TOKEN)?)
}

/// The value of a field of the deployment's that holds a token. It may not occur several times (wpt §2).
pub(super) fn other_token<'a>(fields: Fields<'a>, field: &str) -> Result<Option<&'a str>, ProofError> {
    let mut all = fields.all(field);
    match (all.next(), all.next()) {
        (value, None) => Ok(value),
        _ => Err(ProofError::OtherToken(field.to_owned())),
    }
}

/// Judges a claim that binds one token; true if there is such a token.
pub(super) fn judge_one(claim: Option<&Value>, token: Option<&str>, field: &str) -> Result<bool, ProofError> {
    match (claim, token) {
        (None, None) => Ok(false),
        (None, Some(_)) => Err(ProofError::Unbound(field.to_owned())),
        (Some(claim), token) => {
            let holds = claim.as_str().zip(token).is_some_and(|(claim, token)| is_hash_of(claim, token));
            if holds { Ok(true) } else { Err(ProofError::OtherToken(field.to_owned())) }
        }
    }
}

/// Judges `oth`: each of its members must be one of the `known` fields and bind what stands there, and each of those fields
/// that the request has must be bound.
pub(super) fn judge_others(
    claim: Option<&Value>,
    fields: Fields<'_>,
    known: &[String],
) -> Result<Vec<String>, ProofError> {
    let empty = Map::new();
    let oth = match claim {
        None => &empty,
        Some(Value::Object(members)) => members,
        Some(_) => return Err(ProofError::Claim("oth")),
    };
    if let Some((name, _)) = oth.iter().find(|(name, _)| !known.contains(name)) {
        return Err(ProofError::NotUnderstood(name.clone()));
    }
    let mut bound = Vec::new();
    for field in known {
        if judge_one(oth.get(field), other_token(fields, field)?, field)? {
            bound.push(field.clone());
        }
    }
    Ok(bound)
}
