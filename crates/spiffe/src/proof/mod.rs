//! Proofs that whoever presents a WIT-SVID has its key (WIT-SVID §5).

pub mod http;
mod proven;

pub use proven::ProvenWit;
