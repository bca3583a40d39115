//! Certificates and chains of them, from a peer's handshake or an agent's request.
#![no_main]

use spiffe::x509::{Certificate, X509Svid};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let Ok(certificate) = Certificate::parse(input) {
        assert_eq!(certificate.der(), input);
        let _ = (certificate.serial_decimal(), certificate.subject(), certificate.not_before(), certificate.not_after());
    }
    if let Ok(svid) = X509Svid::parse_concatenated(input) {
        assert_eq!(svid.der_concatenated(), input);
    }
});
