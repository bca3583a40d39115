//! Revocation lists with any content (RFC 5280 §5).

use super::certificate::{Certificate, assemble, key_id};
use super::der::{integer, sequence, sequence_of, tlv};
use super::extension::{authority_key_id, extension};
use super::key::signature_algorithm;
use super::moment::{HOUR, NOW, time};

/// A list to be made; each part can be set to anything.
#[derive(Debug, Clone)]
pub struct Crl {
    /// The serial numbers that are revoked, each with the extensions of its entry.
    pub revoked: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
    /// In seconds since 1970.
    pub this_update: i64,
    /// In seconds since 1970; a list should say when the next one comes.
    pub next_update: Option<i64>,
    /// Its extensions beside the identifier of the issuer's key.
    pub extensions: Vec<Vec<u8>>,
    /// The version as written: 1 is version 2.
    pub version: u8,
}

impl Crl {
    /// A proper list: made an hour ago, good for an hour to come.
    pub fn of(revoked: &[&[u8]]) -> Self {
        Self {
            revoked: revoked.iter().map(|serial| (serial.to_vec(), Vec::new())).collect(),
            this_update: NOW - HOUR,
            next_update: Some(NOW + HOUR),
            extensions: vec![number(1)],
            version: 1,
        }
    }

    /// With more extensions.
    pub fn extended(mut self, extensions: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.extensions.extend(extensions);
        self
    }

    /// From one moment to another.
    pub fn between(mut self, this_update: i64, next_update: Option<i64>) -> Self {
        (self.this_update, self.next_update) = (this_update, next_update);
        self
    }

    /// Signed by an authority.
    pub fn signed_by(&self, issuer: &Certificate) -> Vec<u8> {
        self.signed_as(issuer, issuer)
    }

    /// In one authority's name by the key of another.
    pub fn signed_as(&self, named: &Certificate, signer: &Certificate) -> Vec<u8> {
        let scheme = signer.key.usual();
        let entries: Vec<Vec<u8>> =
            self.revoked.iter().map(|(serial, extensions)| entry(serial, extensions)).collect();
        let mut extensions = vec![authority_key_id(&key_id(named.key))];
        extensions.extend(self.extensions.iter().cloned());
        let tbs = sequence(&[
            &integer(&[self.version]),
            &signature_algorithm(scheme),
            &named.subject,
            &time(self.this_update),
            &self.next_update.map(time).unwrap_or_default(),
            &if entries.is_empty() { Vec::new() } else { sequence_of(&entries) },
            &tlv(0xa0, &[&sequence_of(&extensions)]),
        ]);
        assemble(&tbs, scheme, &signer.key.sign(scheme, &tbs))
    }
}

fn entry(serial: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let extensions = if extensions.is_empty() { Vec::new() } else { sequence_of(extensions) };
    sequence(&[&integer(serial), &time(NOW - HOUR), &extensions])
}

/// The number of a list.
pub fn number(number: u8) -> Vec<u8> {
    extension("2.5.29.20", false, &integer(&[number]))
}

/// Why an entry is there.
pub fn reason(code: u8) -> Vec<u8> {
    extension("2.5.29.21", false, &[0x0a, 1, code])
}

/// The mark of a list that only says what changed.
pub fn delta() -> Vec<u8> {
    extension("2.5.29.27", true, &integer(&[1]))
}

/// The mark of a list of only some certificates: here of leaves alone.
pub fn partial() -> Vec<u8> {
    extension("2.5.29.28", true, &sequence(&[&[0x81, 1, 0xff]]))
}
