use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use super::extensions::Extensions;
use super::general_name::GeneralNames;
use super::layout::Layout;
use super::name::DistinguishedName;
use super::signature::{self, Unsigned};
use super::span::Span;
use super::tlv::{DNS_NAME, URI_NAME};
use super::usage::{KeyUsage, Sides};
use crate::key::{self, KeyError, PublicKey};

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
///
/// What was parsed are places in its bytes: names and the key are taken out when they are first asked for.
#[derive(Clone)]
pub struct Certificate(Arc<Parsed>);

struct Parsed {
    der: Vec<u8>,
    layout: Layout,
    key: OnceLock<PublicKey>,
    names: OnceLock<Names>,
    printed: OnceLock<Printed>,
}

struct Names {
    uris: Vec<String>,
    dns: Vec<String>,
}

/// What only people read.
struct Printed {
    subject: String,
    common_name: String,
}

impl Certificate {
    /// From DER. Numbers below zero, extensions that occur twice and keys of kinds or sizes that [`PublicKey`] refuses
    /// are refused. Whether a key's point lies on its curve is not computed: one that does not verifies nothing.
    pub fn parse(der: impl Into<Vec<u8>>) -> Result<Self, CertificateError> {
        let der = der.into();
        if der.len() > MAX_CERTIFICATE {
            return Err(CertificateError::TooLarge(der.len()));
        }
        let layout = Layout::of(&der)?;
        key::shape(layout.spki.of_bytes(&der)).map_err(CertificateError::Key)?;
        let (key, names, printed) = Default::default();
        Ok(Self(Arc::new(Parsed { der, layout, key, names, printed })))
    }

    /// The certificate's bytes.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// Its SubjectPublicKeyInfo.
    pub fn spki(&self) -> &[u8] {
        self.part(self.0.layout.spki)
    }

    /// Its public key.
    pub fn public_key(&self) -> &PublicKey {
        self.0.key.get_or_init(|| {
            PublicKey::unproven(self.spki()).expect("its shape was looked at when the certificate was parsed")
        })
    }

    /// The serial number's bytes, most significant first.
    pub fn serial(&self) -> &[u8] {
        self.part(self.0.layout.serial)
    }

    /// The serial number in decimal, as SPIRE stores and prints it.
    pub fn serial_decimal(&self) -> String {
        decimal(self.serial())
    }

    /// Valid from then.
    pub fn not_before(&self) -> SystemTime {
        self.0.layout.not_before
    }

    /// Valid until then.
    pub fn not_after(&self) -> SystemTime {
        self.0.layout.not_after
    }

    /// Whether its basic constraints say that it is a CA.
    pub fn is_ca(&self) -> bool {
        self.extensions().is_ca
    }

    /// How many intermediates may stand between it and a leaf, if it is a CA and says so (RFC 5280 §4.2.1.9).
    pub fn path_len(&self) -> Option<u32> {
        self.extensions().path_len
    }

    /// Whether its key usage has keyCertSign.
    pub fn signs_certificates(&self) -> bool {
        self.allows(KeyUsage::KEY_CERT_SIGN)
    }

    /// Whether its key usage has cRLSign.
    pub fn signs_crls(&self) -> bool {
        self.allows(KeyUsage::CRL_SIGN)
    }

    /// Whether it may sign other certificates: a CA whose key usage, if it has one, allows it (RFC 5280 §6.1.4 (k, n)).
    pub fn may_sign_certificates(&self) -> bool {
        self.is_ca() && (self.extensions().usage.is_none() || self.signs_certificates())
    }

    /// Whether it may sign revocation lists: its key usage, if it has one, allows it (RFC 5280 §6.3.3 (f)).
    pub fn may_sign_crls(&self) -> bool {
        self.extensions().usage.is_none() || self.signs_crls()
    }

    /// Whether it is valid at `now`, its first and the whole of its last second included (RFC 5280 §4.1.2.5).
    pub fn valid_at(&self, now: SystemTime) -> bool {
        self.begun_at(now) && !self.over_at(now)
    }

