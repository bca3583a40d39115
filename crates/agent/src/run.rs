//! An agent from its start to its end.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use arc_swap::ArcSwap;
use kit::clock::Clock;
use spiffe::bundle::BundleSet;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::cache::{Cache, Difference, Limits};
use crate::error::AgentError;
use crate::issue::{Issuer, JwtIssuer, WitIssuer};
use crate::link::{Address, Link, Server};
use crate::metered::MeteredKeys;
use crate::node::{self, AgentState, Keeper, Node, Troubles};
use crate::report::post_status;
use crate::sds::SdsApi;
use crate::settings::{Adapters, Settings};
use crate::status::Stage;
use crate::sync::Follower;
use crate::workload::{Attestation, Endpoint, Limiter, Shared, WorkloadApi};

/// Runs an agent until `shutdown`, or until it cannot go on.
pub async fn run(
    settings: Settings,
    mut adapters: Adapters,
    clock: Clock,
    shutdown: CancellationToken,
) -> Result<(), AgentError> {
    adapters.keys = Arc::new(MeteredKeys(adapters.keys));
    let status = adapters.status.clone();
    status.enter(Stage::Attesting);
    let ended = tokio::select! {
        ended = live(settings, adapters, clock, shutdown.clone()) => ended,
        // Before the socket is there, nothing needs to be drained.
        () = before_serving(&status, &shutdown) => Ok(()),
    };
    status.enter(Stage::Stopping);
    if ended.is_ok() {
        tracing::info!("Agent stopped gracefully");
    }
    ended
}

async fn before_serving(status: &crate::AgentStatus, shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    if status.is_serving() {
        std::future::pending::<()>().await;
    }
}

async fn live(
    settings: Settings,
    adapters: Adapters,
    clock: Clock,
    shutdown: CancellationToken,
) -> Result<(), AgentError> {
    let data_dir = settings.data_dir.display().to_string();
    tracing::info!(data_dir, version = settings.version, "Starting agent");
    let state = Arc::new(AgentState::open(&settings.data_dir)?);
    let server = Server {
        address: Address { host: settings.server_address.clone(), port: settings.server_port },
        trust_domain: settings.trust_domain.clone(),
        trust: Arc::new(ArcSwap::from_pointee(BundleSet::default())),
        clock: clock.clone(),
    };
    let Node { identity, bundle } = node::start(&settings, &adapters, &server, &state).await?;
    warn_of_memory(&adapters, identity.own().reattestable);
    adapters.status.enter(Stage::Syncing);

    let identity = Arc::new(identity);
    let link = Arc::new(Link::new(server.clone(), identity.tls())?);
    let limits = Limits {
        x509: settings.x509_svid_cache_max_size,
        jwt: settings.jwt_svid_cache_max_size,
        target: settings.availability_target,
    };
    let cache = Arc::new(Cache::new(settings.trust_domain.clone(), &limits));
    cache.apply(Difference { bundles: vec![bundle], ..Difference::default() });
    adapters.status.identified(identity.tls(), cache.all_bundles());
    let (troubles, reported) = Troubles::new();
    let heard = Arc::new(Notify::new());
    let synced = watch::Sender::new(false);

    let keeper = Keeper {
        keys: adapters.keys.clone(),
        proof: adapters.proof.clone(),
        server,
        link: link.clone(),
        identity,
        state,
        target: settings.availability_target,
        troubles: reported,
        bundle: cache.watch_bundle(),
    };
    let follower = Follower {
        cache: cache.clone(),
        link: link.clone(),
        troubles: troubles.clone(),
        instance: *uuid::Uuid::new_v4().as_bytes(),
        version: settings.version.clone(),
        interval: settings.sync_interval,
        heard: heard.clone(),
        synced: synced.clone(),
    };
    let issuer = Issuer {
        cache: cache.clone(),
        link: link.clone(),
        troubles: troubles.clone(),
        clock: clock.clone(),
        key_type: settings.workload_key_type,
        heard,
    };
    let shared = Arc::new(Shared {
        cache: cache.clone(),
        wit: WitIssuer::new(
            cache.clone(),
            link.clone(),
            troubles.clone(),
            clock.clone(),
            settings.workload_key_type,
            settings.availability_target,
            settings.x509_svid_cache_max_size,
        ),
        wit_svids: settings.wit_svids,
        limiter: Limiter::new(settings.call_limits),
        jwt: JwtIssuer {
            cache,
            link: link.clone(),
            troubles,
            clock: clock.clone(),
            hit_timeout: settings.jwt_svid_cache_hit_timeout,
        },
        attestation: Attestation::new(adapters.attestors.clone()),
        clock,
        allow_unauthenticated_verifiers: settings.allow_unauthenticated_verifiers,
        allowed_foreign_jwt_claims: settings.allowed_foreign_jwt_claims.clone(),
        log_selectors: settings.log_selectors.clone(),
        calls: AtomicUsize::new(0),
        stop: shutdown.clone(),
    });
    let workload = settings.workload_api.then(|| WorkloadApi(shared.clone()));
    let sds = settings.sds.clone().map(|names| SdsApi::new(shared.clone(), names));
    let serve = async {
        // The socket appears when there is something to say.
        let _ = synced.subscribe().wait_for(|synced| *synced).await;
        if workload.is_none() && sds.is_none() {
            adapters.status.enter(Stage::Serving);
            shutdown.cancelled().await;
            return Ok(());
        }
        let endpoint = Endpoint::bind(&settings.socket_path, adapters.pin.clone())?;
        adapters.status.enter(Stage::Serving);
        endpoint.serve(workload, sds, shutdown.clone()).await
    };
    tokio::select! {
        ended = keeper.run() => ended,
        () = follower.run() => Ok(()),
        () = issuer.run() => Ok(()),
        () = post_status(&link, settings.version.clone(), synced.subscribe()) => Ok(()),
        ended = serve => ended,
    }
}

fn warn_of_memory(adapters: &Adapters, reattestable: bool) {
    if !reattestable && !adapters.keys.persistent() {
        tracing::warn!(
            "Node attestation is not reattestable and the '{}' key manager is in use; after a restart, the agent cannot \
             obtain a new SVID until it is evicted on the server",
            adapters.keys.name()
        );
    }
}
