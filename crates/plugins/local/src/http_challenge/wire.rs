//! The JSON that the two halves exchange.

/// The largest message that is read, in bytes.
pub(super) const MAX_MESSAGE: usize = 4 * 1024;

/// What the agent opens with: where it can be reached.
#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Payload {
    #[serde(default)]
    pub(super) hostname: String,
    #[serde(default)]
    pub(super) agentname: String,
    #[serde(default)]
    pub(super) port: i64,
}

/// What the server wants to find there: 32 random bytes in the alphabet of base64 for URLs, padded.
#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Challenge {
    #[serde(default)]
    pub(super) nonce: String,
}

/// What the agent answers once it is ready to be asked: SPIRE wants it not to be empty, and nobody looks at it.
pub(super) const READY: &[u8] = b"\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_print_as_spire_prints_them() {
        let payload = Payload { hostname: "a.example".to_owned(), agentname: "default".to_owned(), port: 80 };
        let printed = serde_json::to_string(&payload).unwrap();
        assert_eq!(printed, r#"{"hostname":"a.example","agentname":"default","port":80}"#);
        let printed = serde_json::to_string(&Challenge { nonce: "x_-=".to_owned() }).unwrap();
        assert_eq!(printed, r#"{"nonce":"x_-="}"#);
    }
}
