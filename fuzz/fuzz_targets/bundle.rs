//! Bundles from other trust domains; one that was read survives writing and reading again.
#![no_main]

use spiffe::{Bundle, TrustDomain};

libfuzzer_sys::fuzz_target!(|input: &str| {
    let domain = || TrustDomain::parse("example.org").expect("a name that is written down here");
    let _ = Bundle::parse_jwks_json(domain(), input);
    let _ = Bundle::parse_wit_jwks_json(domain(), input);
    if let Ok(bundle) = Bundle::parse_pem(domain(), input) {
        assert_eq!(Bundle::parse_pem(domain(), &bundle.to_pem()).as_ref(), Ok(&bundle));
    }
    if let Ok(read) = Bundle::read_spiffe_json(domain(), input) {
        let written = read.bundle.to_spiffe_json_with_wit();
        let again =
            Bundle::read_spiffe_json(domain(), &written).unwrap_or_else(|cause| panic!("{cause}\n{written}"));
        assert_eq!(again.bundle, read.bundle, "{written}");
        assert!(again.passed_over.is_empty(), "{written}");
        assert!(read.bundle.diff(&again.bundle).is_some_and(|diff| diff.is_empty()));
    }
});
