use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use der::Decode;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, KeyUsages};

use super::name::DistinguishedName;
use super::oid;
use super::raw::Raw;
use super::tlv::{BOOLEAN, DNS_NAME, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, URI_NAME, read, read_a};
use crate::key::{KeyError, PublicKey};

/// The largest certificate that is looked at, in bytes.
pub const MAX_CERTIFICATE: usize = 64 * 1024;

/// Why a certificate is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum CertificateError {
    #[error("the certificate is {0} bytes long; at most 65,536 are accepted")]
    TooLarge(usize),
    #[error("the certificate is not valid DER: {0}")]
    Malformed(String),
    #[error("the certificate's public key cannot be used")]
    Key(#[source] KeyError),
}

/// An X.509 certificate, parsed; not verified. Cheap to clone, equal by its bytes.
#[derive(Clone)]
pub struct Certificate(Arc<Parsed>);

struct Parsed {
    der: Vec<u8>,
    serial: Vec<u8>,
    not_before: SystemTime,
    not_after: SystemTime,
    subject: Vec<u8>,
    printed: OnceLock<Printed>,
    issuer: Vec<u8>,
    key: PublicKey,
    extensions: Extensions,
}

/// What only people read, made when first asked for.
struct Printed {
    subject: String,
    common_name: String,
}

/// What is looked at of the extensions.
#[derive(Default)]
struct Extensions {
    subject_key_id: Option<Vec<u8>>,
    is_ca: bool,
    usage: Option<KeyUsage>,
    uri_sans: Vec<String>,
    dns_names: Vec<String>,
}

impl Certificate {
    /// From DER. Numbers below zero, extensions that occur twice and keys that [`PublicKey`] refuses are refused.
    pub fn parse(der: impl Into<Vec<u8>>) -> Result<Self, CertificateError> {
        let der = der.into();
        if der.len() > MAX_CERTIFICATE {
            return Err(CertificateError::TooLarge(der.len()));
        }
        let raw = Raw::of(&der)?;
        Ok(Self(Arc::new(Parsed {
            serial: raw.serial.to_vec(),
            not_before: raw.not_before,
            not_after: raw.not_after,
            subject: raw.subject.to_vec(),
            printed: OnceLock::new(),
            issuer: raw.issuer.to_vec(),
            key: PublicKey::from_spki_der(raw.spki).map_err(CertificateError::Key)?,
            extensions: Extensions::of(raw.extensions)?,
            der,
        })))
    }

    /// The certificate's bytes.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// Its SubjectPublicKeyInfo.
    pub fn spki(&self) -> &[u8] {
        self.0.key.spki_der()
    }

    /// Its public key.
    pub fn public_key(&self) -> &PublicKey {
        &self.0.key
    }

    /// The serial number's bytes, most significant first.
    pub fn serial(&self) -> &[u8] {
        &self.0.serial
    }

    /// The serial number in decimal, as SPIRE stores and prints it.
    pub fn serial_decimal(&self) -> String {
        decimal(&self.0.serial)
    }

    /// Valid from then.
    pub fn not_before(&self) -> SystemTime {
        self.0.not_before
    }

    /// Valid until then.
    pub fn not_after(&self) -> SystemTime {
        self.0.not_after
    }

    /// Whether its basic constraints say that it is a CA.
    pub fn is_ca(&self) -> bool {
        self.0.extensions.is_ca
    }

    /// Whether its key usage has keyCertSign.
    pub fn signs_certificates(&self) -> bool {
        self.0.extensions.allows(KeyUsages::KeyCertSign)
    }

    /// Whether its key usage has cRLSign.
    pub fn signs_crls(&self) -> bool {
        self.0.extensions.allows(KeyUsages::CRLSign)
    }

    /// Whether it may sign other certificates: a CA whose key usage, if it has one, allows it (RFC 5280 §6.1.4 (k, n)).
    pub fn may_sign_certificates(&self) -> bool {
        self.is_ca() && (self.0.extensions.usage.is_none() || self.signs_certificates())
    }

    /// Whether it is valid at `now`, its first and last second included.
    pub fn valid_at(&self, now: SystemTime) -> bool {
        self.0.not_before <= now && now <= self.0.not_after
    }

