//! Tokens in compact form, taken apart before anything in them is believed.
#![no_main]

use spiffe::jws::Jws;

libfuzzer_sys::fuzz_target!(|input: &str| {
    if let Ok(jws) = Jws::parse_unverified(input) {
        assert_eq!(jws.token(), input);
        assert_eq!(jws.header().get("alg").and_then(|alg| alg.as_str()), Some(jws.alg().jws_name()));
        // What is held apart at any depth is held apart at the top.
        if let Ok(claims) = jws.claims_throughout() {
            assert_eq!(jws.claims().ok(), Some(claims));
        }
    }
});
