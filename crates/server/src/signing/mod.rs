//! Where signatures are made: threads of their own, one for each core, behind one bounded queue.
//!
//! A signature costs tens of microseconds to milliseconds of a core, so it is never made on a thread that serves
//! connections. What waits is ordered by [`Class`]; what does not fit is [`Refused`] with the time after which to try
//! again, so that a server in distress answers instead of dying, and serves first whoever has nothing yet.

mod class;
mod pool;
mod queue;
mod refused;
mod together;

pub use class::Class;
pub use pool::{SigningPool, StartError};
pub use refused::Refused;
