//! Templates of agents' paths: read or refused, never a panic.
#![no_main]

#[allow(dead_code)] // what is not fuzzed is used elsewhere
#[path = "../../crates/plugins/local/src/path_template.rs"]
mod path_template;

use path_template::{PathTemplate, Value, index_of, is_identifier, quoted};

/// Values of every form that attestors have.
struct Any;

impl Value for Any {
    const KNOWN: &'static str = "anything";

    fn parse(text: &str) -> Option<Self> {
        let known = text.strip_prefix('.').is_some_and(is_identifier)
            || index_of(text, ".List").is_some_and(|key| quoted(key).is_some() || key.parse::<usize>().is_ok());
        known.then_some(Self)
    }
}

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(template) = PathTemplate::<Any>::parse(text) {
        let path = template.fill(|_| Ok("value".into()));
        assert!(path.is_ok_and(|path| path.starts_with('/')));
    }
});
