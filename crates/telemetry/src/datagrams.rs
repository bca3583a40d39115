//! Lines on their way to a daemon by datagrams. Whoever says a line never waits: what does not fit is dropped.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::net::{UdpSocket, UnixDatagram};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval};
use tokio_util::sync::CancellationToken;

/// How many lines may wait.
const QUEUE: usize = 4096;
/// The most bytes of one datagram: what fits into an Ethernet frame.
const DATAGRAM: usize = 1400;
/// How long a line waits for others.
const FLUSH: Duration = Duration::from_millis(100);
/// How long to wait after a failure; lines are dropped meanwhile.
const PAUSE: Duration = Duration::from_secs(5);
/// How often a failure is told.
const TELL: Duration = Duration::from_secs(300);

/// Where a daemon listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `host:port`, by UDP. The name is resolved anew after a failure.
    Udp(String),
    /// A Unix datagram socket.
    Unix(PathBuf),
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Udp(address) => f.write_str(address),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

/// Takes lines, each with its end.
#[derive(Clone)]
pub(crate) struct Lines(mpsc::Sender<String>);

impl Lines {
    pub(crate) fn say(&self, line: String) {
        // Full or closed: nobody waits for a daemon.
        let _ = self.0.try_send(line);
    }
}

/// Lines, and the task that sends them to `address` until `stop`.
pub(crate) fn sender(
    what: &'static str,
    address: Address,
    stop: CancellationToken,
) -> (Lines, impl Future<Output = ()> + Send) {
    let (lines, mut queue) = mpsc::channel(QUEUE);
    let task = async move {
        let mut told: Option<Instant> = None;
        loop {
            let error = tokio::select! {
                error = send(&address, &mut queue) => error,
                () = stop.cancelled() => return,
            };
            let Err(error) = error else { return };
            if told.is_none_or(|told| told.elapsed() >= TELL) {
                told = Some(Instant::now());
                tracing::warn!(address = %address, error = %error, "{what} does not take metrics; dropping them and trying again");
            }
            tokio::select! {
                () = drop_all(&mut queue) => {}
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.cancelled() => return,
            }
        }
    };
    (Lines(lines), task)
}

async fn drop_all(queue: &mut mpsc::Receiver<String>) {
    while queue.recv().await.is_some() {}
}

enum Socket {
    Udp(UdpSocket),
    Unix(UnixDatagram),
}

impl Socket {
    async fn open(address: &Address) -> io::Result<Self> {
        match address {
            Address::Unix(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(path)?;
                Ok(Self::Unix(socket))
            }
            Address::Udp(address) => {
                let mut last = io::Error::other("the name resolves to nothing");
                for peer in tokio::net::lookup_host(address).await? {
                    let any = if peer.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                    let socket = UdpSocket::bind(any).await?;
                    match socket.connect(peer).await {
                        Ok(()) => return Ok(Self::Udp(socket)),
                        Err(error) => last = error,
                    }
                }
                Err(last)
            }
        }
    }

    async fn send(&self, datagram: &[u8]) -> io::Result<()> {
        match self {
            Self::Udp(socket) => socket.send(datagram).await.map(|_| ()),
            Self::Unix(socket) => socket.send(datagram).await.map(|_| ()),
        }
    }
}

/// Sends what comes; `Ok` once nothing can come any more.
async fn send(address: &Address, queue: &mut mpsc::Receiver<String>) -> io::Result<()> {
    let socket = Socket::open(address).await?;
    let mut flush = interval(FLUSH);
    let mut datagram = String::with_capacity(DATAGRAM);
    loop {
        tokio::select! {
            line = queue.recv() => {
                let Some(line) = line else { return Ok(()) };
                if datagram.len() + line.len() > DATAGRAM && !datagram.is_empty() {
                    socket.send(datagram.as_bytes()).await?;
                    datagram.clear();
                }
                datagram.push_str(&line);
            }
            _ = flush.tick() => {
                if !datagram.is_empty() {
                    socket.send(datagram.as_bytes()).await?;
                    datagram.clear();
                }
            }
        }
    }
}

/// Sends one datagram of bytes, for senders that gather their own.
pub(crate) struct Once(Option<Socket>);

impl Once {
    pub(crate) fn new() -> Self {
        Self(None)
    }

    /// Sends it, opening the socket if need be; after a failure it is opened anew.
    pub(crate) async fn send(&mut self, address: &Address, datagram: &[u8]) -> io::Result<()> {
        let socket = match self.0.take() {
            Some(socket) => socket,
            None => Socket::open(address).await?,
        };
        socket.send(datagram).await?;
        self.0 = Some(socket);
        Ok(())
    }
}
