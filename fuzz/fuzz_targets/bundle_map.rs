//! Maps of bundles; one that was read survives writing and reading again.
#![no_main]

use spiffe::BundleSet;
use spiffe::bundle::WitKeys;

libfuzzer_sys::fuzz_target!(|input: &str| {
    if let Ok(bundles) = BundleSet::parse_map_json(input) {
        let written = bundles.to_map_json(WitKeys::Included);
        assert_eq!(BundleSet::parse_map_json(&written).as_ref(), Ok(&bundles), "{written}");
        let _ = bundles.shared_keys();
    }
});
