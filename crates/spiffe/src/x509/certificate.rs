use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use der::{Decode, Encode};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, KeyUsages, SubjectAltName, SubjectKeyIdentifier};

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
    subject_text: String,
    common_name: Option<String>,
    issuer: Vec<u8>,
    spki: Vec<u8>,
    key: PublicKey,
    subject_key_id: Option<Vec<u8>>,
    is_ca: bool,
    signs_certificates: bool,
    signs_crls: bool,
    uri_sans: Vec<String>,
    dns_names: Vec<String>,
}

impl Certificate {
    /// From DER.
    pub fn parse(der: impl Into<Vec<u8>>) -> Result<Self, CertificateError> {
        let der = der.into();
        if der.len() > MAX_CERTIFICATE {
            return Err(CertificateError::TooLarge(der.len()));
        }
        let malformed = |e: der::Error| CertificateError::Malformed(e.to_string());
        let parsed = x509_cert::Certificate::from_der(&der).map_err(malformed)?;
        let tbs = parsed.tbs_certificate();
        let spki = tbs.subject_public_key_info().to_der().map_err(malformed)?;
        let (mut uri_sans, mut dns_names) = (Vec::new(), Vec::new());
        if let Some((_, names)) = tbs.get_extension::<SubjectAltName>().map_err(malformed)? {
            for name in names.0 {
                match name {
                    GeneralName::UniformResourceIdentifier(uri) => uri_sans.push(uri.to_string()),
                    GeneralName::DnsName(name) => dns_names.push(name.to_string()),
                    _ => {}
                }
            }
        }
        let constraints = tbs.get_extension::<BasicConstraints>().map_err(malformed)?;
        let usage = tbs.get_extension::<KeyUsage>().map_err(malformed)?.map(|(_, usage)| usage);
        let has = |bit: KeyUsages| usage.as_ref().is_some_and(|u| u.0.contains(bit));
        let subject_key_id = tbs.get_extension::<SubjectKeyIdentifier>().map_err(malformed)?;
        let subject = tbs.subject().to_der().map_err(malformed)?;
        Ok(Self(Arc::new(Parsed {
            serial: tbs.serial_number().as_bytes().to_vec(),
            not_before: tbs.validity().not_before.to_system_time(),
            not_after: tbs.validity().not_after.to_system_time(),
            subject_text: tbs.subject().to_string(),
            common_name: tbs.subject().common_name().ok().flatten().map(|name| name.value().to_string()),
            subject,
            issuer: tbs.issuer().to_der().map_err(malformed)?,
            key: PublicKey::from_spki_der(&spki).map_err(CertificateError::Key)?,
            spki,
            subject_key_id: subject_key_id.map(|(_, id)| id.0.as_bytes().to_vec()),
            is_ca: constraints.is_some_and(|(_, c)| c.ca),
            signs_certificates: has(KeyUsages::KeyCertSign),
            signs_crls: has(KeyUsages::CRLSign),
            uri_sans,
            dns_names,
            der,
        })))
    }

    /// The certificate's bytes.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// Its SubjectPublicKeyInfo.
    pub fn spki(&self) -> &[u8] {
        &self.0.spki
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
        self.0.is_ca
    }

    /// Whether its key usage has keyCertSign.
    pub fn signs_certificates(&self) -> bool {
        self.0.signs_certificates
    }

    /// Whether its key usage has cRLSign.
    pub fn signs_crls(&self) -> bool {
        self.0.signs_crls
    }

    /// The subject key identifier, if it has one.
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.0.subject_key_id.as_deref()
    }

    /// All URI subject alternative names.
    pub fn uri_sans(&self) -> &[String] {
        &self.0.uri_sans
    }

    /// All DNS subject alternative names.
    pub fn dns_names(&self) -> &[String] {
        &self.0.dns_names
    }

    /// The subject's DER: to be copied into what this certificate signs.
    pub fn subject_der(&self) -> &[u8] {
        &self.0.subject
    }

    /// The issuer's DER.
    pub fn issuer_der(&self) -> &[u8] {
        &self.0.issuer
    }

    /// The subject for people, in RFC 4514's form.
    pub fn subject(&self) -> &str {
        &self.0.subject_text
    }

    /// The subject's common name, if it has one.
    pub fn common_name(&self) -> Option<&str> {
        self.0.common_name.as_deref()
    }
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
            .field("subject", &self.0.subject_text)
            .field("uris", &self.0.uri_sans)
            .finish_non_exhaustive()
    }
}

/// A big-endian number in decimal. Serial numbers have at most 20 bytes, so the square of that is cheap.
pub(crate) fn decimal(bytes: &[u8]) -> String {
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
