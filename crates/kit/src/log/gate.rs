//! Decides which events are printed, and lets the decision change at run time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};

use super::level::Level;

/// Libraries whose lines below a warning matter only to someone who traces.
const LIBRARIES: [&str; 14] = [
    "h2",
    "hyper",
    "hyper_util",
    "mio",
    "reqwest",
    "rustls",
    "sqlx",
    "sqlx_core",
    "sqlx_sqlite",
    "tokio",
    "tokio_util",
    "tonic",
    "tower",
    "want",
];

/// The level, shared between the filter and whoever changes it.
#[derive(Clone)]
pub(super) struct Gate {
    launch: Level,
    level: Arc<AtomicU8>,
}

impl Gate {
    pub(super) fn new(launch: Level) -> Self {
        Self { launch, level: Arc::new(AtomicU8::new(launch as u8)) }
    }

    pub(super) fn level(&self) -> Level {
        Level::from_number(self.level.load(Ordering::Relaxed))
    }

    pub(super) fn launch_level(&self) -> Level {
        self.launch
    }

    pub(super) fn set(&self, level: Level) {
        self.level.store(level as u8, Ordering::Relaxed);
        tracing::callsite::rebuild_interest_cache();
    }

    fn lets_through(&self, metadata: &Metadata<'_>) -> bool {
        if metadata.target() == crate::trace::TARGET {
            return false;
        }
        let level = self.level();
        if metadata.is_span() {
            return *metadata.level() <= span_level(level);
        }
        *metadata.level() <= level.filter()
            && (level == Level::Trace
                || *metadata.level() <= LevelFilter::WARN
                || !is_library(metadata.target()))
    }
}

/// Spans carry the fields of the events within them, so a stricter level must not drop them.
fn span_level(level: Level) -> LevelFilter {
    level.filter().max(LevelFilter::INFO)
}

fn is_library(target: &str) -> bool {
    LIBRARIES.contains(&target.split("::").next().unwrap_or(target))
}

impl<S: Subscriber> Filter<S> for Gate {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.lets_through(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.lets_through(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(span_level(self.level()))
    }
}
