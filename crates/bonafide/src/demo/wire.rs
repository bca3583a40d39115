//! One greeting on the wire: a line there, a line back.

use std::time::Duration;

use rustls::pki_types::CertificateDer;
use spiffe::x509::VerifiedSvid;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

use super::identity::Shown;
use crate::start::Failure;

/// A greeting that takes longer is given up.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// No line is longer.
const LONGEST: u64 = 4096;

/// Writes a line.
pub(super) async fn say(stream: &mut (impl AsyncWrite + Unpin), line: &str) -> Result<(), Failure> {
    stream.write_all(format!("{line}\n").as_bytes()).await?;
    Ok(stream.flush().await?)
}

/// Reads a line.
pub(super) async fn hear(stream: &mut (impl AsyncRead + Unpin)) -> Result<String, Failure> {
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST)).read_line(&mut line).await?;
    match line.strip_suffix('\n') {
        Some(line) => Ok(line.to_owned()),
        None => Err("the other side closed before its line ended".into()),
    }
}

/// Who the other side has proved to be. The handshake has verified it already; this reads what it verified.
pub(super) fn peer(shown: &Shown, chain: Option<&[CertificateDer<'_>]>) -> Result<VerifiedSvid, Failure> {
    let chain = chain.ok_or("the other side showed no certificate")?;
    Ok(spiffe_tls::peer_svid(chain, &shown.bundles.load(), shown.now())?)
}

/// The outcome, unless it takes too long.
pub(super) async fn within<T>(exchange: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::time::timeout(PATIENCE, exchange).await.map_err(|_| "no answer within five seconds")?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_arrives_as_it_was_said() {
        let (mut here, mut there) = tokio::io::duplex(64);
        say(&mut here, "good day").await.unwrap();
        assert_eq!(hear(&mut there).await.unwrap(), "good day");
    }

    #[tokio::test]
    async fn a_line_that_breaks_off_is_no_line() {
        let (mut here, mut there) = tokio::io::duplex(64);
        here.write_all(b"good").await.unwrap();
        drop(here);
        assert!(hear(&mut there).await.is_err());
    }
}
