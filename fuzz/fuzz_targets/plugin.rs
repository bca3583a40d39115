//! What an external plugin prints: the line that says where it serves, and its log.
#![no_main]

#[allow(dead_code)] // what is not fuzzed is used elsewhere
#[path = "../../crates/plugins/external/src/handshake.rs"]
mod handshake;
#[allow(dead_code)]
#[path = "../../crates/plugins/external/src/hclog.rs"]
mod hclog;

use handshake::Handshake;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    match Handshake::parse(&text) {
        Ok(Handshake::Unix(path)) => assert!(path.as_os_str().len() < 108, "it fits a socket's address"),
        Ok(Handshake::Tcp(address)) => assert!(address.ip().is_loopback(), "nobody else is spoken to"),
        Err(refused) => assert!(refused.to_string().len() < 2000, "what is said of it is short"),
    }
    let entry = hclog::parse(&text);
    assert!(entry.fields.len() <= 64, "a line has a bounded number of fields");
});
