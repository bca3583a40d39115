//! The generator: what the vectors of each check are, one module a topic.

mod bundle;
mod endpoint;
mod federation;
mod id;
mod jwt;
mod revocation;
mod scene;
mod wimse;
mod wit;
mod wit_scene;
mod workload_api;
mod x509;

use crate::format::Check;

/// All checks with their vectors, in order.
pub fn all() -> Vec<Check> {
    [
        id::checks(),
        x509::checks(),
        jwt::checks(),
        wit::checks(),
        wimse::checks(),
        workload_api::checks(),
        endpoint::checks(),
        bundle::checks(),
        federation::checks(),
    ]
    .concat()
}
