//! Signatures of a TPM (TPMT_SIGNATURE), and what others make of them.

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents,
};
use der::asn1::UintRef;
use der::{Encode, Sequence};

use super::ids::alg;
use super::public::{Public, Unique};
use super::wire::Reader;

/// A signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Signature {
    Rsa { algorithm: u16, signature: Vec<u8> },
    Ecdsa { r: Vec<u8>, s: Vec<u8> },
}

#[derive(Sequence)]
struct Numbers<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

impl Signature {
    /// As it stands there, and nothing else.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let signature = Self::read(&mut reader)?;
        reader.end().ok()?;
        Some(signature)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let algorithm = reader.u16().ok()?;
        let _hash = reader.u16().ok()?;
        match algorithm {
            alg::RSASSA | alg::RSAPSS => {
                Some(Self::Rsa { algorithm, signature: reader.buffer().ok()?.to_vec() })
            }
            alg::ECDSA => {
                let (r, s) = (reader.buffer().ok()?.to_vec(), reader.buffer().ok()?.to_vec());
                Some(Self::Ecdsa { r, s })
            }
            _ => None,
        }
    }

    /// As everybody else writes it: the bare number of RSA, or two numbers in DER.
    pub(crate) fn to_usual(&self) -> Option<Vec<u8>> {
        match self {
            Self::Rsa { signature, .. } => Some(signature.clone()),
            Self::Ecdsa { r, s } => {
                Numbers { r: UintRef::new(r).ok()?, s: UintRef::new(s).ok()? }.to_der().ok()
            }
        }
    }

    /// Whether this RSA key with a scheme of PKCS#1 v1.5 has made it of `message`.
    pub(crate) fn is_of(&self, key: &Public, message: &[u8]) -> bool {
        let (
            Self::Rsa { algorithm: alg::RSASSA, signature },
            Some(scheme),
            Unique::Rsa { exponent, modulus },
        ) = (self, key.scheme, &key.unique)
        else {
            return false;
        };
        let how: &'static RsaParameters = match (scheme.algorithm, scheme.hash) {
            (alg::RSASSA, alg::SHA256) => &RSA_PKCS1_2048_8192_SHA256,
            (alg::RSASSA, alg::SHA384) => &RSA_PKCS1_2048_8192_SHA384,
            (alg::RSASSA, alg::SHA512) => &RSA_PKCS1_2048_8192_SHA512,
            _ => return false,
        };
        let (n, e) = (without_zeros(modulus), exponent.to_be_bytes());
        RsaPublicKeyComponents { n, e: without_zeros(&e) }.verify(how, message, signature).is_ok()
    }
}

#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

/// `RSAPublicKey` of RFC 8017.
pub(crate) fn rsa_der(modulus: &[u8], exponent: u32) -> Option<Vec<u8>> {
    let exponent = exponent.to_be_bytes();
    let key = RsaPublicKey {
        modulus: UintRef::new(without_zeros(modulus)).ok()?,
        exponent: UintRef::new(without_zeros(&exponent)).ok()?,
    };
    key.to_der().ok()
}

/// A big-endian number without zeros in front.
pub(crate) fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}
