//! PEM (RFC 7468), as far as certificates and unencrypted keys need it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The label of certificates.
pub const CERTIFICATE: &str = "CERTIFICATE";
/// The label of PKCS#8 keys.
pub const PRIVATE_KEY: &str = "PRIVATE KEY";

/// The longest input, in bytes.
const MAX_INPUT: usize = 16 << 20;
/// The most blocks of one input.
const MAX_BLOCKS: usize = 10_000;

/// Why a PEM text is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum PemError {
    #[error("the input is {0} bytes long; at most 16 MiB are accepted")]
    TooLarge(usize),
    #[error("the input has more than 10,000 blocks")]
    TooMany,
    #[error("no PEM block was found: expected a line -----BEGIN {0}-----")]
    Empty(String),
    #[error("block {block} begins with {label} and does not end")]
    Unfinished { block: usize, label: String },
    #[error("block {block} ({label}) is not base64")]
    Base64 { block: usize, label: String },
    #[error("block {block} is of type {found}; expected {expected}")]
    Unexpected { block: usize, found: String, expected: String },
}

/// One block: its label and its bytes, wiped when dropped since they may be a key.
#[derive(Clone)]
pub struct Block {
    /// What stands after BEGIN.
    pub label: String,
    /// The decoded bytes.
    pub der: Zeroizing<Vec<u8>>,
}

/// All blocks of a text; what stands between them is passed over.
pub fn decode(text: &str) -> Result<Vec<Block>, PemError> {
    if text.len() > MAX_INPUT {
        return Err(PemError::TooLarge(text.len()));
    }
    let mut blocks = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let Some(label) = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----")) else {
            continue;
        };
        let block = blocks.len() + 1;
        if block > MAX_BLOCKS {
            return Err(PemError::TooMany);
        }
        let end = format!("-----END {label}-----");
        let mut base64 = Zeroizing::new(String::new());
        loop {
            let line = lines.next().ok_or_else(|| PemError::Unfinished { block, label: label.to_owned() })?;
            if line == end {
                break;
            }
            // Headers (RFC 1421) are passed over; encrypted keys fail as not base64 or not PKCS#8.
            if !line.contains(':') {
                base64.push_str(line);
            }
        }
        let der = STANDARD
            .decode(base64.as_bytes())
            .map_err(|_| PemError::Base64 { block, label: label.to_owned() })?;
        blocks.push(Block { label: label.to_owned(), der: Zeroizing::new(der) });
    }
    Ok(blocks)
}

/// The blocks of a text that must all be of this label, at least one.
pub fn decode_all(text: &str, label: &str) -> Result<Vec<Block>, PemError> {
    let blocks = decode(text)?;
    if blocks.is_empty() {
        return Err(PemError::Empty(label.to_owned()));
    }
    for (index, block) in blocks.iter().enumerate() {
        if block.label != label {
            return Err(PemError::Unexpected {
                block: index + 1,
                found: block.label.clone(),
                expected: label.to_owned(),
            });
        }
    }
    Ok(blocks)
}

/// One block, with a newline at its end.
pub fn encode(label: &str, der: &[u8]) -> String {
    let base64 = Zeroizing::new(STANDARD.encode(der));
    let mut text = String::with_capacity(base64.len() + base64.len() / 64 + 64);
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_decodes() {
        for length in [0, 1, 47, 48, 49, 1000] {
            let der = vec![7; length];
            let text = format!("noise\n{}{}", encode(CERTIFICATE, &der), encode(PRIVATE_KEY, b"k"));
            let blocks = decode(&text).unwrap();
            assert_eq!((blocks[0].label.as_str(), blocks[0].der.as_slice()), (CERTIFICATE, der.as_slice()));
            assert_eq!(blocks[1].der.as_slice(), b"k");
        }
    }

    #[test]
    fn broken_blocks_are_named() {
        assert_eq!(decode_all("", CERTIFICATE).err(), Some(PemError::Empty("CERTIFICATE".into())));
        let cut = "-----BEGIN CERTIFICATE-----\nAAAA\n";
        assert!(matches!(decode(cut), Err(PemError::Unfinished { block: 1, .. })));
        let bad = "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----";
        assert!(matches!(decode(bad), Err(PemError::Base64 { block: 1, .. })));
        assert!(matches!(
            decode_all(&encode(PRIVATE_KEY, b"k"), CERTIFICATE),
            Err(PemError::Unexpected { block: 1, .. })
        ));
    }
}
