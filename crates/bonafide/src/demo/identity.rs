//! The identity of the moment, as the Workload API shows it.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proto::workload::spiffe_workload_api_client::SpiffeWorkloadApiClient;
use proto::workload::{X509svid, X509svidRequest, X509svidResponse};
use spiffe::endpoint::WORKLOAD_HEADER;
use spiffe::key::PrivateKey;
use spiffe::x509::X509Svid;
use spiffe::{Bundle, BundleSet, TrustDomain};
use spiffe_tls::{BundleHandle, Identity, IdentitySource, Now};
use tonic::Request;
use tonic::metadata::MetadataValue;

use super::tell;
use crate::start::{self, Failure};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What handshakes show and believe. Both change under them.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) identity: Arc<IdentitySource>,
    pub(super) bundles: BundleHandle,
    pub(super) now: Now,
}

impl Shown {
    pub(super) fn new() -> Self {
        let clock = kit::clock::Clock::system();
        Self {
            identity: IdentitySource::new(),
            bundles: BundleHandle::default(),
            now: Arc::new(move || clock.now()),
        }
    }

    /// The SVID of the moment.
    pub(super) fn svid(&self) -> Option<X509Svid> {
        self.identity.get().map(|identity| identity.svid().clone())
    }

    /// The time.
    pub(super) fn now(&self) -> SystemTime {
        (self.now)()
    }

    /// Keeps up with the agent behind `socket`, across its restarts. Of several identities it takes the one whose hint
    /// is `name`, else the first.
    pub(super) async fn follow(&self, socket: &Path, name: &str) -> Infallible {
        let mut pause = FIRST_PAUSE;
        let mut told = String::new();
        loop {
            let before = self.svid();
            let Err(failure) = self.stream(socket, name).await;
            if self.svid().map(|s| s.leaf().clone()) != before.map(|s| s.leaf().clone()) {
                (pause, told) = (FIRST_PAUSE, String::new());
            }
            let text = start::chain(&*failure);
            if text != told {
                tell::trouble(self.now(), &format!("the Workload API: {text}; trying again"));
                told = text;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn stream(&self, socket: &Path, name: &str) -> Result<Infallible, Failure> {
        let channel = ctl::connect(ctl::Peer::Agent, socket).await?;
        let mut request = Request::new(X509svidRequest {});
        // Without this header an agent answers nobody: a browser cannot send it (Workload API §4).
        request.metadata_mut().insert(WORKLOAD_HEADER.0, MetadataValue::from_static(WORKLOAD_HEADER.1));
        let mut stream = SpiffeWorkloadApiClient::new(channel).fetch_x509svid(request).await?.into_inner();
        loop {
            let response = stream.message().await?.ok_or("the agent closed the stream")?;
            self.take(&response, name)?;
        }
    }

    /// Shows what a response holds from the next handshake on. A response that cannot be used changes nothing.
    pub(super) fn take(&self, response: &X509svidResponse, name: &str) -> Result<(), Failure> {
        let chosen = choose(response, name).ok_or("the agent gave no identity")?;
        let svid = X509Svid::parse_concatenated(&chosen.x509_svid)?;
        let key = PrivateKey::from_pkcs8(&chosen.x509_svid_key)?;
        let identity = Identity::new(svid.clone(), Arc::new(key))?;
        let bundles = bundles(response, chosen, &svid.id().trust_domain())?;

        let old = self.svid();
        self.bundles.store(Arc::new(bundles));
        self.identity.set(identity);
        match old {
            None => tell::first(self.now(), &svid),
            Some(old) if old.leaf() != svid.leaf() => tell::rotated(self.now(), &old, &svid),
            Some(_) => {}
        }
        Ok(())
    }
}

fn choose<'a>(response: &'a X509svidResponse, name: &str) -> Option<&'a X509svid> {
    response.svids.iter().find(|svid| svid.hint == name).or(response.svids.first())
}

/// Its own trust domain's bundle and those of the trust domains it federates with.
fn bundles(response: &X509svidResponse, own: &X509svid, td: &TrustDomain) -> Result<BundleSet, Failure> {
    let mut set = BundleSet::default();
    for (name, der) in &response.federated_bundles {
        let td = TrustDomain::parse(name.strip_prefix("spiffe://").unwrap_or(name))?;
        set.insert(Arc::new(Bundle::parse_x509_concatenated(td, der)?));
    }
    set.insert(Arc::new(Bundle::parse_x509_concatenated(td.clone(), &own.bundle)?));
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(hints: &[&str]) -> X509svidResponse {
        let svids =
            hints.iter().map(|hint| X509svid { hint: (*hint).to_owned(), ..X509svid::default() }).collect();
        X509svidResponse { svids, ..X509svidResponse::default() }
    }

    #[test]
    fn the_identity_with_the_hint_is_taken_else_the_first() {
        let both = response(&["person", "caller"]);
        assert_eq!(choose(&both, "caller").unwrap().hint, "caller");
        assert_eq!(choose(&both, "greeter").unwrap().hint, "person");
        assert!(choose(&response(&[]), "caller").is_none());
    }

    #[test]
    fn a_response_that_cannot_be_used_changes_nothing() {
        let shown = Shown::new();
        assert!(shown.take(&response(&["caller"]), "caller").is_err());
        assert!(shown.svid().is_none());
        assert!(shown.bundles.load().is_empty());
    }
}
