//! Tokens before their signature is checked.
#![no_main]

use spiffe::jwt::JwtSvid;

libfuzzer_sys::fuzz_target!(|input: &str| {
    let _ = JwtSvid::parse_unverified(input);
});
