//! Lines with keys and certificates of SSH, and files of private keys.
#![no_main]

#[allow(dead_code)] // what is not fuzzed is used elsewhere
#[path = "../../crates/plugins/local/src/sshpop"]
mod sshpop {
    pub mod certificate;
    pub mod line;
    mod modulo;
    pub mod private_key;
    pub mod public_key;
    mod read;

    use std::collections::BTreeSet;
    use std::time::SystemTime;

    pub fn text(text: &str) {
        let Ok(blob) = line::first_key(text) else { return };
        wire(&blob);
    }

    pub fn wire(blob: &[u8]) {
        if let Ok(certificate) = certificate::Certificate::parse(blob) {
            assert_eq!(certificate.blob(), blob);
            assert!(certificate.check(&BTreeSet::new(), SystemTime::UNIX_EPOCH).is_err(), "nobody is trusted");
        }
        if let Ok(key) = public_key::PublicKey::parse(blob) {
            assert_eq!(public_key::PublicKey::parse(&key.blob()), Ok(key), "it survives writing");
        }
    }

    pub fn private(file: &[u8]) {
        if let Ok(key) = private_key::PrivateKey::parse(file) {
            assert!(key.sign(b"message").is_ok());
        }
    }
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    sshpop::wire(input);
    sshpop::private(input);
    if let Ok(text) = std::str::from_utf8(input) {
        sshpop::text(text);
    }
});
