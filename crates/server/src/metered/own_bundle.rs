//! What a change of the own bundle is, in SPIRE's words.

use kit::metrics::Call;
use spiffe::bundle::Bundle;

use crate::metrics as m;

/// An authority, told apart from others by its bytes or its key id.
#[derive(PartialEq)]
struct Authority<'a> {
    name: &'a [u8],
    tainted: bool,
}

fn x509(bundle: &Bundle) -> Vec<Authority<'_>> {
    let all = bundle.x509_authorities().iter();
    all.map(|one| Authority { name: one.certificate.der(), tainted: one.tainted }).collect()
}

fn jwt(bundle: &Bundle) -> Vec<Authority<'_>> {
    let all = bundle.jwt_authorities().iter();
    all.map(|one| Authority { name: one.key_id.as_bytes(), tainted: one.tainted }).collect()
}

/// The call of SPIRE's that makes `new` out of `old`.
pub(super) fn call(old: Option<&Bundle>, new: &Bundle) -> &'static Call {
    let Some(old) = old else { return &m::BUNDLE_APPEND };
    let lines = [
        (x509(old), x509(new), &m::BUNDLE_X509_TAINT, &m::BUNDLE_X509_REVOKE),
        (jwt(old), jwt(new), &m::BUNDLE_JWT_TAINT, &m::BUNDLE_JWT_REVOKE),
    ];
    let mut found: &'static Call = &m::BUNDLE_UPDATE;
    for (old, new, taint, revoke) in lines {
        let has = |all: &[Authority<'_>], name: &[u8]| all.iter().any(|one| one.name == name);
        if new.iter().any(|one| !has(&old, one.name)) {
            return &m::BUNDLE_APPEND;
        }
        if new.iter().any(|one| one.tainted && old.contains(&Authority { name: one.name, tainted: false })) {
            return taint;
        }
        match old.iter().find(|one| !has(&new, one.name)) {
            Some(gone) if gone.tainted => return revoke,
            Some(_) => found = &m::BUNDLE_DROP,
            None => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use kit::metrics::Described as _;
    use spiffe::TrustDomain;
    use spiffe::bundle::JwtAuthority;
    use spiffe::key::{KeyType, PrivateKey, Signer as _};

    use super::*;

    fn bundle(keys: &[(&str, bool)]) -> Bundle {
        let key = PrivateKey::generate(KeyType::EcP256).unwrap();
        let mut bundle = Bundle::new(TrustDomain::parse("example.org").unwrap());
        for (key_id, tainted) in keys {
            let authority = JwtAuthority {
                key_id: (*key_id).to_owned(),
                public_key: key.public().clone(),
                expires_at: None,
                tainted: *tainted,
            };
            bundle.push_jwt(authority).unwrap();
        }
        bundle
    }

    #[test]
    fn a_change_is_what_spire_would_have_called() {
        let old = bundle(&[("a", false), ("b", true)]);
        for (new, name) in [
            (bundle(&[("a", false), ("b", true), ("c", false)]), "datastore.bundle.append"),
            (bundle(&[("a", true), ("b", true)]), "datastore.bundle.jwt.taint"),
            (bundle(&[("a", false)]), "datastore.bundle.jwt.revoke"),
            (bundle(&[("b", true)]), "datastore.bundle.prune"),
            (bundle(&[("a", false), ("b", true)]), "datastore.bundle.update"),
        ] {
            assert_eq!(call(Some(&old), &new).name(), name);
        }
        assert_eq!(call(None, &old).name(), "datastore.bundle.append");
    }
}
