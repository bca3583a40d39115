//! Any bytes are read or refused, never a panic; what was read survives printing and reading again.
#![no_main]

#[allow(dead_code, unused_imports)] // what is not fuzzed is used elsewhere
#[path = "../../crates/kit/src/hcl/mod.rs"]
mod hcl;

use hcl::{Limits, Section, parse, parse_within, print};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Ok(document) = parse("input", input) else { return };
    let printed = print(document.root());
    assert_eq!(Section::of(document.root()).print(), printed);
    // Printing may be longer than what was read, and an empty body reads as one.
    let limits = Limits { bytes: usize::MAX, ..Limits::default() };
    let again = parse_within("printed", printed.as_bytes(), limits)
        .unwrap_or_else(|error| panic!("{error}\n{printed}"));
    assert_eq!(print(again.root()), printed);
});
