//! Around every call of a gRPC server.

mod deadline;
mod ending;
mod measured;
mod outgoing;
mod patience;
mod traced;

pub use deadline::{Deadline, DeadlineLayer, Timed, timeout};
pub use ending::{Ending, watch};
pub use measured::{Measured, MeasuredLayer};
pub use outgoing::Outgoing;
pub use patience::{PatienceLayer, Patient};
