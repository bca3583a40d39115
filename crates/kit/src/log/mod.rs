//! Log lines as SPIRE prints them: logrus' text form, or JSON, to standard output or a file.
//!
//! Events and spans come from `tracing`: the message of an event is `msg`, its fields and those of the spans
//! around it follow under their own names, sorted. The level can be changed while the process runs, and the
//! file opened anew after it was rotated away.

mod gate;
mod json;
mod layer;
mod level;
mod list;
mod moment;
mod output;
mod record;
#[cfg(test)]
mod tests;
mod text;

pub use level::{Level, UnknownLevel};
pub use list::list;
pub use moment::moment;
pub use record::MORE;
pub use text::quoted;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;

use tracing::Subscriber;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use gate::Gate;
use layer::Printer;
use output::Sink;

/// The form of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// logrus' text form, times in whole seconds. On a terminal, in colour.
    #[default]
    Default,
    /// logrus' text form, times with their fraction. On a terminal, in colour.
    Text,
    /// One JSON object a line.
    Json,
}

/// A log format that is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("log format {0:?} is unknown; use \"text\" or \"json\"")]
pub struct UnknownFormat(String);

impl Format {
    /// Reads a format's name in any case; the empty name is the default.
    ///
    /// # Errors
    /// If the name is not known.
    pub fn parse(name: &str) -> Result<Self, UnknownFormat> {
        match name.to_ascii_lowercase().as_str() {
            "" => Ok(Self::Default),
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(UnknownFormat(name.to_owned())),
        }
    }
}

/// Where lines go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// Standard output.
    #[default]
    Stdout,
    /// A file, appended to; created with mode 0640.
    File(PathBuf),
}

/// How to log.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The most detailed level that is printed.
    pub level: Level,
    /// The form of a line.
    pub format: Format,
    /// Whether each line carries `file` and `func`.
    pub source_location: bool,
    /// Where lines go.
    pub output: Output,
}

/// Logging could not begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be opened.
    #[error("cannot open log file {path}; check that its folder exists and may be written to", path = .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// Another subscriber has been installed.
    #[error("logging was already set up in this process")]
    AlreadySet,
}

/// Changes logging while the process runs. Clones act on the same log.
#[derive(Clone)]
pub struct Control {
    gate: Gate,
    sink: Arc<Sink>,
}

impl Control {
    /// The level now.
    #[must_use]
    pub fn level(&self) -> Level {
        self.gate.level()
    }

    /// The level that logging began with.
    #[must_use]
    pub fn launch_level(&self) -> Level {
        self.gate.launch_level()
    }

    /// Prints up to `level` from now on.
    pub fn set_level(&self, level: Level) {
        self.gate.set(level);
    }

    /// Goes back to the level that logging began with.
    pub fn reset_level(&self) {
        self.gate.set(self.gate.launch_level());
    }

    /// Opens the log file anew under its name, after it was moved away. Standard output stays as it is.
    ///
    /// # Errors
    /// If the file cannot be opened; lines then still go to the old one.
    pub fn reopen(&self) -> Result<(), LogError> {
        self.sink.reopen()
    }
}

/// A layer for a subscriber, and the handle to it.
///
/// # Errors
/// If the log file cannot be opened.
pub fn layer<S>(options: Options) -> Result<(impl Layer<S> + Send + Sync + 'static, Control), LogError>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let colour = options.output == Output::Stdout && std::io::stdout().is_terminal();
    let sink = Arc::new(Sink::open(options.output)?);
    let gate = Gate::new(options.level);
    let printer = Printer::new(options.format, options.source_location, colour, Arc::clone(&sink));
    Ok((printer.with_filter(gate.clone()), Control { gate, sink }))
}

/// Makes this the log of the whole process.
///
/// # Errors
/// If the log file cannot be opened, or the process already has a log.
pub fn init(options: Options) -> Result<Control, LogError> {
    init_beside(options, None::<tracing_subscriber::layer::Identity>)
}

/// As [`init`], with a layer beside the log: what collects spans.
///
/// # Errors
/// As [`init`].
pub fn init_beside<L>(options: Options, beside: Option<L>) -> Result<Control, LogError>
where
    L: Layer<tracing_subscriber::Registry> + Send + Sync,
{
    let (layer, control) = layer(options)?;
    let subscriber = tracing_subscriber::registry().with(beside).with(layer);
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::AlreadySet)?;
    Ok(control)
}
