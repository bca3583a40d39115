//! Where the metrics of a role go.

use std::sync::{Arc, OnceLock};

use metrics::{KeyName, Level, Metadata, Recorder, SharedString};

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
    #[allow(
        clippy::new_without_default,
        reason = "a set is a static; a second one by default would be a mistake"
    )]
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
        let first = self.recorder.set(recorder).is_ok();
        if first {
            table.iter().for_each(|it| self.describe(it.name().to_owned(), it.kind(), it.help().trim()));
        }
        first
    }

    /// Tells the recorder what a metric means.
    pub(super) fn describe(&self, name: String, kind: Kind, help: &str) {
        let Some(recorder) = self.recorder() else { return };
        let meaning = || SharedString::from(help.to_owned());
        match kind {
            Kind::Counter => recorder.describe_counter(KeyName::from(name), None, meaning()),
            Kind::Gauge => recorder.describe_gauge(KeyName::from(name), None, meaning()),
            Kind::Sample => recorder.describe_histogram(KeyName::from(name), None, meaning()),
            Kind::Call => {
                recorder.describe_counter(KeyName::from(name.clone()), None, meaning());
                let took = KeyName::from(format!("{name}.elapsed_time"));
                recorder.describe_histogram(took, None, format!("Milliseconds of: {help}").into());
            }
        }
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
