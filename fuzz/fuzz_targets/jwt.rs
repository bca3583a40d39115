//! JWT-SVIDs and their claims before the signature is checked.
#![no_main]

use spiffe::jwt::{JwtSvid, authorization, from_authorization};
use spiffe::proof::http::Channel;

libfuzzer_sys::fuzz_target!(|input: &str| {
    let _ = from_authorization(input);
    if let Ok(svid) = JwtSvid::parse_unverified(input) {
        assert_eq!(svid.token(), input);
        assert!(!svid.audience().is_empty());
        let value = authorization(svid.token(), Channel::Tls).expect("TLS carries tokens");
        assert_eq!(from_authorization(&value), Ok(input));
    }
});
