//! Where callers come in over the network. Each connection carries who is at its other end.

mod proxy;
mod tls;

pub(crate) use tls::accept_tls;

use std::future::Future;
use std::io;
use std::time::Duration;

/// How long to wait after a failed `accept`: running out of descriptors passes, and must not spin.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts for ever; a failure is logged and waited out.
async fn accept<T, F: Future<Output = io::Result<T>>>(what: &'static str, next: impl Fn() -> F) -> T {
    loop {
        match next().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(error = %error, listener = what, "A connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
