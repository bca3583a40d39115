//! What the attestor wants to know of a certificate that an outside PKI may have issued.

use std::net::IpAddr;
use std::time::SystemTime;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use der::asn1::{Any, ObjectIdentifier};
use der::{Decode, Tag, Tagged};
use x509_cert::Certificate;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{KeyUsage, SubjectAltName};
use x509_cert::name::Name;

use super::proof::PublicKey;
use crate::hex::hex;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// A certificate, parsed. Nothing about it is proven yet.
pub(crate) struct Leaf {
    der: Vec<u8>,
    parsed: Certificate,
    names: Vec<GeneralName>,
}

impl Leaf {
    pub(crate) fn parse(der: &[u8]) -> Result<Self, der::Error> {
        let parsed = Certificate::from_der(der)?;
        let names = parsed.tbs_certificate().get_extension::<SubjectAltName>()?;
        let names = names.map(|(_, names)| names.0).unwrap_or_default();
        Ok(Self { der: der.to_vec(), parsed, names })
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    pub(crate) fn public_key(&self) -> PublicKey<'_> {
        PublicKey::of(self.parsed.tbs_certificate().subject_public_key_info())
    }

    /// Whether its key is meant to sign with: said so in so many words (SPIRE 1.16).
    pub(crate) fn signs(&self) -> bool {
        let usage = self.parsed.tbs_certificate().get_extension::<KeyUsage>();
        usage.ok().flatten().is_some_and(|(_, usage)| usage.digital_signature())
    }

    pub(crate) fn valid_at(&self, now: SystemTime) -> bool {
        let validity = self.parsed.tbs_certificate().validity();
        validity.not_before.to_system_time() <= now && now <= validity.not_after.to_system_time()
    }

    /// The last common name of the subject, empty if there is none (as Go has it).
    pub(crate) fn common_name(&self) -> String {
        last_common_name(self.parsed.tbs_certificate().subject())
    }

    /// The last common name of the issuer, empty if there is none.
    pub(crate) fn issuer_common_name(&self) -> String {
        last_common_name(self.parsed.tbs_certificate().issuer())
    }

    /// The serial number in lower-case hexadecimal, of an even number of digits.
    pub(crate) fn serial_number_hex(&self) -> String {
        let bytes = self.parsed.tbs_certificate().serial_number().as_bytes();
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count().min(bytes.len().saturating_sub(1));
        hex(bytes.get(zeros..).unwrap_or_default())
    }

    pub(crate) fn uris(&self) -> impl Iterator<Item = &str> {
        self.names.iter().filter_map(|name| match name {
            GeneralName::UniformResourceIdentifier(uri) => Some(uri.as_str()),
            _ => None,
        })
    }

    pub(crate) fn ips(&self) -> impl Iterator<Item = IpAddr> {
        self.names.iter().filter_map(|name| match name {
            GeneralName::IpAddress(octets) => match octets.as_bytes() {
                bytes if bytes.len() == 4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
                bytes => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
            },
            _ => None,
        })
    }
}

fn last_common_name(name: &Name) -> String {
    let names = name.iter().filter(|name| name.oid == COMMON_NAME).filter_map(|name| text(&name.value));
    names.last().unwrap_or_default()
}

/// SHA-1 of a certificate in hexadecimal: a name, not a proof.
pub(crate) fn fingerprint(der: &[u8]) -> String {
    hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, der).as_ref())
}

fn text(value: &Any) -> Option<String> {
    match value.tag() {
        Tag::BmpString => {
            let units = value.value().chunks_exact(2);
            let units: Vec<u16> =
                units.filter_map(|two| two.try_into().ok().map(u16::from_be_bytes)).collect();
            String::from_utf16(&units).ok()
        }
        Tag::TeletexString => Some(value.value().iter().copied().map(char::from).collect()),
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String => {
            std::str::from_utf8(value.value()).ok().map(str::to_owned)
        }
        _ => None,
    }
}
