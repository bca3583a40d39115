//! What clients on Unix sockets send: rewriting it keeps every length, and how it arrives in pieces does not matter.
//! The first four bytes say where the rest is cut.
#![no_main]

#[path = "../../crates/kit/src/uds/authority.rs"]
mod authority;

use authority::Rewriter;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let (cuts, bytes) = input.split_at(input.len().min(4));
    let whole = rewritten(bytes, &[]);
    assert_eq!(whole.len(), bytes.len());
    assert_eq!(rewritten(bytes, cuts), whole);
});

/// What becomes of what arrives in pieces cut at these places.
fn rewritten(bytes: &[u8], cuts: &[u8]) -> Vec<u8> {
    let (mut rewriter, mut out) = (Rewriter::new(), bytes.to_vec());
    let (mut rest, mut cuts) = (out.as_mut_slice(), cuts.iter().cycle());
    while !rest.is_empty() {
        let at = cuts.next().map_or(rest.len(), |cut| usize::from(*cut).max(1)).min(rest.len());
        let (piece, more) = rest.split_at_mut(at);
        rewriter.rewrite(piece);
        rest = more;
    }
    out
}
