//! An authority above the server, in another process.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use model::ports::{self, MintedCa, UpstreamError};
use proto::spire::plugin::server::upstreamauthority::v1::upstream_authority_client::UpstreamAuthorityClient;
use proto::spire::plugin::server::upstreamauthority::v1::{
    MintX509caRequest, PublishJwtKeyRequest, SubscribeToLocalBundleRequest,
};
use proto::spire::plugin::types as wire;
use spiffe::TrustDomain;
use spiffe::bundle::{Bundle, JwtAuthority, X509Authority};
use spiffe::key::PublicKey;
use spiffe::x509::Certificate;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};

use crate::bundle::jwt;
use crate::call::{MAX_MESSAGE, named, nonsense};
use crate::plugin::Plugin;

/// How long minting may take: the authority may be far away.
const MINT: Duration = Duration::from_secs(60);
/// How long publishing a key may take (SPIRE 1.16: five seconds; ours may wait behind a slow one).
const PUBLISH: Duration = Duration::from_secs(30);

/// An upstream authority in another process.
pub struct UpstreamAuthority {
    plugin: Plugin,
    trust_domain: TrustDomain,
    heard: Arc<Mutex<Heard>>,
    streams: Mutex<Streams>,
}

/// What its streams have told so far.
#[derive(Default)]
struct Heard {
    roots: Vec<X509Authority>,
    keys: Vec<JwtAuthority>,
}

/// The streams that are followed; each ends when another takes its place.
#[derive(Default)]
struct Streams {
    minted: Option<DropGuard>,
    published: Option<DropGuard>,
    subscription: Option<(DropGuard, CancellationToken)>,
    /// The plugin has no such stream.
    no_subscription: bool,
}

impl UpstreamAuthority {
    /// This plugin, above a server of this trust domain.
    #[must_use]
    pub fn new(plugin: Plugin, trust_domain: TrustDomain) -> Self {
        Self { plugin, trust_domain, heard: Arc::default(), streams: Mutex::default() }
    }

    fn client(&self) -> UpstreamAuthorityClient<Channel> {
        UpstreamAuthorityClient::new(self.plugin.channel()).max_decoding_message_size(MAX_MESSAGE)
    }

    fn failed(&self, status: &Status) -> UpstreamError {
        let status = named(&self.plugin, status);
        match status.code() {
            Code::InvalidArgument | Code::PermissionDenied | Code::Unimplemented => {
                UpstreamError::Refused(status.message().to_owned())
            }
            _ => UpstreamError::Unavailable(status.message().to_owned()),
        }
    }

    fn unusable(&self, what: &str) -> UpstreamError {
        UpstreamError::Answer(nonsense(&self.plugin, what).message().to_owned())
    }

    /// The first message of a stream.
    async fn first<T>(&self, stream: &mut Streaming<T>) -> Result<T, UpstreamError> {
        let first = stream.message().await.map_err(|status| self.failed(&status))?;
        first.ok_or_else(|| self.unusable("plugin closed stream unexpectedly"))
    }

    async fn in_time<T>(
        &self,
        patience: Duration,
        call: impl Future<Output = Result<T, UpstreamError>>,
    ) -> Result<T, UpstreamError> {
        let late = || {
            UpstreamError::Unavailable(format!(
                "plugin {:?} took longer than {patience:?}",
                self.plugin.name()
            ))
        };
        tokio::time::timeout(patience, call).await.unwrap_or_else(|_| Err(late()))
    }

