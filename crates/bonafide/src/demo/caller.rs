//! The program that greets.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use spiffe::SpiffeId;
use spiffe_tls::Authorize;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::MissedTickBehavior;
use tokio_rustls::TlsConnector;

use super::identity::Shown;
use super::{tell, wire};
use crate::start::{self, Failure};

const PACE: Duration = Duration::from_secs(1);

/// Greets `peer` once a second, for ever: each time on a new connection, so that each handshake shows the SVID of the
/// moment.
pub(super) async fn call(address: &str, peer: &SpiffeId, shown: &Shown) -> Result<(), Failure> {
    let connector = connector(peer, shown)?;
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        // Until the first identity came there is nothing to show.
        let Some(own) = shown.svid() else { continue };
        match wire::within(greet(&connector, address, shown)).await {
            Ok((peer, answer)) => tell::greeting(shown.now(), &own, &peer, &answer),
            Err(failure) => {
                tell::trouble(shown.now(), &format!("a greeting failed: {}", start::chain(&*failure)))
            }
        }
    }
}

/// Connects to `peer` alone.
pub(super) fn connector(peer: &SpiffeId, shown: &Shown) -> Result<TlsConnector, Failure> {
    let (identity, bundles) = (shown.identity.clone(), shown.bundles.clone());
    let whom = Authorize::Id(peer.clone());
    let config = spiffe_tls::client_config(Some(identity), bundles, whom, shown.now.clone())?;
    Ok(TlsConnector::from(Arc::new(config)))
}

/// One greeting: who answered, and what.
pub(super) async fn greet(
    connector: &TlsConnector,
    address: &str,
    shown: &Shown,
) -> Result<(spiffe::x509::VerifiedSvid, String), Failure> {
    let stream =
        TcpStream::connect(address).await.map_err(|e| format!("cannot connect to {address}: {e}"))?;
    // Neither sent nor looked at: it is the SPIFFE ID that counts.
    let name = ServerName::try_from("greeter.invalid")?;
    let mut tls = connector.connect(name, stream).await?;
    let peer = wire::peer(shown, tls.get_ref().1.peer_certificates())?;
    wire::say(&mut tls, "Good day").await?;
    let answer = wire::hear(&mut tls).await?;
    let _ = tls.shutdown().await;
    Ok((peer, answer))
}
