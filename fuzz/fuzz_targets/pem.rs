//! PEM files, which people edit by hand; a block that was read survives writing and reading again.
#![no_main]

use spiffe::pem::{decode, encode};

libfuzzer_sys::fuzz_target!(|input: &str| {
    let Ok(blocks) = decode(input) else { return };
    let written: String = blocks.iter().map(|block| encode(&block.label, &block.der)).collect();
    let again = decode(&written).unwrap_or_else(|cause| panic!("{cause}\n{written}"));
    assert_eq!(again.len(), blocks.len());
    for (one, other) in again.iter().zip(&blocks) {
        assert!(one.label == other.label && one.der == other.der, "{written}");
    }
});
