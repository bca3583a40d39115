//! Bundles from other trust domains; one that was read survives writing and reading again.
#![no_main]

use spiffe::{Bundle, TrustDomain};

libfuzzer_sys::fuzz_target!(|input: &str| {
    let domain = TrustDomain::parse("example.org").expect("a name that is written down here");
    let _ = Bundle::parse_pem(domain.clone(), input);
    let _ = Bundle::parse_jwks_json(domain.clone(), input);
    if let Ok(bundle) = Bundle::parse_spiffe_json(domain.clone(), input) {
        let written = bundle.to_spiffe_json();
        let again = Bundle::parse_spiffe_json(domain, &written).unwrap_or_else(|cause| panic!("{cause}\n{written}"));
        assert_eq!(again.to_spiffe_json(), written);
    }
});
