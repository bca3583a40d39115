//! Certificates with any content (RFC 5280 §4.1).

use super::der::{bits, integer, oid, sequence, sequence_of, tlv};
use super::extension::{
    CLIENT_AUTH, SERVER_AUTH, Usage, authority_key_id, constraints, key_usage, purposes, subject_key_id, uris,
};
use super::key::{Hash, Key, Scheme, signature_algorithm};
use super::moment::{DAY, HOUR, NOW, time};

/// A certificate to be made; each part can be set to anything.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// Whose name it has: a Name in DER.
    pub subject: Vec<u8>,
    /// The key it is for.
    pub key: &'static Key,
    /// In seconds since 1970.
    pub not_before: i64,
    /// In seconds since 1970.
    pub not_after: i64,
    /// Its extensions, each in DER.
    pub extensions: Vec<Vec<u8>>,
    /// Its serial number; by default taken from the rest.
    pub serial: Option<Vec<u8>>,
    /// How it is signed; by default as the issuer's key usually does.
    pub scheme: Option<Scheme>,
}

/// The key identifier of RFC 5280 §4.2.1.2 (1).
pub fn key_id(key: &Key) -> Vec<u8> {
    Hash::Sha1.of(&key.raw())
}

/// A Name with one common name.
pub fn common_name(text: &str) -> Vec<u8> {
    sequence(&[&tlv(0x31, &[&sequence(&[&oid("2.5.4.3"), &tlv(0x13, &[text.as_bytes()])])])])
}

/// The Name without parts.
pub fn no_name() -> Vec<u8> {
    sequence(&[])
}

impl Certificate {
    /// A proper leaf for a SPIFFE ID: valid from an hour ago for an hour to come.
    pub fn leaf(id: &str, key: &'static Key) -> Self {
        let extensions = vec![
            key_usage(true, &[Usage::DigitalSignature]),
            purposes(false, &[SERVER_AUTH, CLIENT_AUTH]),
            constraints(true, false, None),
            subject_key_id(&key_id(key)),
            uris(&[id]),
        ];
        Self::with(common_name("leaf"), key, NOW - HOUR, NOW + HOUR, extensions)
    }

    /// A proper signing certificate of a trust domain.
    pub fn authority(name: &str, trust_domain: &str, key: &'static Key) -> Self {
        let extensions = vec![
            key_usage(true, &[Usage::KeyCertSign, Usage::CrlSign]),
            constraints(true, true, None),
            subject_key_id(&key_id(key)),
            uris(&[&format!("spiffe://{trust_domain}")]),
        ];
        Self::with(common_name(name), key, NOW - DAY, NOW + DAY, extensions)
    }

    fn with(
        subject: Vec<u8>,
        key: &'static Key,
        not_before: i64,
        not_after: i64,
        extensions: Vec<Vec<u8>>,
    ) -> Self {
        Self { subject, key, not_before, not_after, extensions, serial: None, scheme: None }
    }

    /// With other extensions: those of the same kind are replaced, others are added.
    pub fn extended(mut self, extensions: impl IntoIterator<Item = Vec<u8>>) -> Self {
        for extension in extensions {
            let kind = kind(&extension).to_vec();
            match self.extensions.iter_mut().find(|known| self::kind(known) == kind) {
                Some(known) => *known = extension,
                None => self.extensions.push(extension),
            }
        }
        self
    }

    /// Without the extensions of that kind.
    pub fn without(mut self, dotted: &str) -> Self {
        let oid = oid(dotted);
        self.extensions.retain(|extension| kind(extension) != oid);
        self
    }

    /// With another subject.
    pub fn named(mut self, subject: Vec<u8>) -> Self {
        self.subject = subject;
        self
    }

    /// With another period.
    pub fn valid(mut self, not_before: i64, not_after: i64) -> Self {
        (self.not_before, self.not_after) = (not_before, not_after);
        self
    }

    /// Signed by itself.
    pub fn self_signed(&self) -> Vec<u8> {
        self.sign(&self.subject, self.key, None)
    }

    /// Signed by an authority, and naming its key.
    pub fn signed_by(&self, issuer: &Self) -> Vec<u8> {
        self.sign(&issuer.subject, issuer.key, Some(&key_id(issuer.key)))
    }

    /// Signed by any key under any name.
    pub fn sign(&self, issuer: &[u8], key: &Key, authority_key: Option<&[u8]>) -> Vec<u8> {
        let scheme = self.scheme.unwrap_or(key.usual());
        let tbs = self.to_be_signed(issuer, scheme, authority_key);
        assemble(&tbs, scheme, &key.sign(scheme, &tbs))
    }

    /// The bytes that are signed.
    pub fn to_be_signed(&self, issuer: &[u8], scheme: Scheme, authority_key: Option<&[u8]>) -> Vec<u8> {
        let mut extensions = self.extensions.clone();
        extensions.extend(authority_key.map(authority_key_id));
        let rest = [
            signature_algorithm(scheme),
            issuer.to_vec(),
            sequence(&[&time(self.not_before), &time(self.not_after)]),
            self.subject.clone(),
            self.key.spki(),
            if extensions.is_empty() { Vec::new() } else { tlv(0xa3, &[&sequence_of(&extensions)]) },
        ]
        .concat();
        let serial = match &self.serial {
            Some(serial) => serial.clone(),
            None => Hash::Sha256.of(&rest).into_iter().take(16).collect(),
        };
        sequence(&[&[0xa0, 3, 2, 1, 2], &integer(&serial), &rest])
    }
}

/// The kind of an extension: its OBJECT IDENTIFIER as written.
fn kind(extension: &[u8]) -> &[u8] {
    // Within the SEQUENCE, whose length takes one to four bytes.
    let start = match extension.get(1) {
        Some(long) if long & 0x80 != 0 => 2 + usize::from(long & 0x7f),
        _ => 2,
    };
    let length = extension.get(start + 1).map_or(0, |length| usize::from(*length));
    extension.get(start..start + 2 + length).unwrap_or_default()
}

/// Puts a signature to the bytes that were signed.
pub fn assemble(tbs: &[u8], scheme: Scheme, signature: &[u8]) -> Vec<u8> {
    sequence(&[tbs, &signature_algorithm(scheme), &bits(signature)])
}
