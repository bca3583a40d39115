//! WIT-SVIDs before their signature is checked.
#![no_main]

use spiffe::jwt::JwtSvid;
use spiffe::wit::Wit;

libfuzzer_sys::fuzz_target!(|input: &str| {
    if let Ok(wit) = Wit::parse_unverified(input) {
        assert_eq!(wit.token(), input);
        assert!(wit.confirmation().key().supports(wit.confirmation().alg()));
        assert!(!wit.key_id().is_empty() && !wit.claims_json().contains_key("aud"));
        assert!(JwtSvid::parse_unverified(input).is_err(), "it is both");
    }
});
