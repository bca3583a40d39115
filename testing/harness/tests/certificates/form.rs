//! The form of what is signed: everything but what differs each time, so that two servers' can be compared.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use spiffe::x509::Certificate;

/// A certificate as lines: tags with their values in order, and how long it lives.
pub(crate) fn of_certificate(der: &[u8]) -> Vec<String> {
    let certificate = Certificate::parse(der.to_vec()).unwrap();
    let mut lines = Vec::new();
    walk(der, 0, &mut lines);
    lines.push(format!("lives {}", rounded(life(&certificate))));
    lines
}

/// From its beginning to its end.
pub(crate) fn life(certificate: &Certificate) -> Duration {
    certificate.not_after().duration_since(certificate.not_before()).unwrap()
}

/// A machine under load takes a moment between two looks at the clock; both ends are whole seconds.
fn rounded(life: Duration) -> String {
    format!("about {} seconds", (life.as_secs() + 2) / 5 * 5)
}

/// A token as its header and claims, without the name of the key, the moments and what is random.
pub(crate) fn of_token(token: &str) -> Vec<String> {
    let parts: Vec<&str> = token.split('.').collect();
    let part =
        |at: usize| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[at]).unwrap()).unwrap() };
    let (mut header, mut claims) = (part(0), part(1));
    header["kid"] = json!(header["kid"].as_str().unwrap().len());
    let life = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
    claims["exp"] = json!(rounded(Duration::from_secs(life)));
    claims["iat"] = json!("now");
    vec![header.to_string(), claims.to_string()]
}

/// Walks DER; false if it is none. What is of a fixed meaning is kept, keys, signatures, hashes and numbers are not.
fn walk(mut der: &[u8], depth: usize, lines: &mut Vec<String>) -> bool {
    let indent = " ".repeat(depth);
    while !der.is_empty() {
        let Some((tag, value, rest)) = split(der) else { return false };
        der = rest;
        match tag {
            constructed if constructed & 0x20 != 0 => {
                lines.push(format!("{indent}{tag:02x}"));
                if !walk(value, depth + 1, lines) {
                    return false;
                }
            }
            // An extension's value is DER; a key identifier is not.
            0x04 if value.len() != 20 && split(value).is_some_and(|(_, _, rest)| rest.is_empty()) => {
                lines.push(format!("{indent}OCTET STRING"));
                walk(value, depth + 1, lines);
            }
            0x04 | 0x80 if value.len() == 20 => lines.push(format!("{indent}{tag:02x} hash")),
            0x02 if value.len() > 4 => lines.push(format!("{indent}number")),
            0x03 if value.len() > 4 => lines.push(format!("{indent}bits")),
            0x17 | 0x18 => lines.push(format!("{indent}{tag:02x} moment")),
            0x0c | 0x13 | 0x82 | 0x86 => lines.push(format!("{indent}{tag:02x} {}", text(value))),
            _ => lines.push(format!("{indent}{tag:02x} {value:02x?}")),
        }
    }
    true
}

/// A text without what is drawn anew: the serial number in a name, the token in an agent's.
fn text(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value).into_owned();
    match text.split_once("/join_token/") {
        Some((before, _)) => format!("{before}/join_token/…"),
        None if text.len() > 20 && text.bytes().all(|byte| byte.is_ascii_digit()) => "digits".to_owned(),
        None => text,
    }
}

/// Tag, value and what follows.
fn split(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        short if short < 0x80 => (usize::from(short), rest),
        long => {
            let (bytes, rest) =
                rest.split_at_checked(usize::from(long & 0x7f)).filter(|(b, _)| b.len() < 4)?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((tag, value, rest))
}
