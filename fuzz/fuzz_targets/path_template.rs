//! Templates of agents' paths: read or refused, never a panic.

#![no_main]

use plugins_local::x509pop::PathTemplate;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = PathTemplate::parse(text);
});
