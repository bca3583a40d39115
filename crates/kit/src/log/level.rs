//! The levels of SPIRE's log and logger API.

use std::fmt;

use tracing::level_filters::LevelFilter;

/// How severe a line is. A log prints its own level and everything more severe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Only what ends the process by a panic.
    Panic,
    /// Only what ends the process.
    Fatal,
    /// What failed and needs someone.
    Error,
    /// What may need someone.
    Warn,
    /// What happened.
    #[default]
    Info,
    /// What helps to find a fault.
    Debug,
    /// Everything, the libraries' own lines included.
    Trace,
}

/// A level's name that is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("log level {0:?} is unknown; use panic, fatal, error, warn, info, debug or trace")]
pub struct UnknownLevel(String);

impl Level {
    /// Every level, the most severe first.
    pub const ALL: [Self; 7] =
        [Self::Panic, Self::Fatal, Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// Reads a level's name in any case; `warning` is `warn`.
    ///
    /// # Errors
    /// If the name is not known.
    pub fn parse(name: &str) -> Result<Self, UnknownLevel> {
        let lower = name.to_ascii_lowercase();
        let lower = if lower == "warn" { "warning" } else { &lower };
        Self::ALL
            .into_iter()
            .find(|level| level.as_str() == lower)
            .ok_or_else(|| UnknownLevel(name.to_owned()))
    }

    /// The name as it stands in a line: `warning`, not `warn`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::Fatal => "fatal",
            Self::Error => "error",
            Self::Warn => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    /// The level with this number, as stored by `as u8`.
    pub(super) fn from_number(number: u8) -> Self {
        Self::ALL.into_iter().nth(usize::from(number)).unwrap_or_default()
    }

    /// What `tracing` may let through. It knows nothing more severe than an error.
    pub(super) fn filter(self) -> LevelFilter {
        match self {
            Self::Panic | Self::Fatal => LevelFilter::OFF,
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        }
    }
}

impl From<tracing::Level> for Level {
    fn from(level: tracing::Level) -> Self {
        match level {
            tracing::Level::ERROR => Self::Error,
            tracing::Level::WARN => Self::Warn,
            tracing::Level::INFO => Self::Info,
            tracing::Level::DEBUG => Self::Debug,
            tracing::Level::TRACE => Self::Trace,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
