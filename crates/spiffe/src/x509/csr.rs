use super::extensions::Extension;
use super::general_name::GeneralName;
use super::name::{CaSubject, DistinguishedName};
use super::oid;
use super::signature::{self, Unsigned};
use super::signed::Signed;
use super::template::{san_extension, signature_algorithm};
use super::tlv::{DNS_NAME, INTEGER, OBJECT_IDENTIFIER, SEQUENCE, SET, URI_NAME, bit_string, read_a, tlv};
use crate::key::{KeyError, PublicKey, SigAlg, SignError, Signer};
use crate::{SpiffeId, TrustDomain};

/// The largest request that is looked at, in bytes.
pub const MAX_CSR: usize = 32 * 1024;

/// Why a certificate signing request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum CsrError {
    #[error("the CSR is {0} bytes long; at most 32,768 are accepted")]
    TooLarge(usize),
    #[error("the CSR is not valid DER: {0}")]
    Malformed(String),
    #[error("the CSR's public key cannot be used: {0}")]
    Key(KeyError),
    #[error("the CSR is signed with an algorithm that is not supported")]
    Algorithm,
    #[error("the CSR's signature does not hold: it was not made with the key it carries")]
    Signature,
}

/// A certificate signing request (RFC 2986) whose signature holds: its sender has the private key.
#[derive(Clone, Debug)]
pub struct Csr {
    public_key: PublicKey,
    subject: DistinguishedName,
    uri_sans: Vec<String>,
    dns_names: Vec<String>,
}

impl Csr {
    /// From DER. The signature is checked over the bytes as they came.
    pub fn parse(der: &[u8]) -> Result<Self, CsrError> {
        if der.len() > MAX_CSR {
            return Err(CsrError::TooLarge(der.len()));
        }
        let broken =
            || CsrError::Malformed("it is not a sequence of info, algorithm and signature".to_owned());
        let signed = Signed::read(der).ok_or_else(broken)?;
        let info = Info::read(signed.content).ok_or_else(broken)?;
        let subject = DistinguishedName::parse(info.subject).ok_or_else(broken)?;
        // A point that is not on its curve verifies nothing, so the signature proves the key, too.
        let public_key = PublicKey::unproven(info.spki).map_err(CsrError::Key)?;
        let mut names = Names::default();
        names.of_attributes(info.attributes).map_err(|why| CsrError::Malformed(why.to_owned()))?;
        signature::verify(signed.algorithm, &public_key, signed.whole, signed.signature).map_err(
            |e| match e {
                Unsigned::Bad => CsrError::Signature,
                Unsigned::Algorithm(_) | Unsigned::OtherKind => CsrError::Algorithm,
            },
        )?;
        Ok(Self { public_key, subject, uri_sans: names.uris, dns_names: names.dns })
    }

    /// The key whose holder asks.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The name it asks for.
    pub fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// The URIs it asks for.
    pub fn uri_sans(&self) -> &[String] {
        &self.uri_sans
    }

    /// The DNS names it asks for.
    pub fn dns_names(&self) -> &[String] {
        &self.dns_names
    }

    /// A request for the key of `signer`, as DER; with an ID and DNS names if it is to name them.
    pub fn build(signer: &dyn Signer, id: Option<&SpiffeId>, dns: &[String]) -> Result<Vec<u8>, SignError> {
        let mut attributes = Vec::new();
        if id.is_some() || !dns.is_empty() {
            let extensions = tlv(SEQUENCE, &[&san_extension(id.map(SpiffeId::as_str), dns, false)]);
            attributes = tlv(SEQUENCE, &[oid::EXTENSION_REQUEST, &tlv(SET, &[&extensions])]);
        }
        Self::signed(signer, &DistinguishedName::of_workloads(), &attributes)
    }

    /// A request of an authority of `trust_domain` that another authority is to sign, as DER.
    pub fn build_for_authority(
        signer: &dyn Signer,
        trust_domain: &TrustDomain,
        subject: &CaSubject,
    ) -> Result<Vec<u8>, SignError> {
        let id = trust_domain.id();
        let extensions = tlv(SEQUENCE, &[&san_extension(Some(id.as_str()), &[], false)]);
        let attributes = tlv(SEQUENCE, &[oid::EXTENSION_REQUEST, &tlv(SET, &[&extensions])]);
        Self::signed(signer, &subject.into(), &attributes)
    }

