//! Between those who measure and the sinks.

use std::sync::Arc;

use kit::metrics::TIMER;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Metadata, Recorder, SharedString, Unit};

use crate::fan;
use crate::filter::Filter;
use crate::sanitize::sanitize;

/// How the names and labels of a role are made.
#[derive(Clone, Debug, Default)]
pub struct Naming {
    /// The first part of every name: `spire_server`.
    pub prefix: String,
    /// The value of the label `host`, if there is to be one.
    pub host: Option<String>,
    /// The value of the label `trust_domain`, if there is to be one.
    pub trust_domain: Option<String>,
    /// What is let through.
    pub filter: Filter,
}

/// A recorder at the end of a pipeline.
#[derive(Clone)]
pub struct Sink {
    /// What takes the numbers. Keys come with dots between the parts of their names.
    pub recorder: Arc<dyn Recorder + Send + Sync>,
    /// Whether names get their type after the prefix, as M3 has it: `spire_server.counter.…`.
    pub typed: bool,
}

/// The recorder of a role.
pub struct Pipeline {
    naming: Naming,
    sinks: Vec<Sink>,
}

impl Pipeline {
    /// A pipeline into these sinks.
    #[must_use]
    pub fn new(naming: Naming, sinks: Vec<Sink>) -> Self {
        Self { naming, sinks }
    }

    fn name(&self, sink: &Sink, kind: &str, name: &str) -> String {
        match sink.typed {
            true => format!("{}.{kind}.{name}", self.naming.prefix),
            false => format!("{}.{name}", self.naming.prefix),
        }
    }

    /// The labels in SPIRE's order; the host's name is the only one that is left as it is.
    fn labels(&self, key: &Key) -> Vec<Label> {
        let own = key.labels().map(|label| (label.key(), label.value()));
        let domain = self.naming.trust_domain.iter().map(|value| ("trust_domain", value.as_str()));
        let host = self.naming.host.iter().map(|value| Label::new("host", value.clone()));
        own.chain(domain)
            .map(|(name, value)| Label::new(sanitize(name), sanitize(value)))
            .chain(host)
            .filter(|label| self.naming.filter.admits_label(label.key()))
            .collect()
    }

    fn each<H>(&self, key: &Key, kind: &str, register: impl Fn(&Sink, &Key) -> H) -> Vec<H> {
        let labels = self.labels(key);
        let keys = self.sinks.iter().map(|sink| (sink, self.name(sink, kind, key.name())));
        keys.filter(|(_, name)| self.naming.filter.admits(name))
            .map(|(sink, name)| register(sink, &Key::from_parts(name, labels.clone())))
            .collect()
    }
}

impl Recorder for Pipeline {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, help: SharedString) {
        for sink in &self.sinks {
            let name = self.name(sink, "counter", key.as_str());
            sink.recorder.describe_counter(name.into(), unit, help.clone());
        }
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, help: SharedString) {
        for sink in &self.sinks {
            let name = self.name(sink, "gauge", key.as_str());
            sink.recorder.describe_gauge(name.into(), unit, help.clone());
        }
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, help: SharedString) {
        for sink in &self.sinks {
            let name = self.name(sink, "sample", key.as_str());
            sink.recorder.describe_histogram(name.into(), unit, help.clone());
        }
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        fan::counter(self.each(key, "counter", |sink, key| sink.recorder.register_counter(key, metadata)))
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        fan::gauge(self.each(key, "gauge", |sink, key| sink.recorder.register_gauge(key, metadata)))
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        let kind = if metadata.target() == TIMER { "timer" } else { "sample" };
        fan::histogram(self.each(key, kind, |sink, key| sink.recorder.register_histogram(key, metadata)))
    }
}
