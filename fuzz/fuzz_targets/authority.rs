//! What clients on Unix sockets send: rewriting it keeps every length, and how it arrives in pieces does not matter.
//! The first four bytes say where the rest is cut.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let (cuts, bytes) = input.split_at(input.len().min(4));
    let whole = kit::uds::rewritten(bytes, &[]);
    assert_eq!(whole.len(), bytes.len());
    assert_eq!(kit::uds::rewritten(bytes, cuts), whole);
});
