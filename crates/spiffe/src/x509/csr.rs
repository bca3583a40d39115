use der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::request::{CertReqInfo, ExtensionReq};

use super::name::DistinguishedName;
use super::oid;
use super::signature::{self, Unsigned};
use super::signed::Signed;
use super::template::{san_extension, signature_algorithm};
use super::tlv::{INTEGER, SEQUENCE, SET, bit_string, read, tlv};
use crate::SpiffeId;
use crate::key::{KeyError, PublicKey, SigAlg, SignError, Signer};

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
        let parsed = CertReqInfo::from_der(signed.whole).map_err(|e| CsrError::Malformed(e.to_string()))?;

        // The key's own bytes: version, subject, then the SubjectPublicKeyInfo.
        let version = read(signed.content).ok_or_else(broken)?;
        let subject = read(version.rest).ok_or_else(broken)?;
        let spki = read(subject.rest).ok_or_else(broken)?;
        let public_key = PublicKey::from_spki_der(spki.whole).map_err(CsrError::Key)?;
        signature::verify(signed.algorithm, &public_key, signed.whole, signed.signature).map_err(
            |e| match e {
                Unsigned::Bad => CsrError::Signature,
                Unsigned::Algorithm(_) | Unsigned::OtherKind => CsrError::Algorithm,
            },
        )?;

        let (mut uri_sans, mut dns_names) = (Vec::new(), Vec::new());
        for attribute in parsed.attributes.iter() {
            if attribute.oid != <ExtensionReq as der::oid::AssociatedOid>::OID {
                continue;
            }
            let value = attribute.values.iter().next().ok_or_else(broken)?;
            let requests: ExtensionReq =
                value.decode_as().map_err(|e: der::Error| CsrError::Malformed(e.to_string()))?;
            for extension in requests.0 {
                if extension.extn_id != <SubjectAltName as der::oid::AssociatedOid>::OID {
                    continue;
                }
                let names = SubjectAltName::from_der(extension.extn_value.as_bytes())
                    .map_err(|e| CsrError::Malformed(e.to_string()))?;
                for name in names.0 {
                    match name {
                        GeneralName::UniformResourceIdentifier(uri) => uri_sans.push(uri.to_string()),
                        GeneralName::DnsName(name) => dns_names.push(name.to_string()),
                        _ => {}
                    }
                }
            }
        }
        let subject = DistinguishedName::parse(subject.whole).ok_or_else(broken)?;
        Ok(Self { public_key, subject, uri_sans, dns_names })
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
        let info = tlv(
            SEQUENCE,
            &[
                &tlv(INTEGER, &[&[0]]),
                &DistinguishedName::of_workloads().to_der(),
                signer.public().spki_der(),
                &tlv(0xa0, &[&attributes]),
            ],
        );
        let alg = SigAlg::for_x509(signer.public());
        let signature = signer.sign(alg, &info)?;
        Ok(tlv(SEQUENCE, &[&info, signature_algorithm(alg), &bit_string(&signature)]))
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
