//! What a proof needs to know of an HTTP message, whatever library carries it.

/// The most header fields that are looked at.
pub const MAX_FIELDS: usize = 256;
/// The most bytes that the names and values of all header fields may have together.
pub const MAX_HEADER: usize = 256 * 1024;

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

/// A request as it was received, or as it is about to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method, in its case.
    pub method: &'a str,
    /// The request target as it stands in the request line (RFC 9112 §3.2), such as `/path?query`; in HTTP/2 and 3 that is
    /// `:path`.
    pub target: &'a str,
    /// The header fields in their order: names in any case, values without line breaks.
    pub fields: &'a [(&'a str, &'a str)],
    /// The whole body; empty if there is none.
    pub body: &'a [u8],
    /// What it travels over.
    pub channel: Channel,
}

/// A response as it was received, or as it is about to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Response<'a> {
    /// The status code.
    pub status: u16,
    /// The header fields in their order: names in any case, values without line breaks.
    pub fields: &'a [(&'a str, &'a str)],
    /// The whole body; empty if there is none.
    pub body: &'a [u8],
    /// What it travels over.
    pub channel: Channel,
}

/// Why the header of a message is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Too many fields.
    #[error("the message has more than 256 header fields")]
    TooMany,
    /// Too many bytes.
    #[error("the message's header is larger than 256 KiB")]
    TooLarge,
    /// A field that may stand there once stands there more often.
    #[error("the message has several fields {0}")]
    Several(&'static str),
}

/// The header fields of a message, with a bound on them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a>(&'a [(&'a str, &'a str)]);

impl<'a> Fields<'a> {
    pub(crate) fn new(fields: &'a [(&'a str, &'a str)]) -> Result<Self, HeaderError> {
        if fields.len() > MAX_FIELDS {
            return Err(HeaderError::TooMany);
        }
        match fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() <= MAX_HEADER {
            true => Ok(Self(fields)),
            false => Err(HeaderError::TooLarge),
        }
    }

    /// The values of all fields of that name, without the white space around them.
    pub(crate) fn all(self, name: &str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(field, _)| field.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim_matches([' ', '\t']))
    }

    /// Whether there is one of that name.
    pub(crate) fn has(self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// The value of the field of that name, of which there may be one.
    pub(crate) fn one(self, name: &'static str) -> Result<Option<&'a str>, HeaderError> {
        let mut all = self.all(name);
        match (all.next(), all.next()) {
            (value, None) => Ok(value),
            _ => Err(HeaderError::Several(name)),
        }
    }
}
