//! Telling others of the trust bundle: notifiers and bundle publishers.

use std::sync::Arc;
use std::time::Duration;

use model::ports::{BundlePublisher, Notifier, PublishError};
use spiffe::TrustDomain;
use spiffe::bundle::Bundle;
use tokio_util::sync::CancellationToken;

use crate::registry::Registry;

/// How often publishers are told although nothing changed: what they wrote may have been lost (SPIRE 1.16).
const REFRESH: Duration = Duration::from_secs(30);

/// Who is told of the bundle.
#[derive(Clone, Default)]
pub struct Audience {
    /// Told at the start, where a failure ends it, and at each change.
    pub notifiers: Vec<Arc<dyn Notifier>>,
    /// Told at the start, at each change and from time to time.
    pub publishers: Vec<Arc<dyn BundlePublisher>>,
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
#[error("one or more notifiers returned an error: {0}")]
pub struct Objection(#[source] pub PublishError);

impl Audience {
    /// Tells the notifiers that the server starts with this bundle.
    pub(crate) async fn loaded(&self, registry: &Registry, td: &TrustDomain) -> Result<(), Objection> {
        let Some(bundle) = registry.snapshot().bundle(td).cloned() else { return Ok(()) };
        for notifier in &self.notifiers {
            let (name, event) = (notifier.name(), "bundle loaded");
            match notifier.bundle_loaded(&bundle).await {
                Ok(()) => tracing::debug!(notifier = name, event, "Notifier handled event"),
                Err(error) => {
                    tracing::error!(notifier = name, event, error = %error, "Notifier failed to handle event");
                    return Err(Objection(error));
                }
            }
        }
        Ok(())
    }

    /// Tells of the bundle as it changes until `stop`.
    pub(crate) async fn follow(self, registry: Arc<Registry>, td: TrustDomain, stop: CancellationToken) {
        if self.notifiers.is_empty() && self.publishers.is_empty() {
            return;
        }
        let mut changes = registry.changes();
        let mut refresh = tokio::time::interval(REFRESH);
        let mut notified = registry.snapshot().bundle(&td).cloned();
        loop {
            let fresh = registry.snapshot().bundle(&td).cloned();
            let number = |bundle: &Option<Arc<Bundle>>| bundle.as_ref().map(|bundle| bundle.sequence);
            let changed = number(&fresh) != number(&notified);
            if let (true, Some(bundle)) = (changed, &fresh) {
                self.updated(bundle).await;
                self.publish(bundle).await;
                notified = fresh;
            }
            // A change during the telling is not lost: the watch remembers it.
            tokio::select! {
                () = stop.cancelled() => return,
                _ = changes.changed() => {}
                _ = refresh.tick() => {
                    if let Some(bundle) = &notified {
                        self.publish(bundle).await;
                    }
                }
            }
        }
    }

    async fn updated(&self, bundle: &Bundle) {
        for notifier in &self.notifiers {
            let (name, event) = (notifier.name(), "bundle updated");
            match notifier.bundle_updated(bundle).await {
                Ok(()) => tracing::debug!(notifier = name, event, "Notifier handled event"),
                Err(error) => {
                    tracing::error!(notifier = name, event, error = %error, "Notifier failed to handle event");
                }
            }
        }
    }

    /// All at once: one that is slow does not keep the bundle from the others.
    async fn publish(&self, bundle: &Arc<Bundle>) {
        let mut tasks = tokio::task::JoinSet::new();
        for publisher in &self.publishers {
            let (publisher, bundle) = (publisher.clone(), bundle.clone());
            tasks.spawn(async move {
                if let Err(error) = publisher.publish(&bundle).await {
                    let bundle_publisher = publisher.name();
                    tracing::error!(bundle_publisher, error = %error, "Failed to publish bundle");
                }
            });
        }
        while tasks.join_next().await.is_some() {}
    }
}
