//! Templates of agents' paths: read or refused, never a panic.
#![no_main]

#[allow(dead_code)] // what is not fuzzed is used elsewhere
#[path = "../../crates/plugins/local/src/x509pop/template.rs"]
mod template;

use template::PathTemplate;

/// The plugin's name, as its module has it.
const NAME: &str = "x509pop";

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = PathTemplate::parse(text);
});
