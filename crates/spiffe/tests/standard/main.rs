//! The clauses of the SPIFFE standards that bind issuers, verifiers, publishers and consumers, each with what must work
//! and what must be refused.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod bundle;
mod bundle_change;
mod bundle_map;
mod crl;
mod endpoint;
mod forge;
mod http_signature;
mod id;
mod jwt;
mod keys;
mod path;
mod properties;
mod token_properties;
mod wit;
mod wpt;
mod x509;
