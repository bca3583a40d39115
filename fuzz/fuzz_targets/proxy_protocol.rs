//! Any beginning of a connection is read or refused, never a panic; a header is found whole, from its own bytes alone.
#![no_main]

#[path = "../../crates/kit/src/proxy_protocol.rs"]
mod proxy_protocol;

use proxy_protocol::{Beginning, read};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    match read(input) {
        Ok(Beginning::Header { length, client }) => {
            assert!(length <= input.len(), "a header of {length} bytes in {}", input.len());
            // What follows a header says nothing about it, and no part of it passes for a whole one.
            let header = &input[..length];
            assert_eq!(read(header), Ok(Beginning::Header { length, client }));
            for cut in 0..length {
                assert_eq!(read(&header[..cut]), Ok(Beginning::Short), "{cut} of {length} bytes");
            }
        }
        Ok(Beginning::None) => {
            let more = [input, b"PROXY UNKNOWN\r\n"].concat();
            assert_eq!(read(&more), Ok(Beginning::None), "what was none became a header");
        }
        Ok(Beginning::Short) => assert!(input.len() < 4096, "more than any header is long, and not enough"),
        Err(_) => {
            let more = [input, b"\r\n"].concat();
            assert!(read(&more).is_err(), "what was refused was taken later");
        }
    }
});
