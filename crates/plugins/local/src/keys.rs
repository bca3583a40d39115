//! Key managers of one machine: `disk`, in SPIRE's file format, and `memory`.

mod disk;
mod file;
mod held;
mod memory;

pub use disk::Disk;
pub use memory::Memory;
