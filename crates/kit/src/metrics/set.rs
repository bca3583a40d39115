//! Where the metrics of a role go.

use std::sync::{Arc, OnceLock};

use metrics::{KeyName, Level, Metadata, Recorder};

use super::describe::{Described, Kind};

/// The target of numbers that are not times, for recorders that tell them apart.
pub const SAMPLE: &str = "sample";
/// The target of times, in milliseconds.
pub const TIMER: &str = "timer";

pub(super) static SAMPLES: Metadata<'static> = Metadata::new(SAMPLE, Level::INFO, None);
pub(super) static TIMES: Metadata<'static> = Metadata::new(TIMER, Level::INFO, None);

/// Where the metrics of a role go: nowhere until a recorder is installed.
pub struct Set {
    recorder: OnceLock<Arc<dyn Recorder + Send + Sync>>,
}

impl Set {
    /// A set whose metrics go nowhere yet.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "a set is a static; a second one by default would be a mistake")]
    pub const fn new() -> Self {
        Self { recorder: OnceLock::new() }
    }

    /// Sends the metrics of this set to `recorder` from now on, and tells it what each of `table` means. The first
    /// recorder stays: false when there is one.
    pub fn install(
        &self,
        recorder: Arc<dyn Recorder + Send + Sync>,
        table: &[&(dyn Described + Sync)],
    ) -> bool {
        for metric in table {
            let help = metric.help().trim();
            match metric.kind() {
                Kind::Counter => recorder.describe_counter(KeyName::from(metric.name()), None, help.into()),
                Kind::Gauge => recorder.describe_gauge(KeyName::from(metric.name()), None, help.into()),
                Kind::Sample => recorder.describe_histogram(KeyName::from(metric.name()), None, help.into()),
                Kind::Call => {
                    recorder.describe_counter(KeyName::from(metric.name()), None, help.into());
                    let took = format!("Milliseconds of: {help}");
                    recorder.describe_histogram(
                        KeyName::from(format!("{}.elapsed_time", metric.name())),
                        None,
                        took.into(),
                    );
                }
            }
        }
        self.recorder.set(recorder).is_ok()
    }

    pub(super) fn recorder(&self) -> Option<&(dyn Recorder + Send + Sync)> {
        self.recorder.get().map(|recorder| &**recorder)
    }

    /// Whether anything is done with what is measured.
    #[must_use]
    pub fn is_installed(&self) -> bool {
        self.recorder.get().is_some()
    }
}
