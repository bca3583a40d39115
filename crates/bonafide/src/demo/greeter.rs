//! The program that answers greetings.

use std::sync::Arc;

use spiffe::SpiffeId;
use spiffe_tls::{Authorize, ClientAuth};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::identity::Shown;
use super::{tell, wire};
use crate::start::{self, Failure};

/// Never more greetings at once.
const MOST: usize = 16;

/// Answers `peer`, and nobody else, for ever.
pub(super) async fn serve(address: &str, peer: &SpiffeId, shown: &Shown) -> Result<(), Failure> {
    let listener =
        TcpListener::bind(address).await.map_err(|e| format!("cannot listen on {address}: {e}"))?;
    tell::listening(listener.local_addr()?);
    accept(listener, peer, shown).await
}

/// The same on a listener that is there already.
pub(super) async fn accept(listener: TcpListener, peer: &SpiffeId, shown: &Shown) -> Result<(), Failure> {
    let only = ClientAuth::Require(Authorize::Id(peer.clone()));
    let (identity, bundles) = (shown.identity.clone(), shown.bundles.clone());
    let config = spiffe_tls::server_config(identity, bundles, only, shown.now.clone())?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let mut open = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        while open.len() >= MOST {
            open.join_next().await;
        }
        let (acceptor, shown) = (acceptor.clone(), shown.clone());
        open.spawn(async move {
            if let Err(failure) = wire::within(answer(&acceptor, stream, &shown)).await {
                tell::trouble(shown.now(), &format!("a greeting failed: {}", start::chain(&*failure)));
            }
        });
    }
}

async fn answer(acceptor: &TlsAcceptor, stream: TcpStream, shown: &Shown) -> Result<(), Failure> {
    let mut tls = acceptor.accept(stream).await?;
    let caller = wire::peer(shown, tls.get_ref().1.peer_certificates())?;
    let said = wire::hear(&mut tls).await?;
    wire::say(&mut tls, &format!("{said} to you too, {}", caller.id().path())).await?;
    tls.shutdown().await?;
    Ok(())
}
