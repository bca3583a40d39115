//! Revocation lists, from an authority outside.
#![no_main]

use spiffe::x509::Crl;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let Ok(crl) = Crl::parse(input) {
        assert_eq!(crl.der(), input);
        let _ = (crl.number(), crl.issuer_der(), crl.this_update(), crl.next_update());
        assert!(crl.len() <= input.len());
        assert!(crl.revoked(&[]).is_none());
    }
});
