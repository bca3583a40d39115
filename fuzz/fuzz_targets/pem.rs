//! PEM files, which people edit by hand.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &str| {
    let _ = spiffe::pem::decode(input);
});
