//! Where metrics go. A [`Pipeline`] is the recorder of a role: it gives names their prefix and their common labels,
//! leaves out what the operator does not want, and hands the rest to its sinks. No sink makes the one who measures wait.

mod fan;
mod filter;
mod pipeline;
pub mod prometheus;
mod sanitize;
#[cfg(test)]
mod tests;

pub use filter::Filter;
pub use pipeline::{Naming, Pipeline, Sink};
