//! Bundles between the wire and the vocabulary.

use std::time::Duration;

use model::UnixTime;
use proto::spire::api::types;
use spiffe::bundle::{Bundle, BundleError, JwtAuthority, WitAuthority, X509Authority};
use spiffe::key::PublicKey;
use spiffe::x509::Certificate;
use spiffe::{IdError, SpiffeId, TrustDomain};

/// A trust domain by its name or by any ID in it (SPIRE 1.16 takes both).
pub(super) fn trust_domain(text: &str) -> Result<TrustDomain, IdError> {
    if text.contains(":/") {
        SpiffeId::parse(text).map(|id| id.trust_domain())
    } else {
        TrustDomain::parse(text)
    }
}

/// The certificates of a request. Whether they are tainted is not for a request to say.
pub(super) fn x509_authorities(wire: &[types::X509Certificate]) -> Result<Vec<X509Authority>, String> {
    wire.iter()
        .map(|one| {
            let certificate = Certificate::parse(one.asn1.clone()).map_err(|e| e.to_string())?;
            Ok(X509Authority { certificate, tainted: false })
        })
        .collect()
}

/// The JWT keys of a request. Whether they are tainted is not for a request to say.
pub(super) fn jwt_authorities(wire: &[types::JwtKey]) -> Result<Vec<JwtAuthority>, String> {
    wire.iter()
        .map(|key| {
            let public_key = PublicKey::from_spki_der(&key.public_key).map_err(|e| e.to_string())?;
            if key.key_id.is_empty() {
                return Err("missing key ID".to_owned());
            }
            let expires_at = UnixTime::from_wire(key.expires_at).map(UnixTime::system_time);
            Ok(JwtAuthority { key_id: key.key_id.clone(), public_key, expires_at, tainted: false })
        })
        .collect()
}

/// The WIT keys of a request. Whether they are tainted is not for a request to say.
fn wit_authorities(wire: &[types::WitKey]) -> Result<Vec<WitAuthority>, String> {
    wire.iter()
        .map(|key| {
            let public_key = PublicKey::from_spki_der(&key.public_key).map_err(|e| e.to_string())?;
            if key.key_id.is_empty() {
                return Err("missing key ID".to_owned());
            }
            let expires_at = UnixTime::from_wire(key.expires_at).map(UnixTime::system_time);
            Ok(WitAuthority { key_id: key.key_id.clone(), public_key, expires_at, tainted: false })
        })
        .collect()
}

/// A whole bundle of a request.
pub(super) fn bundle(td: &TrustDomain, wire: &types::Bundle) -> Result<Bundle, String> {
    let x509 = x509_authorities(&wire.x509_authorities)
        .map_err(|e| format!("unable to parse X.509 authority: {e}"))?;
    let jwt =
        jwt_authorities(&wire.jwt_authorities).map_err(|e| format!("unable to parse JWT authority: {e}"))?;
    let wit =
        wit_authorities(&wire.wit_authorities).map_err(|e| format!("unable to parse WIT authority: {e}"))?;
    let mut bundle = Bundle::new(td.clone());
    bundle.sequence = wire.sequence_number;
    bundle.refresh_hint = hint(wire.refresh_hint);
    add_all(&mut bundle, &x509, &jwt).map_err(|e| e.to_string())?;
    add_wit(&mut bundle, &wit).map_err(|e| e.to_string())?;
    Ok(bundle)
}

/// Adds authorities to a bundle; whether one was not there.
pub(super) fn add_all(
    bundle: &mut Bundle,
    x509: &[X509Authority],
    jwt: &[JwtAuthority],
) -> Result<bool, BundleError> {
    let mut added = false;
    for authority in x509 {
        added |= bundle.push_x509(authority.clone())?;
    }
    for authority in jwt {
        added |= bundle.push_jwt(authority.clone())?;
    }
    Ok(added)
}

fn add_wit(bundle: &mut Bundle, wit: &[WitAuthority]) -> Result<(), BundleError> {
    wit.iter().try_for_each(|authority| bundle.push_wit(authority.clone()).map(|_| ()))
}

fn hint(seconds: i64) -> Option<Duration> {
    u64::try_from(seconds).ok().filter(|s| *s > 0).map(Duration::from_secs)
}

/// The parts of `new` that `mask` names, with the rest of `old`.
pub(super) fn merged(
    old: &Bundle,
    new: &Bundle,
    mask: Option<&types::BundleMask>,
) -> Result<Bundle, BundleError> {
    let Some(mask) = mask else { return Ok(new.clone()) };
    let of = |taken: bool| if taken { new } else { old };
    let mut bundle = Bundle::new(old.trust_domain().clone());
    bundle.sequence = of(mask.sequence_number).sequence;
    bundle.refresh_hint = of(mask.refresh_hint).refresh_hint;
    let (x509, jwt) = (of(mask.x509_authorities), of(mask.jwt_authorities));
    add_all(&mut bundle, x509.x509_authorities(), jwt.jwt_authorities())?;
    add_wit(&mut bundle, of(mask.wit_authorities).wit_authorities())?;
    Ok(bundle)
}

/// A bundle for the wire, with the parts that `mask` names, or all of them.
pub(crate) fn wire_bundle(bundle: &Bundle, mask: Option<&types::BundleMask>) -> types::Bundle {
    let all = types::BundleMask {
        x509_authorities: true,
        jwt_authorities: true,
        refresh_hint: true,
        sequence_number: true,
        wit_authorities: true,
    };
    let mask = mask.unwrap_or(&all);
    let hint = bundle.refresh_hint.map_or(0, |hint| i64::try_from(hint.as_secs()).unwrap_or(i64::MAX));
    let mut wire = types::Bundle {
        trust_domain: bundle.trust_domain().as_str().to_owned(),
        refresh_hint: if mask.refresh_hint { hint } else { 0 },
        sequence_number: if mask.sequence_number { bundle.sequence } else { 0 },
        ..types::Bundle::default()
    };
    if mask.x509_authorities {
        wire.x509_authorities = bundle
            .x509_authorities()
            .iter()
            .map(|a| types::X509Certificate { asn1: a.certificate.der().to_vec(), tainted: a.tainted })
            .collect();
    }
    if mask.jwt_authorities {
        wire.jwt_authorities = wire_jwt_keys(bundle);
    }
    if mask.wit_authorities {
        wire.wit_authorities = wire_wit_keys(bundle);
    }
    wire
}

fn wire_wit_keys(bundle: &Bundle) -> Vec<types::WitKey> {
    let key = |a: &WitAuthority| types::WitKey {
        public_key: a.public_key.spki_der().to_vec(),
        key_id: a.key_id.clone(),
        expires_at: a.expires_at.map_or(0, |end| UnixTime::of(end).0),
        tainted: a.tainted,
    };
    bundle.wit_authorities().iter().map(key).collect()
}

/// A bundle's JWT keys for the wire.
pub(super) fn wire_jwt_keys(bundle: &Bundle) -> Vec<types::JwtKey> {
    let key = |a: &JwtAuthority| types::JwtKey {
        public_key: a.public_key.spki_der().to_vec(),
        key_id: a.key_id.clone(),
        expires_at: a.expires_at.map_or(0, |end| UnixTime::of(end).0),
        tainted: a.tainted,
    };
    bundle.jwt_authorities().iter().map(key).collect()
}
