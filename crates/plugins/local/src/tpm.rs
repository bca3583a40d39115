//! TPM 2.0 over its own wire (TCG TPM 2.0 Library, parts 1 to 3): the few commands that prove what a key is and sign with
//! it. No library of the system is needed; the kernel's device, or the socket of a software TPM, is enough.

pub(crate) mod attestation;
mod chip;
pub(crate) mod command;
pub(crate) mod credential;
pub(crate) mod device;
pub(crate) mod error;
pub(crate) mod ids;
pub(crate) mod information;
pub(crate) mod public;
pub(crate) mod signature;
pub(crate) mod templates;
pub(crate) mod wire;

pub(crate) use chip::{Blobs, Loaded, Ticket, Tpm};
