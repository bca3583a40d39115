//! Checks that several sections share: ports, paths, identities.

use std::path::PathBuf;

use spiffe::{SpiffeId, TrustDomain};

use super::block::Block;
use super::given::Given;
use super::problem::{Notice, Problem};

/// A TCP port, 1 to 65535.
pub(crate) fn port(block: &Block<'_>, key: &str, given: Given<i64>) -> Option<u16> {
    match u16::try_from(given.value) {
        Ok(port) if port > 0 => Some(port),
        _ => {
            let why = "a port is a number from 1 to 65535".to_owned();
            let value = given.value.to_string();
            block.mistake(given.place, Problem::BadValue { key: key.to_owned(), value, why });
            None
        }
    }
}

/// A host as it stands in an address, without the brackets of IPv6.
pub(crate) fn host(given: Given<String>) -> String {
    given.value.trim_matches(['[', ']']).to_owned()
}

/// A path.
pub(crate) fn path(given: Given<String>) -> PathBuf {
    PathBuf::from(given.value)
}

/// A trust domain, by its name or as a SPIFFE ID.
pub(crate) fn trust_domain(block: &Block<'_>, given: Option<Given<String>>) -> Option<TrustDomain> {
    let Some(Given { value, place }) = given else {
        block.required("trust_domain", "the name of the trust domain, as in \"example.org\"");
        return None;
    };
    let parsed = if value.contains(":/") {
        SpiffeId::parse(&value).map(|id| id.trust_domain())
    } else {
        TrustDomain::parse(&value)
    };
    match parsed {
        Ok(domain) => Some(domain),
        Err(error) => {
            let why = error.to_string();
            block.mistake(place, Problem::BadValue { key: "trust_domain".to_owned(), value, why });
            None
        }
    }
}

/// SPIFFE IDs.
pub(crate) fn ids(block: &Block<'_>, key: &'static str) -> Vec<SpiffeId> {
    let mut ids = Vec::new();
    for Given { value, place } in block.texts(key) {
        match SpiffeId::parse(&value) {
            Ok(id) => ids.push(id),
            Err(error) => {
                let why = error.to_string();
                block.mistake(place, Problem::BadValue { key: key.to_owned(), value, why });
            }
        }
    }
    ids
}

/// A size that may not be negative; zero and none are `default`.
pub(crate) fn size(block: &Block<'_>, key: &'static str, default: usize) -> usize {
    let Some(given) = block.number(key).filter(|given| given.value != 0) else {
        return default;
    };
    usize::try_from(given.value).unwrap_or_else(|_| {
        let why = "it may not be negative".to_owned();
        let value = given.value.to_string();
        block.mistake(given.place, Problem::BadValue { key: key.to_owned(), value, why });
        default
    })
}

/// The experiments that are switched on.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(crate) struct FeatureFlags {
    /// WIT-SVIDs are issued and served (`wit-svid`).
    pub(crate) wit_svid: bool,
}

/// Feature flags. An unknown one is refused as SPIRE does.
pub(crate) fn feature_flags(block: &Block<'_>) -> FeatureFlags {
    let mut flags = FeatureFlags::default();
    for Given { value, place } in block.texts("feature_flags") {
        match value.as_str() {
            "wit-svid" => flags.wit_svid = true,
            "i_am_a_test_flag" => {
                let key = "feature flag \"i_am_a_test_flag\"".to_owned();
                block.warn(place, Notice::NoEffect { key, why: "it exists for SPIRE's own tests" });
            }
            _ => {
                let why = "there is no such feature flag".to_owned();
                block.mistake(place, Problem::BadValue { key: "feature_flags".to_owned(), value, why });
            }
        }
    }
    flags
}
