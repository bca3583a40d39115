//! Public keys as everybody else writes them: `SubjectPublicKeyInfo`.

use der::Encode;
use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier};
use x509_cert::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::ids::curve;
use super::public::{Public, Unique, point_of};

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// Of an RSA key in the form of RFC 8017.
pub(crate) fn rsa(key: &[u8]) -> Option<Vec<u8>> {
    print(RSA_ENCRYPTION, AnyRef::NULL, key)
}

/// Of a key on P-256 or P-384.
pub(crate) fn ec(public: &Public) -> Option<Vec<u8>> {
    let Unique::Ecc { curve, x, y } = &public.unique else { return None };
    let oid = match *curve {
        curve::P256 => P256,
        curve::P384 => P384,
        _ => return None,
    };
    print(EC, AnyRef::from(&oid), &point_of(*curve, x, y)?)
}

fn print(oid: ObjectIdentifier, parameters: AnyRef<'_>, key: &[u8]) -> Option<Vec<u8>> {
    let algorithm = AlgorithmIdentifierRef { oid, parameters: Some(parameters) };
    let subject_public_key = BitStringRef::from_bytes(key).ok()?;
    SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_der().ok()
}
