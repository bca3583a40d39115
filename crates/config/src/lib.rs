//! SPIRE's configuration files, read strictly and reported on in full.
//!
//! [`server::load`] and [`agent::load`] turn the text of a file and the command line's flags into settings
//! that can be acted on, or into a [`Report`] that names every mistake with its file, line and column. Where
//! SPIRE 1.16 ignores, this crate refuses: an unknown key, and a known key of a feature that is not there.

pub mod agent;
mod block;
mod check;
mod external;
mod given;
mod health;
mod key_type;
mod log;
mod plugin;
mod problem;
mod profiling;
mod read;
mod report;
pub mod server;
mod telemetry;
#[cfg(test)]
mod tests;

pub use external::{External, PluginData};
pub use health::HealthChecks;
pub use problem::{Notice, Problem};
pub use profiling::Profiling;
pub use read::{ReadError, Source, read};
pub use report::{Mistake, Place, Report, Warning};
pub use telemetry::{
    Collectors, Daemon, M3, Otlp, OtlpTls, Prometheus, PrometheusTls, Scrapers, Share, Shown, Telemetry,
};
