//! Plugins that are told of the bundle.

use async_trait::async_trait;
use model::ports::{self, PublishError};
use proto::spire::plugin::server::bundlepublisher::v1::PublishBundleRequest;
use proto::spire::plugin::server::bundlepublisher::v1::bundle_publisher_client::BundlePublisherClient;
use proto::spire::plugin::server::notifier::v1::notifier_client::NotifierClient;
use proto::spire::plugin::server::notifier::v1::{
    BundleLoaded, BundleUpdated, NotifyAndAdviseRequest, NotifyRequest, notify_and_advise_request,
    notify_request,
};
use spiffe::bundle::Bundle;
use tonic::Status;

use crate::bundle::wire;
use crate::call::answer;
use crate::plugin::Plugin;

/// A bundle publisher in another process.
pub struct BundlePublisher(Plugin);

impl BundlePublisher {
    /// This plugin.
    #[must_use]
    pub fn new(plugin: Plugin) -> Self {
        Self(plugin)
    }
}

#[async_trait]
impl ports::BundlePublisher for BundlePublisher {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    async fn publish(&self, bundle: &Bundle) -> Result<(), PublishError> {
        let request = PublishBundleRequest { bundle: Some(wire(bundle)) };
        let mut client = BundlePublisherClient::new(self.0.channel());
        let call = answer(&self.0, client.publish_bundle(request));
        call.await.map(|_| ()).map_err(failed)
    }
}

/// A notifier in another process.
pub struct Notifier(Plugin);

impl Notifier {
    /// This plugin.
    #[must_use]
    pub fn new(plugin: Plugin) -> Self {
        Self(plugin)
    }
}

#[async_trait]
impl ports::Notifier for Notifier {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    async fn bundle_loaded(&self, bundle: &Bundle) -> Result<(), PublishError> {
        let loaded = BundleLoaded { bundle: Some(wire(bundle)) };
        let event = Some(notify_and_advise_request::Event::BundleLoaded(loaded));
        let mut client = NotifierClient::new(self.0.channel());
        let call = answer(&self.0, client.notify_and_advise(NotifyAndAdviseRequest { event }));
        call.await.map(|_| ()).map_err(failed)
    }

    async fn bundle_updated(&self, bundle: &Bundle) -> Result<(), PublishError> {
        let updated = BundleUpdated { bundle: Some(wire(bundle)) };
        let event = Some(notify_request::Event::BundleUpdated(updated));
        let mut client = NotifierClient::new(self.0.channel());
        let call = answer(&self.0, client.notify(NotifyRequest { event }));
        call.await.map(|_| ()).map_err(failed)
    }
}

fn failed(status: Status) -> PublishError {
    PublishError(status.message().to_owned())
}
