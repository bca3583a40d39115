//! Certificate requests, which anyone who reaches the server may send.
#![no_main]

use spiffe::x509::Csr;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let Ok(csr) = Csr::parse(input) {
        let _ = (csr.public_key().key_id(), csr.uri_sans(), csr.dns_names());
    }
});
