//! Making a token in compact form.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::JwsError;
use crate::key::{SigAlg, SignError, Signer};

/// What a header holds, and nothing else (JWT-SVID §2, WIT-SVID §2.4).
#[derive(Serialize)]
pub(crate) struct Header<'a> {
    alg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    typ: &'static str,
}

impl<'a> Header<'a> {
    /// A header for tokens of that type.
    pub(crate) fn new(alg: SigAlg, kid: Option<&'a str>, typ: &'static str) -> Self {
        Self { alg: alg.jws_name(), kid, typ }
    }
}

/// Signs `claims` by `alg`.
pub(crate) fn compact(
    alg: SigAlg,
    header: &Header<'_>,
    claims: &impl Serialize,
    signer: &dyn Signer,
) -> Result<String, JwsError> {
    let mut token = String::with_capacity(512);
    push(&mut token, header)?;
    token.push('.');
    push(&mut token, claims)?;
    let signature = signer.sign(alg, token.as_bytes()).map_err(JwsError::Sign)?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(in_jws(alg, signature)?, &mut token);
    Ok(token)
}

fn push(token: &mut String, part: &impl Serialize) -> Result<(), JwsError> {
    let json = serde_json::to_vec(part).map_err(|_| JwsError::Malformed("its claims cannot be written"))?;
    URL_SAFE_NO_PAD.encode_string(json, token);
    Ok(())
}

/// A signature as X.509 has it in the form of JWS.
pub(crate) fn in_jws(alg: SigAlg, signature: Vec<u8>) -> Result<Vec<u8>, JwsError> {
    let Some(size) = alg.coordinate() else { return Ok(signature) };
    let malformed = || JwsError::Sign(SignError::Refused("its ECDSA signature is not ASN.1".to_owned()));
    fixed(&signature, size).ok_or_else(malformed)
}

/// An ECDSA signature in ASN.1 as the two numbers side by side (RFC 7518 §3.4).
fn fixed(asn1: &[u8], size: usize) -> Option<Vec<u8>> {
    #[derive(der::Sequence)]
    struct Signature<'a> {
        r: der::asn1::UintRef<'a>,
        s: der::asn1::UintRef<'a>,
    }
    let signature = <Signature<'_> as der::Decode>::from_der(asn1).ok()?;
    let mut out = vec![0; size * 2];
    for (number, place) in [(signature.r, 1), (signature.s, 2)] {
        let bytes = number.as_bytes();
        let start = (place * size).checked_sub(bytes.len()).filter(|start| *start >= (place - 1) * size)?;
        out.get_mut(start..place * size)?.copy_from_slice(bytes);
    }
    Some(out)
}
