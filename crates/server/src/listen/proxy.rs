//! Clients behind load balancers that speak the PROXY protocol.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use kit::cidr::Cidr;
use kit::proxy_protocol::{Beginning, read};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// Room for the longest header that is taken.
const ROOM: usize = 4096;

/// How long a header may take to come.
const HEADER: Duration = Duration::from_secs(3);

/// Where the client is: what a trusted load balancer says, or where the connection comes from. A header by anybody else
/// ends the connection, since it could only be a lie. The header's bytes are taken off the stream.
pub(super) async fn client(
    stream: &mut TcpStream,
    peer: SocketAddr,
    trusted: &[Cidr],
) -> io::Result<SocketAddr> {
    if trusted.is_empty() {
        return Ok(peer);
    }
    // Whoever closes within the header is not told from whoever is slow: what is peeked at stays.
    match tokio::time::timeout(HEADER, told(stream, peer, trusted)).await {
        Ok(client) => client,
        Err(_) => Err(io::Error::other("the PROXY protocol header did not come whole in time")),
    }
}

async fn told(stream: &mut TcpStream, peer: SocketAddr, trusted: &[Cidr]) -> io::Result<SocketAddr> {
    let mut room = [0; ROOM];
    let mut seen = 0;
    loop {
        let beginning = read(room.get(..seen).unwrap_or_default()).map_err(io::Error::other)?;
        let (length, told) = match beginning {
            Beginning::None => return Ok(peer),
            Beginning::Header { length, client } => (length, client),
            Beginning::Short if seen == ROOM => return Err(io::Error::other("a header that does not end")),
            Beginning::Short => {
                seen = more(stream, &mut room, seen).await?;
                continue;
            }
        };
        if !trusted.iter().any(|network| network.contains(peer.ip())) {
            return Err(io::Error::other("a PROXY protocol header by someone who is not trusted with it"));
        }
        let header = room.get_mut(..length).ok_or_else(|| io::Error::other("a header that does not end"))?;
        stream.read_exact(header).await?;
        return Ok(told.unwrap_or(peer));
    }
}

/// Looks at the bytes without taking them, until there are more than were seen.
async fn more(stream: &TcpStream, room: &mut [u8], seen: usize) -> io::Result<usize> {
    loop {
        match stream.peek(room).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            found if found > seen => return Ok(found),
            // Nothing new yet: a peek does not wait for more than there is.
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    /// What is found out of a connection that begins so, and what is left of it.
    async fn found(parts: &'static [&'static str], trusted: &[&str]) -> io::Result<(SocketAddr, String)> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            for part in parts {
                stream.write_all(part.as_bytes()).await.unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        });
        let (mut stream, peer) = listener.accept().await.unwrap();
        let trusted: Vec<Cidr> = trusted.iter().map(|text| Cidr::parse(text).unwrap()).collect();
        let client = client(&mut stream, peer, &trusted).await?;
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await?;
        Ok((client, rest))
    }

    #[tokio::test]
    async fn a_trusted_load_balancer_is_believed_where_its_client_is() {
        let parts = &["PROXY TCP4 192.0.2.9 ", "192.0.2.2 5000 1\r", "\nhello"];
        let (client, rest) = found(parts, &["10.0.0.0/8", "127.0.0.0/8"]).await.unwrap();
        assert_eq!((client.to_string().as_str(), rest.as_str()), ("192.0.2.9:5000", "hello"));
        let (client, rest) = found(&["PROXY UNKNOWN\r\nhello"], &["127.0.0.1"]).await.unwrap();
        assert!(client.ip().is_loopback() && rest == "hello");
    }

    #[tokio::test]
    async fn a_connection_without_header_is_its_own_client() {
        for trusted in [&[][..], &["127.0.0.1"], &["10.0.0.0/8"]] {
            let (client, rest) = found(&["hello"], trusted).await.unwrap();
            assert!(client.ip().is_loopback() && rest == "hello");
        }
    }

    #[tokio::test]
    async fn a_header_by_anybody_else_ends_the_connection() {
        assert!(found(&["PROXY TCP4 192.0.2.9 192.0.2.2 1 1\r\nhello"], &["10.0.0.0/8"]).await.is_err());
        assert!(found(&["PROXY nonsense\r\n"], &["127.0.0.1"]).await.is_err());
        assert!(
            found(&["PROXY TCP4"], &["127.0.0.1"]).await.is_err(),
            "the connection ends within the header"
        );
        // Without trusted load balancers the protocol is not spoken, and the bytes are the TLS layer's to refuse.
        let (_, rest) = found(&["PROXY UNKNOWN\r\n"], &[]).await.unwrap();
        assert_eq!(rest, "PROXY UNKNOWN\r\n");
    }
}
