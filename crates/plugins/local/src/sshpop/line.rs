//! Keys and certificates in text, one a line: `authorized_keys`, `ssh_host_…_key.pub`, `…-cert.pub`.

use base64::prelude::{BASE64_STANDARD, Engine};

use super::read::Reader;

/// Why a line holds no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    /// There is none to be seen.
    #[error("ssh: no key found")]
    NoKey,
    /// The type that stands in front is not that of the key.
    #[error("the key's type is written as {0:?}, which it is not")]
    Type(String),
}

/// The bytes of the first key in a text. Options may stand before it; comments, empty lines and what is behind it are
/// passed over.
pub(super) fn first_key(text: &str) -> Result<Vec<u8>, LineFault> {
    let mut fault = LineFault::NoKey;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        for candidate in [Some(line), without_options(line)].into_iter().flatten() {
            match key(candidate) {
                Ok(blob) => return Ok(blob),
                Err(LineFault::NoKey) => {}
                Err(other) => fault = other,
            }
        }
    }
    Err(fault)
}

/// The key of `TYPE BASE64 COMMENT`.
fn key(line: &str) -> Result<Vec<u8>, LineFault> {
    let mut words = line.split_ascii_whitespace();
    let (Some(key_type), Some(encoded)) = (words.next(), words.next()) else { return Err(LineFault::NoKey) };
    let blob = BASE64_STANDARD.decode(encoded).map_err(|_| LineFault::NoKey)?;
    match Reader::new(&blob).string() {
        Ok(own) if own == key_type.as_bytes() => Ok(blob),
        Ok(_) => Err(LineFault::Type(key_type.to_owned())),
        Err(_) => Err(LineFault::NoKey),
    }
}

/// What is behind the first word, in which white space may be quoted.
fn without_options(line: &str) -> Option<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let end = line.find(|letter: char| {
        quoted ^= letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        !quoted && letter.is_ascii_whitespace()
    })?;
    line.get(end..).map(str::trim_start)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPLVOycpKi/dx3a3Sq9C5v6CNVqI6s/J89278NUCo7Q9";

    #[test]
    fn a_key_is_found_among_what_may_stand_beside_it() {
        let blob = first_key(KEY).unwrap();
        assert_eq!(blob.len(), 51);
        for text in [
            format!("# a comment\n\n  {KEY} of somebody\n"),
            format!("cert-authority,principals=\"a \\\" b\" {KEY}"),
            format!("nonsense\r\n{KEY}\r\n"),
        ] {
            assert_eq!(first_key(&text).as_ref(), Ok(&blob), "{text}");
        }
    }

    #[test]
    fn what_is_no_key_says_so() {
        for text in ["", "bad authority", "ssh-ed25519", "ssh-ed25519 !!!!", "ssh-ed25519 AAAA"] {
            assert_eq!(first_key(text), Err(LineFault::NoKey), "{text}");
        }
        let other = KEY.replace("ssh-ed25519", "ssh-rsa");
        assert_eq!(first_key(&other), Err(LineFault::Type("ssh-rsa".to_owned())));
    }
}
