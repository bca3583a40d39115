//! A stream's hold on a view.

use std::sync::Arc;

use model::Selectors;
use tokio::sync::watch;

use super::{Cache, Update};

/// A stream's hold on a view; the view goes when the last is dropped.
pub(crate) struct Subscription {
    cache: Arc<Cache>,
    selectors: Selectors,
    updates: watch::Receiver<Arc<Update>>,
}

impl Subscription {
    pub(super) fn new(
        cache: Arc<Cache>,
        selectors: Selectors,
        mut updates: watch::Receiver<Arc<Update>>,
    ) -> Self {
        updates.mark_changed();
        Self { cache, selectors, updates }
    }

    /// The state now, if the last one that was returned is not it; otherwise the next. Steps in between are skipped.
    pub(crate) async fn next(&mut self) -> Arc<Update> {
        // The sender lives as long as the view, which lives as long as this.
        let _ = self.updates.changed().await;
        self.updates.borrow_and_update().clone()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.cache.unsubscribe(&self.selectors);
    }
}
