//! `ratelimit`: how often workloads may call the Workload API and SDS.

use super::super::block::{Block, Unknown};
use super::super::problem::Problem;

/// Calls a second of one kind, if the file does not say.
pub const DEFAULT_CALLS: u32 = 1000;

/// How often the callers with one set of selectors may make each call, a second; as many may come at once. Callers
/// without a selector count as one. `None` is without a limit, which the file says with 0. `validate_jwt_svid` and the
/// keys of WIT-SVIDs are not SPIRE's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// `fetch_x509_svid`
    pub fetch_x509_svid: Option<u32>,
    /// `fetch_jwt_svid`
    pub fetch_jwt_svid: Option<u32>,
    /// `fetch_x509_bundles`
    pub fetch_x509_bundles: Option<u32>,
    /// `fetch_jwt_bundles`
    pub fetch_jwt_bundles: Option<u32>,
    /// `validate_jwt_svid`
    pub validate_jwt_svid: Option<u32>,
    /// `fetch_wit_svid`
    pub fetch_wit_svid: Option<u32>,
    /// `fetch_wit_bundles`
    pub fetch_wit_bundles: Option<u32>,
    /// `stream_secrets`; DeltaSecrets is counted for itself.
    pub stream_secrets: Option<u32>,
    /// `fetch_secrets`
    pub fetch_secrets: Option<u32>,
}

impl Default for CallLimits {
    fn default() -> Self {
        let each = Some(DEFAULT_CALLS);
        Self {
            fetch_x509_svid: each,
            fetch_jwt_svid: each,
            fetch_x509_bundles: each,
            fetch_jwt_bundles: each,
            validate_jwt_svid: each,
            fetch_wit_svid: each,
            fetch_wit_bundles: each,
            stream_secrets: each,
            fetch_secrets: each,
        }
    }
}

/// Reads `ratelimit`, if there is one.
pub(super) fn read(experimental: &Block<'_>) -> CallLimits {
    let Some(block) = experimental.block("ratelimit") else {
        return CallLimits::default();
    };
    let limits = CallLimits {
        fetch_x509_svid: limit(&block, "fetch_x509_svid"),
        fetch_jwt_svid: limit(&block, "fetch_jwt_svid"),
        fetch_x509_bundles: limit(&block, "fetch_x509_bundles"),
        fetch_jwt_bundles: limit(&block, "fetch_jwt_bundles"),
        validate_jwt_svid: limit(&block, "validate_jwt_svid"),
        fetch_wit_svid: limit(&block, "fetch_wit_svid"),
        fetch_wit_bundles: limit(&block, "fetch_wit_bundles"),
        stream_secrets: limit(&block, "stream_secrets"),
        fetch_secrets: limit(&block, "fetch_secrets"),
    };
    block.finish(Unknown::Refuse);
    limits
}

fn limit(block: &Block<'_>, key: &'static str) -> Option<u32> {
    let Some(given) = block.number(key) else {
        return Some(DEFAULT_CALLS);
    };
    match u32::try_from(given.value) {
        Ok(calls) => Some(calls).filter(|calls| *calls > 0),
        Err(_) => {
            let why = "it must be from 0, for no limit, to 4294967295".to_owned();
            let (key, value) = (key.to_owned(), given.value.to_string());
            block.mistake(given.place, Problem::BadValue { key, value, why });
            None
        }
    }
}