    /// The subject key identifier, if it has one.
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.0.extensions.subject_key_id.as_deref()
    }

    /// All URI subject alternative names.
    pub fn uri_sans(&self) -> &[String] {
        &self.0.extensions.uri_sans
    }

    /// All DNS subject alternative names.
    pub fn dns_names(&self) -> &[String] {
        &self.0.extensions.dns_names
    }

    /// The subject's DER: to be copied into what this certificate signs.
    pub fn subject_der(&self) -> &[u8] {
        &self.0.subject
    }

    /// The issuer's DER.
    pub fn issuer_der(&self) -> &[u8] {
        &self.0.issuer
    }

    /// The subject for people, as Go prints it: `SERIALNUMBER=1,O=SPIFFE,C=US`.
    pub fn subject(&self) -> &str {
        &self.printed().subject
    }

    /// The subject's common name, if it has one.
    pub fn common_name(&self) -> Option<&str> {
        Some(self.printed().common_name.as_str()).filter(|name| !name.is_empty())
    }

    /// The subject, taken apart.
    pub fn subject_name(&self) -> DistinguishedName {
        DistinguishedName::parse(&self.0.subject).unwrap_or_default()
    }

    fn printed(&self) -> &Printed {
        self.0.printed.get_or_init(|| {
            let name = self.subject_name();
            Printed { subject: name.to_string(), common_name: name.common_name }
        })
    }
}

pub(super) fn malformed(why: &str) -> CertificateError {
    CertificateError::Malformed(why.to_owned())
}

impl Extensions {
    /// From the content of the list of extensions.
    fn of(mut list: &[u8]) -> Result<Self, CertificateError> {
        let mut out = Self::default();
        let mut seen = BTreeSet::new();
        while !list.is_empty() {
            let extension = read_a(SEQUENCE, list).ok_or_else(|| malformed("its extensions are no list"))?;
            list = extension.rest;
            let (kind, value) =
                extension_parts(extension.content).ok_or_else(|| malformed("an extension has no value"))?;
            if !seen.insert(kind) {
                return Err(malformed("an extension occurs twice"));
            }
            out.take(kind, value)?;
        }
        Ok(out)
    }

    fn take(&mut self, kind: &[u8], value: &[u8]) -> Result<(), CertificateError> {
        let broken = |e: der::Error| CertificateError::Malformed(e.to_string());
        match kind {
            oid::SUBJECT_ALT_NAME => {
                self.take_names(value).ok_or_else(|| malformed("its names are no list"))?
            }
            oid::BASIC_CONSTRAINTS => self.is_ca = BasicConstraints::from_der(value).map_err(broken)?.ca,
            oid::KEY_USAGE => self.usage = Some(KeyUsage::from_der(value).map_err(broken)?),
            oid::SUBJECT_KEY_ID => {
                let id = read_a(OCTET_STRING, value).filter(|id| id.rest.is_empty());
                let id = id.ok_or_else(|| malformed("its subject key identifier is no OCTET STRING"))?;
                self.subject_key_id = Some(id.content.to_vec());
            }
            _ => {}
        }
        Ok(())
    }

    fn take_names(&mut self, value: &[u8]) -> Option<()> {
        let mut names = read_a(SEQUENCE, value).filter(|names| names.rest.is_empty())?.content;
        while !names.is_empty() {
            let name = read(names)?;
            names = name.rest;
            let list = match name.tag {
                URI_NAME => &mut self.uri_sans,
                DNS_NAME => &mut self.dns_names,
                _ => continue,
            };
            // An IA5String.
            let text = std::str::from_utf8(name.content).ok().filter(|text| text.is_ascii())?;
            list.push(text.to_owned());
        }
        Some(())
    }

    fn allows(&self, bit: KeyUsages) -> bool {
        self.usage.as_ref().is_some_and(|usage| usage.0.contains(bit))
    }
}

/// An extension's OID and value.
fn extension_parts(content: &[u8]) -> Option<(&[u8], &[u8])> {
    let kind = read_a(OBJECT_IDENTIFIER, content)?;
    let critical = read_a(BOOLEAN, kind.rest);
    if critical.as_ref().is_some_and(|flag| !matches!(flag.content, [0 | 0xff])) {
        return None;
    }
    let value = read_a(OCTET_STRING, critical.map_or(kind.rest, |flag| flag.rest))?;
    value.rest.is_empty().then_some((kind.whole, value.content))
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.subject())
            .field("uris", &self.0.extensions.uri_sans)
            .finish_non_exhaustive()
    }
}

/// A big-endian number in decimal. Serial numbers have at most 20 bytes, so the square of that is cheap.
pub(super) fn decimal(bytes: &[u8]) -> String {
    let mut digits: Vec<u8> = vec![0];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in digits.iter_mut() {
            let value = u32::from(*digit) * 256 + carry;
            *digit = (value % 10) as u8;
            carry = value / 10;
        }
        while carry > 0 {
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
    }
    digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn numbers_print_in_decimal() {
        assert_eq!(decimal(&[]), "0");
        assert_eq!(decimal(&[0, 0]), "0");
        assert_eq!(decimal(&[1, 0]), "256");
        assert_eq!(decimal(&[0xff; 16]), u128::MAX.to_string());
    }
}
