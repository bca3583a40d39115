//! A SPIFFE ID that was read is written as it was read, and so is its trust domain.
#![no_main]

use spiffe::{SpiffeId, TrustDomain};

libfuzzer_sys::fuzz_target!(|input: &str| {
    if let Ok(id) = SpiffeId::parse(input) {
        assert_eq!(id.as_str(), input);
        assert_eq!(SpiffeId::new(&id.trust_domain(), id.path()).as_ref(), Ok(&id));
    }
    if let Ok(domain) = TrustDomain::parse(input) {
        assert_eq!(TrustDomain::parse(domain.as_str()).as_ref(), Ok(&domain));
    }
});
