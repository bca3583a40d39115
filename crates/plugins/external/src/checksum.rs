//! The program must be the one that the configuration names.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};

/// The SHA-256 that a program must have (`plugin_checksum`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum([u8; SHA256_OUTPUT_LEN]);

/// Why a program is not run.
#[derive(Debug, thiserror::Error)]
pub enum ChecksumError {
    /// The configured value is none.
    #[error("plugin_checksum must be the SHA-256 of the program, 64 hexadecimal digits")]
    Malformed,
    /// The program cannot be read.
    #[error("error verifying checksum: {0}")]
    Unreadable(#[source] std::io::Error),
    /// It is another program.
    #[error("checksums did not match: the program has SHA-256 {0}; was it replaced?")]
    Other(String),
}

impl Checksum {
    /// From 64 hexadecimal digits.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn parse(text: &str) -> Result<Self, ChecksumError> {
        let digits = text.as_bytes();
        let mut sum = [0; SHA256_OUTPUT_LEN];
        if digits.len() != 2 * sum.len() {
            return Err(ChecksumError::Malformed);
        }
        for (byte, pair) in sum.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| ChecksumError::Malformed)?;
            if !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(ChecksumError::Malformed);
            }
            *byte = u8::from_str_radix(pair, 16).map_err(|_| ChecksumError::Malformed)?;
        }
        Ok(Self(sum))
    }

    /// Reads the file and compares.
    pub(crate) fn check(self, file: &Path) -> Result<(), ChecksumError> {
        let found = of(file).map_err(ChecksumError::Unreadable)?;
        if found.as_ref() == self.0 {
            return Ok(());
        }
        let hex = found.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Err(ChecksumError::Other(hex))
    }
}

fn of(file: &Path) -> std::io::Result<aws_lc_rs::digest::Digest> {
    let mut file = File::open(file)?;
    let mut context = Context::new(&SHA256);
    let mut part = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut part)?;
        match part.get(..read) {
            Some(part) if !part.is_empty() => context.update(part),
            _ => return Ok(context.finish()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of `abc` (FIPS 180-4).
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_program_that_is_named_may_run_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("program");
        std::fs::write(&file, "abc").unwrap();
        for spelled in [ABC.to_owned(), ABC.to_uppercase()] {
            Checksum::parse(&spelled).unwrap().check(&file).unwrap();
        }
        std::fs::write(&file, "abd").unwrap();
        let refused = Checksum::parse(ABC).unwrap().check(&file).unwrap_err();
        assert!(matches!(refused, ChecksumError::Other(_)), "{refused}");
        let gone = Checksum::parse(ABC).unwrap().check(&folder.path().join("none")).unwrap_err();
        assert!(matches!(gone, ChecksumError::Unreadable(_)), "{gone}");
    }

    #[test]
    fn what_is_no_checksum_is_refused() {
        for bad in
            ["", "ab", &ABC[1..], &format!("{ABC}00"), &ABC.replace("ba", "+a"), &ABC.replace("ba", "é")]
        {
            assert!(Checksum::parse(bad).is_err(), "{bad}");
        }
    }
}
