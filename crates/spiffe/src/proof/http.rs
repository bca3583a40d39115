//! What a proof needs to know of an HTTP message, whatever library carries it.

/// What a message travels over. Tokens that whoever reads them could use, or use for a while, need one that others cannot
/// read (JWT-SVID §7.3, WIT-SVID §7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// TLS whose server was authenticated.
    Tls,
    /// A link that does not leave the machine, such as a Unix socket.
    Local,
    /// Anything else.
    Cleartext,
}
