//! Addresses of the Workload API, URLs of bundle endpoints and where they redirect to.
#![no_main]

use spiffe::endpoint::{BundleUrl, WorkloadEndpoint};

libfuzzer_sys::fuzz_target!(|input: &str| {
    if let Ok(endpoint) = WorkloadEndpoint::parse(input) {
        // Printing escapes more than need be, and may pass the longest that is read.
        let printed = endpoint.to_string();
        if printed.len() <= input.len() {
            assert_eq!(WorkloadEndpoint::parse(&printed).as_ref(), Ok(&endpoint));
        }
    }
    let base = BundleUrl::parse("https://h.example/a/b?c").expect("a URL that is written down here");
    for url in [BundleUrl::parse(input), base.join(input)].into_iter().flatten() {
        assert_eq!(BundleUrl::parse(url.as_str()).as_ref(), Ok(&url));
        assert!(!url.host().is_empty() && url.target().starts_with('/') && url.port() > 0, "{url}");
    }
});
