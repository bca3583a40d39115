//! Around every call of a gRPC server.

mod ending;
mod measured;

pub use ending::{Ending, watch};
pub use measured::{Measured, MeasuredLayer};
