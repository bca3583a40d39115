//! The one line that a plugin prints when it serves.

use std::net::SocketAddr;
use std::path::PathBuf;

/// The version of go-plugin's own protocol.
const CORE: &str = "1";
/// The version of SPIRE's protocol over it.
pub(crate) const PROTOCOL: &str = "1";
/// The longest line that is taken.
pub(crate) const MAX_LINE: usize = 4096;
/// The longest path that a Unix socket can have.
const MAX_PATH: usize = 108;

/// Where a plugin serves: `1|1|unix|/path/of/socket|grpc|`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// On a Unix socket.
    Unix(PathBuf),
    /// On this machine's loopback.
    Tcp(SocketAddr),
}

/// Why the line is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// It is another program's.
    #[error("unrecognized remote plugin message: {0:?}; is the program a SPIRE plugin of this type?")]
    Unrecognized(String),
    /// It speaks another version.
    #[error(
        "incompatible {what} version: the plugin has {found:?}, wanted is {wanted:?}; the plugin has to be recompiled"
    )]
    Version {
        /// Of which protocol.
        what: &'static str,
        /// The plugin's.
        found: String,
        /// Ours.
        wanted: &'static str,
    },
    /// It does not speak gRPC.
    #[error("unsupported plugin protocol {0:?}; only grpc is spoken here")]
    Protocol(String),
    /// Its address is of no use.
    #[error("unusable address {0:?}: wanted is a Unix socket, or a TCP port on the loopback interface")]
    Address(String),
    /// It wants TLS, which was not offered.
    #[error("the plugin wants mutual TLS, which was not asked of it")]
    Tls,
}

impl Handshake {
    /// Reads the line.
    ///
    /// # Errors
    /// When it is not that of a plugin that can be spoken with.
    pub fn parse(line: &str) -> Result<Self, HandshakeError> {
        let shown = || line.chars().take(200).collect::<String>();
        let parts: Vec<&str> = line.trim().split('|').collect();
        let [core, protocol, network, address, rest @ ..] = parts.as_slice() else {
            return Err(HandshakeError::Unrecognized(shown()));
        };
        // Like Go's Atoi, which is what go-plugin reads them with.
        let same = |found: &str, wanted: &str| found.parse::<i64>().ok() == wanted.parse().ok();
        if core.parse::<i64>().is_err() {
            return Err(HandshakeError::Unrecognized(shown()));
        }
        for (what, found, wanted) in [("core", core, CORE), ("protocol", protocol, PROTOCOL)] {
            if !same(found, wanted) {
                return Err(HandshakeError::Version {
                    what,
                    found: found.chars().take(20).collect(),
                    wanted,
                });
            }
        }
        // Without a fifth part it is net/rpc.
        let spoken = rest.first().copied().unwrap_or("netrpc");
        if spoken != "grpc" {
            return Err(HandshakeError::Protocol(spoken.chars().take(20).collect()));
        }
        // Older implementations have other things here, which are short.
        if rest.get(1).is_some_and(|certificate| certificate.len() > 50) {
            return Err(HandshakeError::Tls);
        }
        let unusable = || HandshakeError::Address(format!("{network} {address}").chars().take(200).collect());
        match *network {
            "unix" if !address.is_empty() && address.len() < MAX_PATH => Ok(Self::Unix(address.into())),
            "tcp" => {
                let address: SocketAddr = address.parse().map_err(|_| unusable())?;
                address.ip().is_loopback().then_some(Self::Tcp(address)).ok_or_else(unusable)
            }
            _ => Err(unusable()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_plugin_tells_where_it_serves() {
        for line in [
            "1|1|unix|/tmp/plugin123|grpc|",
            "1|1|unix|/tmp/plugin123|grpc\n",
            " 01|1|unix|/tmp/plugin123|grpc||true",
        ] {
            assert_eq!(Handshake::parse(line), Ok(Handshake::Unix("/tmp/plugin123".into())), "{line}");
        }
        let tcp = Handshake::parse("1|1|tcp|127.0.0.1:1234|grpc|").unwrap();
        assert_eq!(tcp, Handshake::Tcp(([127, 0, 0, 1], 1234).into()));
    }

    #[test]
    fn any_other_line_is_refused_with_what_is_wrong() {
        for (line, wanted) in [
            ("", "unrecognized"),
            ("This binary is a plugin", "unrecognized"),
            ("a|b|c|d|e", "unrecognized"),
            ("2|1|unix|/a|grpc", "core version"),
            ("1|3|unix|/a|grpc", "protocol version"),
            ("1|1|unix|/a", "\"netrpc\""),
            ("1|1|unix|/a|netrpc", "only grpc"),
            ("1|1|unix||grpc", "unusable address"),
            ("1|1|tcp|10.0.0.1:5|grpc", "loopback"),
            ("1|1|tcp|localhost:5|grpc", "unusable address"),
            ("1|1|udp|127.0.0.1:5|grpc", "unusable address"),
        ] {
            let refused = Handshake::parse(line).unwrap_err().to_string();
            assert!(refused.contains(wanted), "{line:?}: {refused}");
        }
        let long = format!("1|1|unix|/{}|grpc", "a".repeat(200));
        assert!(Handshake::parse(&long).is_err());
        let tls = format!("1|1|unix|/a|grpc|{}", "M".repeat(60));
        assert_eq!(Handshake::parse(&tls), Err(HandshakeError::Tls));
    }
}
