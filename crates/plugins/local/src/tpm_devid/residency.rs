//! Whether the DevID key is in a TPM that its maker vouches for: the certificate of the endorsement key leads to a root,
//! the attestation key says that the DevID key is where it is, and a secret is wrapped so that only a TPM with both the
//! endorsement key and the attestation key can unwrap it.

use std::time::SystemTime;

use model::ports::AttestError;

use super::wire::{AgentKey, CredActivation, Payload};
use crate::json_bytes::Bytes;
use crate::tpm::attestation::certifies;
use crate::tpm::credential::wrap;
use crate::tpm::ids::{attribute, curve};
use crate::tpm::information;
use crate::tpm::public::{Public, Unique, point_of};
use crate::tpm::signature::{Signature, rsa_der};
use crate::x509pop::chain::Roots;
use crate::x509pop::leaf::Leaf;
use crate::x509pop::proof::{Curve, PublicKey};

/// The length of the secret, which is that of SHA-256.
const SECRET: usize = 32;

/// A challenge that only the right TPM can answer, with the answer.
pub(super) struct Question {
    pub(super) challenge: CredActivation,
    pub(super) answer: [u8; SECRET],
    /// Whether the key of the agent's SVID is in the same TPM.
    pub(super) agent_key: bool,
}

/// Checks what a node shows of its TPM, and makes the challenge that is left.
pub(super) fn question(
    shown: &Payload,
    devid: &Leaf,
    asked_for: Option<&[u8]>,
    ek_roots: &Roots,
    now: SystemTime,
) -> Result<Question, AttestError> {
    complete(shown)?;
    let ek_cert = Leaf::parse(&shown.ek_cert.0)
        .map_err(|cause| invalid(format!("cannot parse endorsement certificate: {cause}")))?;
    let public = |bytes: &Bytes, what: &str| {
        Public::parse(&bytes.0).map_err(|cause| invalid(format!("cannot decode {what} public blob: {cause}")))
    };
    let devid_pub = public(&shown.devid_pub, "DevID key")?;
    let ak_pub = public(&shown.ak_pub, "attestation key")?;
    let ek_pub = public(&shown.ek_pub, "endorsement key")?;

    if !is_key_of(&ek_pub, &ek_cert) {
        return Err(denied(
            "public key in EK certificate differs from public key created via EK template".to_owned(),
        ));
    }
    ek_roots
        .verify(&ek_cert, &[], now)
        .map_err(|cause| denied(format!("cannot verify EK signature: {cause:?}")))?;
    resides(shown, devid, &devid_pub, &ak_pub)
        .map_err(|why| denied(format!("cannot verify that DevID is in the same TPM than AK: {why}")))?;

    let agent_key = match &shown.agent_key {
        None => false,
        Some(key) => holds(key, asked_for, &ak_pub).map(|()| true).map_err(|why| {
            denied(format!("cannot verify that the agent's key is in the same TPM than AK: {why}"))
        })?,
    };

    let mut answer = [0; SECRET];
    let failed =
        |why: String| AttestError::Failed(format!("cannot generate credential activation challenge: {why}"));
    aws_lc_rs::rand::fill(&mut answer).map_err(|_| failed("no random numbers to be had".to_owned()))?;
    let wrapped = wrap(&answer, &ek_pub, &ak_pub.name()).map_err(|cause| failed(cause.to_string()))?;
    let challenge = CredActivation { credential: Bytes(wrapped.credential), secret: Bytes(wrapped.secret) };
    Ok(Question { challenge, answer, agent_key })
}

fn complete(shown: &Payload) -> Result<(), AttestError> {
    for (part, why) in [
        (&shown.ak_pub, "missing attestation key public blob"),
        (&shown.devid_pub, "missing DevID key public blob"),
        (&shown.ek_cert, "missing endorsement certificate"),
        (&shown.ek_pub, "missing endorsement key public blob"),
    ] {
        if part.0.is_empty() {
            return Err(invalid(why.to_owned()));
        }
    }
    Ok(())
}

/// Whether the DevID key, which is that of the certificate, is in the TPM of the attestation key for ever.
fn resides(shown: &Payload, devid: &Leaf, devid_pub: &Public, ak_pub: &Public) -> Result<(), &'static str> {
    if !is_key_of(devid_pub, devid) {
        return Err("the DevID certificate is for another key");
    }
    if !devid_pub.has(attribute::FIXED_TPM | attribute::FIXED_PARENT) {
        return Err("the DevID key may leave its TPM: it has not the attributes fixedTPM and fixedParent");
    }
    // a key that signs what it is given could say anything
    if !ak_pub.attests() {
        return Err("the attestation key is no restricted signing key of a TPM");
    }
    let signature = Signature::parse(&shown.certification_signature.0).ok_or("its signature is malformed")?;
    if !signature.is_of(ak_pub, &shown.certified_devid.0) {
        return Err("its signature does not verify");
    }
    certifies(&shown.certified_devid.0, devid_pub).then_some(()).ok_or("certify failed")
}

/// Whether the key that the SVID is asked for is in the TPM of the attestation key for ever, and was made there.
fn holds(key: &AgentKey, asked_for: Option<&[u8]>, ak_pub: &Public) -> Result<(), &'static str> {
    let public = Public::parse(&key.public.0).map_err(|_| "its public half is malformed")?;
    let spki = information::ec(&public).ok_or("it is of no type that is used for SVIDs")?;
    if asked_for != Some(spki.as_slice()) {
        return Err("the SVID is asked for another key");
    }
    let made_there = attribute::FIXED_TPM | attribute::FIXED_PARENT | attribute::SENSITIVE_DATA_ORIGIN;
    if !public.has(made_there) {
        return Err("it may leave its TPM, or came from outside");
    }
    let signature = Signature::parse(&key.signature.0).ok_or("its signature is malformed")?;
    if !signature.is_of(ak_pub, &key.certified.0) {
        return Err("its signature does not verify");
    }
    certifies(&key.certified.0, &public).then_some(()).ok_or("certify failed")
}

/// Whether a certificate is for this key.
fn is_key_of(key: &Public, certificate: &Leaf) -> bool {
    match (&key.unique, certificate.public_key()) {
        (Unique::Rsa { exponent, modulus }, PublicKey::Rsa { der, .. }) => {
            rsa_der(modulus, *exponent).is_some_and(|own| own == der)
        }
        (Unique::Ecc { curve, x, y }, PublicKey::Ec { curve: of, point }) => {
            same_curve(*curve, of) && point_of(*curve, x, y).is_some_and(|own| own == point)
        }
        _ => false,
    }
}

fn same_curve(number: u16, curve: Curve) -> bool {
    matches!(
        (number, curve),
        (curve::P256, Curve::P256) | (curve::P384, Curve::P384) | (curve::P521, Curve::P521)
    )
}

fn invalid(why: String) -> AttestError {
    AttestError::Invalid(why)
}

fn denied(why: String) -> AttestError {
    AttestError::Denied(why)
}
