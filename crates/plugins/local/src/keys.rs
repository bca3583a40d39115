//! Key managers of one machine: `disk`, in SPIRE's file format, and `memory`; and `tpm`, in a format of our own.

mod disk;
mod file;
mod held;
mod memory;
mod tpm;

pub use disk::Disk;
pub use memory::Memory;
pub use tpm::Tpm;
