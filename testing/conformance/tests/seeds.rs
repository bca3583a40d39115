//! The vectors as seeds for fuzzers.

#![allow(clippy::unwrap_used)]

use conformance::{folder, seeds};

#[test]
fn each_target_of_a_fuzzer_that_reads_credentials_gets_seeds() {
    let target = tempfile::tempdir().unwrap();
    let written = seeds::write(target.path(), &folder::read(&folder::here()).unwrap()).unwrap();
    let mut files = 0;
    for name in
        ["id", "certificate", "chain", "crl", "csr", "bundle", "bundle_map", "pem", "endpoint", "jws", "jwt"]
    {
        let seeds = std::fs::read_dir(target.path().join(name)).unwrap().count();
        assert!(seeds > 0, "{name}");
    }
    for folder in std::fs::read_dir(target.path()).unwrap() {
        files += std::fs::read_dir(folder.unwrap().path()).unwrap().count();
    }
    assert_eq!(files, written);
}
