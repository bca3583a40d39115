//! Certificates and bundles between the wire and the `spiffe` library.

use std::error::Error;
use std::str::FromStr as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proto::spire::api::types;
use serde::Serialize as _;
use spiffe::bundle::{Bundle, BundleForm, JwtAuthority, PassedOver, X509Authority};
use spiffe::key::{PrivateKey, PublicKey, Signer as _};
use spiffe::x509::{Certificate, X509Svid};
use spiffe::{SpiffeId, TrustDomain};

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Reads a bundle in one of the forms, `pem` or `spiffe`, and says which of its keys cannot be used.
pub(crate) fn read_bundle(
    domain: &TrustDomain,
    content: &[u8],
    format: &str,
) -> Result<(types::Bundle, Vec<PassedOver>), String> {
    let text = std::str::from_utf8(content).map_err(|_| format!("it is no text; -format {format} is"))?;
    let form = BundleForm::from_str(format).map_err(|e| chain(&e))?;
    let read = form.read(domain.clone(), text).map_err(|e| chain(&e))?;
    Ok((bundle_message(&read.bundle), read.passed_over))
}

fn bundle_message(bundle: &Bundle) -> types::Bundle {
    types::Bundle {
        trust_domain: bundle.trust_domain().as_str().to_owned(),
        x509_authorities: bundle
            .x509_authorities()
            .iter()
            .map(|a| types::X509Certificate { asn1: a.certificate.der().to_vec(), tainted: false })
            .collect(),
        jwt_authorities: bundle
            .jwt_authorities()
            .iter()
            .map(|a| types::JwtKey {
                public_key: a.public_key.spki_der().to_vec(),
                key_id: a.key_id.clone(),
                expires_at: 0,
                tainted: false,
            })
            .collect(),
        refresh_hint: i64::try_from(bundle.refresh_hint.unwrap_or_default().as_secs()).unwrap_or(i64::MAX),
        sequence_number: bundle.sequence,
        wit_authorities: bundle
            .wit_authorities()
            .iter()
            .map(|a| types::WitKey {
                public_key: a.public_key.spki_der().to_vec(),
                key_id: a.key_id.clone(),
                expires_at: 0,
                tainted: false,
            })
            .collect(),
    }
}

/// The SPIFFE document of a bundle, indented. Without the keys of WIT-SVIDs, as SPIRE prints it, since what is printed is
/// given to other trust domains.
pub(crate) fn bundle_document(message: &types::Bundle) -> Result<String, String> {
    let domain = TrustDomain::parse(&message.trust_domain).map_err(|e| chain(&e))?;
    let mut bundle = Bundle::new(domain);
    for authority in &message.x509_authorities {
        let certificate = Certificate::parse(authority.asn1.as_slice()).map_err(|e| chain(&e))?;
        bundle.push_x509(X509Authority { certificate, tainted: authority.tainted }).map_err(|e| chain(&e))?;
    }
    for key in &message.jwt_authorities {
        let public_key = PublicKey::from_spki_der(&key.public_key).map_err(|e| chain(&e))?;
        let authority = JwtAuthority {
            key_id: key.key_id.clone(),
            public_key,
            expires_at: time(key.expires_at),
            tainted: key.tainted,
        };
        bundle.push_jwt(authority).map_err(|e| chain(&e))?;
    }
    bundle.sequence = message.sequence_number;
    bundle.refresh_hint =
        u64::try_from(message.refresh_hint).ok().filter(|s| *s > 0).map(Duration::from_secs);
    indented(&bundle.to_spiffe_json())
}

fn time(seconds: i64) -> Option<SystemTime> {
    u64::try_from(seconds).ok().filter(|s| *s > 0).map(|s| UNIX_EPOCH + Duration::from_secs(s))
}

/// JSON with four spaces a level.
fn indented(document: &str) -> Result<String, String> {
    let mut value: serde_json::Value = serde_json::from_str(document).map_err(|e| e.to_string())?;
    if let Some(keys) = value.get_mut("keys").and_then(serde_json::Value::as_array_mut) {
        keys.iter_mut().for_each(order);
    }
    let mut out = Vec::new();
    let form = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    value
        .serialize(&mut serde_json::Serializer::with_formatter(&mut out, form))
        .map_err(|e| e.to_string())?;
    String::from_utf8(out).map_err(|e| e.to_string())
}

/// Puts the members of a JWK in the order in which SPIRE prints them.
fn order(key: &mut serde_json::Value) {
    const FIRST: [&str; 8] = ["use", "kty", "kid", "crv", "x", "y", "n", "e"];
    let Some(members) = key.as_object_mut() else { return };
    let mut ordered: serde_json::Map<_, _> =
        FIRST.iter().filter_map(|name| members.shift_remove_entry(*name)).collect();
    ordered.append(members);
    *members = ordered;
}

/// The certificates of a bundle as the Workload API carries them: DER, one after the other. At least one.
pub(crate) fn certificates(domain: &TrustDomain, der: &[u8]) -> Result<Bundle, String> {
    let bundle = Bundle::parse_x509_concatenated(domain.clone(), der).map_err(|e| chain(&e))?;
    if bundle.x509_authorities().is_empty() {
        return Err("there is no certificate in it".to_owned());
    }
    Ok(bundle)
}

/// An X.509-SVID with its key as the Workload API carries them, verified against its bundle.
pub(crate) fn svid(
    id: &str,
    chain_der: &[u8],
    key: &[u8],
    bundle: &[u8],
    now: SystemTime,
) -> Result<(X509Svid, PrivateKey, Bundle), String> {
    let id = SpiffeId::parse(id).map_err(|e| chain(&e))?;
    let svid = X509Svid::parse_concatenated(chain_der).map_err(|e| format!("the chain: {}", chain(&e)))?;
    let key = PrivateKey::from_pkcs8(key).map_err(|e| format!("the key: {}", chain(&e)))?;
    let bundle = certificates(&id.trust_domain(), bundle).map_err(|e| format!("the bundle: {e}"))?;
    if *svid.id() != id {
        return Err(format!("the certificate is for {}", svid.id()));
    }
    if svid.leaf().spki() != key.public().spki_der() {
        return Err("the key does not belong to the certificate".to_owned());
    }
    svid.verify(&bundle, now).map_err(|e| chain(&e))?;
    Ok((svid, key, bundle))
}