    pub(super) fn begun_at(&self, now: SystemTime) -> bool {
        self.not_before() <= now
    }

    pub(super) fn over_at(&self, now: SystemTime) -> bool {
        now.duration_since(self.not_after()).is_ok_and(|since| since >= Duration::from_secs(1))
    }

    /// The subject key identifier, if it has one.
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.extensions().subject_key_id.map(|id| self.part(id))
    }

    /// The identifier of the key that signed it, if it names one (RFC 5280 §4.2.1.1).
    pub fn authority_key_id(&self) -> Option<&[u8]> {
        self.extensions().authority_key_id.map(|id| self.part(id))
    }

    /// All URI subject alternative names.
    pub fn uri_sans(&self) -> &[String] {
        &self.names().uris
    }

    /// All DNS subject alternative names.
    pub fn dns_names(&self) -> &[String] {
        &self.names().dns
    }

    /// Its only URI subject alternative name.
    ///
    /// # Errors
    ///
    /// How many it has, if that is not one: an X.509-SVID has exactly one (X509-SVID §2).
    pub fn uri(&self) -> Result<&str, usize> {
        match self.extensions().uris {
            1 => Ok(std::str::from_utf8(self.part(self.extensions().uri)).unwrap_or_default()),
            other => Err(other as usize),
        }
    }

    /// The subject's DER: to be copied into what this certificate signs.
    pub fn subject_der(&self) -> &[u8] {
        self.part(self.0.layout.subject)
    }

    /// The issuer's DER.
    pub fn issuer_der(&self) -> &[u8] {
        self.part(self.0.layout.issuer)
    }

    /// Whether it is named as who signed it is (RFC 5280 §3.2: self-issued).
    pub(super) fn self_issued(&self) -> bool {
        self.subject_der() == self.issuer_der()
    }

    /// The alternative names in DER; `None` without the extension.
    pub(super) fn alternative_names(&self) -> Option<GeneralNames<'_>> {
        self.extensions().names.map(|names| GeneralNames(self.part(names)))
    }

    /// The value of its name constraints.
    pub(super) fn name_constraints(&self) -> Option<&[u8]> {
        self.extensions().constraints.map(|value| self.part(value))
    }

    /// The sides of TLS for which it, and what is below it, may stand.
    pub(super) fn sides(&self) -> Sides {
        self.extensions().sides.unwrap_or(Sides::BOTH)
    }

    pub(super) fn wants_policy(&self) -> bool {
        self.extensions().wants_policy
    }

    /// The OID in DER of a critical extension that is not understood.
    pub(super) fn unknown_critical(&self) -> Option<&[u8]> {
        self.extensions().unknown.map(|kind| self.part(kind))
    }

    /// Whether the holder of `key` signed it.
    pub(super) fn signed_by(&self, key: &PublicKey) -> Result<(), Unsigned> {
        let Layout { content, algorithm, signature, .. } = self.0.layout;
        signature::verify(self.part(algorithm), key, self.part(content), self.part(signature))
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
        DistinguishedName::parse(self.subject_der()).unwrap_or_default()
    }

    fn printed(&self) -> &Printed {
        self.0.printed.get_or_init(|| {
            let name = self.subject_name();
            Printed { subject: name.to_string(), common_name: name.common_name }
        })
    }

    fn names(&self) -> &Names {
        self.0.names.get_or_init(|| {
            let of = |kind| {
                let all = self.alternative_names().unwrap_or_default();
                all.filter(|name| name.kind == kind).map(|name| name.text().to_owned()).collect()
            };
            Names { uris: of(URI_NAME), dns: of(DNS_NAME) }
        })
    }

    fn part(&self, span: Span) -> &[u8] {
        span.of_bytes(&self.0.der)
    }

    fn extensions(&self) -> &Extensions {
        &self.0.layout.extensions
    }

    fn allows(&self, bit: u16) -> bool {
        self.extensions().usage.is_some_and(|usage| usage.has(bit))
    }
}

pub(super) fn malformed(why: &str) -> CertificateError {
    CertificateError::Malformed(why.to_owned())
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
            .field("uris", &self.uri_sans())
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
