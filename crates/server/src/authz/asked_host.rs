//! By what name a caller asked for this server.

/// The host of a request's `:authority`, which the caller chose and nobody has checked. A tonic request extension.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskedHost(String);

impl AskedHost {
    /// Out of a request's address; empty where none is named.
    pub(in crate::authz) fn of(uri: &http::Uri) -> Self {
        Self(uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned())
    }

    /// The name, or the address without brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_stands_without_port_and_brackets() {
        for (uri, host) in [
            ("https://spire.example.org:8081/a.B/C", "spire.example.org"),
            ("http://127.0.0.1:8081/a.B/C", "127.0.0.1"),
            ("http://[::1]:8081/a.B/C", "::1"),
            ("/a.B/C", ""),
        ] {
            assert_eq!(AskedHost::of(&uri.parse().unwrap()).as_str(), host, "{uri}");
        }
    }
}
