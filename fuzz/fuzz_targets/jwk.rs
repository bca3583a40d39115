//! Public and private JWKs, and sets of them; a key that was read survives writing and reading again.
#![no_main]

use spiffe::key::Signer as _;
use spiffe::{Bundle, TrustDomain, jwk};

libfuzzer_sys::fuzz_target!(|input: &str| {
    let domain = TrustDomain::parse("example.org").expect("a name that is written down here");
    let _ = Bundle::parse_jwks_json(domain.clone(), input);
    let _ = Bundle::parse_wit_jwks_json(domain, input);
    if let Ok(value) = serde_json::from_str(input)
        && let Ok(key) = jwk::from_jwk(&value)
    {
        let written = serde_json::Value::Object(jwk::to_jwk(&key));
        let again = jwk::from_jwk(&written).expect("what was written can be read");
        assert_eq!((&again, again.limit()), (&key, key.limit()));
    }
    if let Ok((key, alg)) = jwk::from_private_jwk(input) {
        let written = jwk::to_private_jwk(&key, alg).expect("the algorithm fitted the key");
        let (again, named) = jwk::from_private_jwk(&written).expect("what was written can be read");
        assert_eq!((again.public(), named), (key.public(), alg));
    }
});
