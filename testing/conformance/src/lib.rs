//! Test vectors for the SPIFFE standards: what they look like, how they are made, and how they are judged.
//!
//! The vectors themselves are JSON files under `testing/vectors`, one a check; their README says how another project uses
//! them. `make vectors` makes them again; the test `vectors` runs each of them through the crate `spiffe`.

pub mod checks;
pub mod folder;
pub mod forge;
pub mod format;
pub mod inspect;
pub mod kinds;
pub mod left_out;
pub mod report;
pub mod seeds;
pub mod topics;
