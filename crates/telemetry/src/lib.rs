//! Where metrics go. A [`Pipeline`] is the recorder of a role: it gives names their prefix and their common labels,
//! leaves out what the operator does not want, and hands the rest to its sinks. No sink makes the one who measures wait.

mod datagrams;
mod fan;
mod filter;
pub mod m3;
pub mod memory;
pub mod otlp;
mod pipeline;
pub mod profile;
pub mod prometheus;
mod sanitize;
pub mod statsd;
#[cfg(test)]
mod tests;

pub use datagrams::Address;
pub use filter::Filter;
pub use pipeline::{Naming, Pipeline, Sink};
