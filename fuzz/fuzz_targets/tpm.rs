//! Public halves, signatures and certifications that a node shows of its TPM, and answers of a TPM to the agent.
#![no_main]

#[allow(dead_code)] // what is not fuzzed is used elsewhere
#[path = "../../crates/plugins/local/src/tpm"]
mod tpm {
    pub mod attestation;
    pub mod command;
    pub mod error;
    pub mod ids;
    pub mod public;
    pub mod signature;
    pub mod wire;
}

use tpm::command::{Code, Command};
use tpm::public::{Public, without_length};
use tpm::signature::Signature;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let Ok(public) = Public::parse(input) {
        assert_eq!(public.raw(), input);
        assert_eq!(public.name().len(), 34);
        assert_eq!(Public::parse_file(input), Ok(public));
    }
    if let Some(signature) = Signature::parse(input) {
        let _ = signature.to_usual();
    }
    if let Some(name) = tpm::attestation::certified_name(input) {
        assert!(name.len() < input.len());
    }
    assert!(without_length(input).len() <= input.len());
    let command = Command { code: Code("any", 1), handles: &[], auths: &[], parameters: Vec::new().into() };
    for gives_handle in [false, true] {
        if let Ok((_, mut parameters)) = command.decode(input, gives_handle) {
            while parameters.buffer().is_ok_and(|buffer| !buffer.is_empty()) {}
        }
    }
});
