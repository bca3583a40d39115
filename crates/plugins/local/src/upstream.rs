//! Authorities above a server, which sign its X.509 CA: files on this machine's disk, or another SPIRE server.

pub mod disk;
pub mod spire;