    fn signed(
        signer: &dyn Signer,
        subject: &DistinguishedName,
        attributes: &[u8],
    ) -> Result<Vec<u8>, SignError> {
        let info = tlv(
            SEQUENCE,
            &[
                &tlv(INTEGER, &[&[0]]),
                &subject.to_der(),
                signer.public().spki_der(),
                &tlv(0xa0, &[attributes]),
            ],
        );
        let alg = SigAlg::for_x509(signer.public());
        let signature = signer.sign(alg, &info)?;
        Ok(tlv(SEQUENCE, &[&info, signature_algorithm(alg), &bit_string(&signature)]))
    }
}

/// The parts of what was signed (RFC 2986 §4.1).
struct Info<'a> {
    subject: &'a [u8],
    spki: &'a [u8],
    attributes: &'a [u8],
}

impl<'a> Info<'a> {
    fn read(content: &'a [u8]) -> Option<Self> {
        // version 1
        let version = read_a(INTEGER, content).filter(|version| version.content == [0])?;
        let subject = read_a(SEQUENCE, version.rest)?;
        let spki = read_a(SEQUENCE, subject.rest)?;
        let attributes = read_a(0xa0, spki.rest).filter(|all| all.rest.is_empty())?;
        Some(Self { subject: subject.whole, spki: spki.whole, attributes: attributes.content })
    }
}

#[derive(Default)]
struct Names {
    uris: Vec<String>,
    dns: Vec<String>,
}

impl Names {
    fn of_attributes(&mut self, mut attributes: &[u8]) -> Result<(), &'static str> {
        while !attributes.is_empty() {
            let one = read_a(SEQUENCE, attributes).ok_or("its attributes are no list")?;
            attributes = one.rest;
            let kind = read_a(OBJECT_IDENTIFIER, one.content).ok_or("an attribute has no kind")?;
            let values = read_a(SET, kind.rest).filter(|values| values.rest.is_empty());
            let values = values.ok_or("an attribute has no values")?;
            if kind.whole == oid::EXTENSION_REQUEST {
                let value = read_a(SEQUENCE, values.content).filter(|value| value.rest.is_empty());
                self.of_extensions(value.ok_or("it does not ask for one list of extensions")?.content)?;
            }
        }
        Ok(())
    }

    fn of_extensions(&mut self, mut list: &[u8]) -> Result<(), &'static str> {
        while !list.is_empty() {
            let one = read_a(SEQUENCE, list).ok_or("its extensions are no list")?;
            list = one.rest;
            let one = Extension::read(one.content).ok_or("an extension has no value")?;
            if one.kind == oid::SUBJECT_ALT_NAME {
                self.of_value(one.value).ok_or("its names are no list of names")?;
            }
        }
        Ok(())
    }

    fn of_value(&mut self, value: &[u8]) -> Option<()> {
        let mut list = read_a(SEQUENCE, value).filter(|names| names.rest.is_empty())?.content;
        while !list.is_empty() {
            let (name, rest) = GeneralName::read(list)?;
            list = rest;
            match name.kind {
                URI_NAME => self.uris.push(name.text().to_owned()),
                DNS_NAME => self.dns.push(name.text().to_owned()),
                _ => {}
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{KeyType, PrivateKey};

    #[test]
    fn a_request_says_what_it_was_built_with() {
        for key_type in [KeyType::EcP256, KeyType::EcP384, KeyType::Rsa2048] {
            let key = PrivateKey::generate(key_type).unwrap();
            let id = SpiffeId::parse("spiffe://example.org/a").unwrap();
            let csr = Csr::parse(&Csr::build(&key, Some(&id), &["a.example.org".into()]).unwrap()).unwrap();
            assert_eq!(csr.public_key(), key.public());
            assert_eq!(csr.uri_sans(), ["spiffe://example.org/a"]);
            assert_eq!(csr.dns_names(), ["a.example.org"]);
            let bare = Csr::parse(&Csr::build(&key, None, &[]).unwrap()).unwrap();
            assert!(bare.uri_sans().is_empty() && bare.dns_names().is_empty());
        }
    }

    #[test]
    fn any_flipped_bit_is_refused() {
        let key = PrivateKey::generate(KeyType::EcP256).unwrap();
        let csr = Csr::build(&key, None, &[]).unwrap();
        for bit in 0..csr.len() * 8 {
            let mut bad = csr.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(Csr::parse(&bad).is_err(), "bit {bit}");
        }
    }
}
