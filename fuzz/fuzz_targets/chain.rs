//! Chains: certificates one after another, of which the last is the authority that is trusted.
#![no_main]

use spiffe::Bundle;
use spiffe::bundle::X509Authority;
use spiffe::x509::{MAX_CHAIN, X509Svid};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Ok(svid) = X509Svid::parse_concatenated(input) else { return };
    let Some((authority, chain)) = svid.chain().split_last() else { return };
    let Ok(svid) = X509Svid::of(chain.to_vec()) else { return };
    let trust_domain = svid.id().trust_domain();
    let now = svid.leaf().not_before();
    let mut bundle = Bundle::new(trust_domain);
    assert!(svid.verify(&bundle, now).is_err(), "no authority, no belief");
    if bundle.push_x509(X509Authority { certificate: authority.clone(), tainted: false }).is_err() {
        return;
    }
    match svid.verify(&bundle, now) {
        Ok(verified) => {
            let path = verified.path();
            assert_eq!((path.first(), path.last()), (Some(svid.leaf()), Some(authority)));
            assert!(path.len() <= MAX_CHAIN + 1);
            assert!(path.iter().all(|one| one.valid_at(now)));
            assert!(path.iter().skip(1).all(|one| one.may_sign_certificates()));
            assert!(path.windows(2).all(|pair| pair[0].issuer_der() == pair[1].subject_der()));
        }
        Err(why) => assert!(!why.to_string().is_empty()),
    }
});