    /// Follows a stream in the background until the guard is dropped.
    fn follow<T: Send + 'static>(
        &self,
        mut stream: Streaming<T>,
        take: impl Fn(&mut Heard, T) -> Result<(), String> + Send + 'static,
    ) -> (DropGuard, CancellationToken) {
        let stop = CancellationToken::new();
        let ended = CancellationToken::new();
        let (heard, plugin, token, end) =
            (self.heard.clone(), self.plugin.clone(), stop.clone(), ended.clone());
        tokio::spawn(async move {
            let _ended = end.drop_guard();
            let (plugin_name, plugin_type) = (plugin.name(), plugin.kind());
            loop {
                let message = tokio::select! {
                    message = stream.message() => message,
                    () = token.cancelled() => return,
                };
                match message {
                    Ok(Some(message)) => {
                        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                        if let Err(error) = take(&mut heard, message) {
                            tracing::warn!(
                                plugin_name,
                                plugin_type,
                                error,
                                "Failed to parse an update from the upstream authority plugin"
                            );
                        }
                    }
                    // Plugins that have no news end the stream.
                    Ok(None) => return,
                    Err(status) => {
                        tracing::warn!(plugin_name, plugin_type, error = %status, "The upstream authority plugin tells no more news");
                        return;
                    }
                }
            }
        });
        (stop.drop_guard(), ended)
    }

    fn bundle_of(&self, roots: &[X509Authority], keys: &[JwtAuthority]) -> Result<Bundle, UpstreamError> {
        let mut bundle = Bundle::new(self.trust_domain.clone());
        for root in roots {
            bundle.push_x509(root.clone()).map_err(|e| self.unusable(&e.to_string()))?;
        }
        for key in keys {
            bundle.push_jwt(key.clone()).map_err(|e| self.unusable(&e.to_string()))?;
        }
        Ok(bundle)
    }

    async fn sign(&self, csr: Vec<u8>, ttl: Duration) -> Result<MintedCa, UpstreamError> {
        let preferred_ttl = i32::try_from(ttl.as_secs()).unwrap_or(i32::MAX);
        let stream = self.client().mint_x509ca_and_subscribe(MintX509caRequest { csr, preferred_ttl }).await;
        let mut stream = stream.map_err(|status| self.failed(&status))?.into_inner();
        let first = self.first(&mut stream).await?;
        let chain = certificates(first.x509_ca_chain)
            .map_err(|e| self.unusable(&format!("plugin response has malformed X.509 CA chain: {e}")))?;
        let chain: Vec<Certificate> = chain.into_iter().map(|one| one.certificate).collect();
        if chain.is_empty() {
            return Err(self.unusable("plugin response missing X.509 CA chain"));
        }
        let roots = roots(first.upstream_x509_roots).map_err(|e| self.unusable(&e))?;
        let bundle = self.bundle_of(&roots, &[])?;
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).roots = roots;
        let (guard, _) = self.follow(stream, |heard, news| {
            heard.roots = self::roots(news.upstream_x509_roots)?;
            Ok(())
        });
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).minted = Some(guard);
        Ok(MintedCa { chain, roots: bundle })
    }

    async fn tell(&self, key: &JwtAuthority) -> Result<bool, UpstreamError> {
        let request = PublishJwtKeyRequest { jwt_key: Some(jwt(key)) };
        let stream = match self.client().publish_jwt_key_and_subscribe(request).await {
            Err(status) if status.code() == Code::Unimplemented => return Ok(false),
            stream => stream.map_err(|status| self.failed(&status))?,
        };
        let mut stream = stream.into_inner();
        let first = match stream.message().await {
            Err(status) if status.code() == Code::Unimplemented => return Ok(false),
            first => first.map_err(|status| self.failed(&status))?,
        };
        let first = first.ok_or_else(|| self.unusable("plugin closed stream unexpectedly"))?;
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).keys = keys(first.upstream_jwt_keys);
        let (guard, _) = self.follow(stream, |heard, news| {
            heard.keys = keys(news.upstream_jwt_keys);
            Ok(())
        });
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).published = Some(guard);
        Ok(true)
    }

    /// Opens the stream of all that is known above, unless it is open or the plugin has none.
    async fn subscribe(&self) -> Result<(), UpstreamError> {
        {
            let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
            let open = streams.subscription.as_ref().is_some_and(|(_, ended)| !ended.is_cancelled());
            if open || streams.no_subscription {
                return Ok(());
            }
        }
        let none = |status: &Status| status.code() == Code::Unimplemented;
        let stream = self.client().subscribe_to_local_bundle(SubscribeToLocalBundleRequest {}).await;
        let first = match stream {
            Ok(stream) => {
                let mut stream = stream.into_inner();
                stream.message().await.map(|first| (first, stream))
            }
            Err(status) => Err(status),
        };
        let (first, stream) = match first {
            Err(status) if none(&status) => {
                self.streams.lock().unwrap_or_else(PoisonError::into_inner).no_subscription = true;
                return Ok(());
            }
            first => first.map_err(|status| self.failed(&status))?,
        };
        let take = |heard: &mut Heard, news: proto::spire::plugin::server::upstreamauthority::v1::SubscribeToLocalBundleResponse| {
            heard.roots = roots(news.upstream_x509_roots)?;
            heard.keys = keys(news.upstream_jwt_keys);
            Ok::<_, String>(())
        };
        if let Some(first) = first {
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            take(&mut heard, first).map_err(|e| self.unusable(&e))?;
        }
        let followed = self.follow(stream, take);
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).subscription = Some(followed);
        Ok(())
    }
}

#[async_trait]
impl ports::UpstreamAuthority for UpstreamAuthority {
    fn name(&self) -> &'static str {
        self.plugin.name()
    }

    async fn mint(&self, csr: Vec<u8>, ttl: Duration, _: SystemTime) -> Result<MintedCa, UpstreamError> {
        self.in_time(MINT, self.sign(csr, ttl)).await
    }

    async fn publish_jwt(&self, key: &JwtAuthority) -> Result<bool, UpstreamError> {
        self.in_time(PUBLISH, self.tell(key)).await
    }

    async fn bundle(&self) -> Result<Option<Bundle>, UpstreamError> {
        self.in_time(PUBLISH, self.subscribe()).await?;
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        self.bundle_of(&heard.roots, &heard.keys).map(Some)
    }
}

/// At least one root.
fn roots(wire: Vec<wire::X509Certificate>) -> Result<Vec<X509Authority>, String> {
    let roots =
        certificates(wire).map_err(|e| format!("plugin response has malformed upstream X.509 roots: {e}"))?;
    match roots.is_empty() {
        true => Err("plugin response missing upstream X.509 roots".to_owned()),
        false => Ok(roots),
    }
}

fn certificates(wire: Vec<wire::X509Certificate>) -> Result<Vec<X509Authority>, String> {
    let one = |one: wire::X509Certificate| {
        let certificate = Certificate::parse(one.asn1).map_err(|e| e.to_string())?;
        Ok(X509Authority { certificate, tainted: one.tainted })
    };
    wire.into_iter().map(one).collect()
}

/// Those of a kind that is known here: another verifies nothing here.
fn keys(wire: Vec<wire::JwtKey>) -> Vec<JwtAuthority> {
    let one = |one: wire::JwtKey| {
        let public_key = PublicKey::from_spki_der(&one.public_key).ok()?;
        let ends = u64::try_from(one.expires_at).ok().filter(|ends| *ends > 0);
        let expires_at = ends.and_then(|ends| UNIX_EPOCH.checked_add(Duration::from_secs(ends)));
        Some(JwtAuthority { key_id: one.key_id, public_key, expires_at, tainted: one.tainted })
    };
    wire.into_iter().filter_map(one).collect()
}
