//! A secret that a TPM gives away only if it has two keys at once (part 1, §24): the endorsement key that the secret is
//! wrapped for, and the object that is named in it. What TPM2_MakeCredential does, without a TPM.

use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};

use super::information;
use super::public::{Public, Unique};
use super::signature::rsa_der;
use super::wire::Put;

/// The length of the seed, which is that of the endorsement key's symmetric key: AES-128.
const SEED: usize = 16;

/// A wrapped secret. Both parts without the length in front.
#[derive(Debug)]
pub(crate) struct Wrapped {
    /// The secret, encrypted, and what binds it to the object (TPMS_ID_OBJECT).
    pub(crate) credential: Vec<u8>,
    /// The seed, encrypted for the endorsement key.
    pub(crate) secret: Vec<u8>,
}

/// Why nothing can be wrapped for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WrapError {
    #[error("unsupported algorithm: the endorsement key must be RSA, with AES-128")]
    Unsupported,
    #[error("the endorsement key does not encrypt")]
    Key,
    #[error("no random numbers to be had")]
    Random,
}

/// Wraps `secret` for the TPM with this endorsement key and an object of this name.
pub(crate) fn wrap(secret: &[u8], ek: &Public, object_name: &[u8]) -> Result<Wrapped, WrapError> {
    let key = encryption_key(ek)?;
    let mut seed = [0; SEED];
    aws_lc_rs::rand::fill(&mut seed).map_err(|_| WrapError::Random)?;
    let mut encrypted = vec![0; key.ciphertext_size()];
    key.encrypt(&OAEP_SHA256_MGF1SHA256, &seed, &mut encrypted, Some(b"IDENTITY\0"))
        .map_err(|_| WrapError::Key)?;

    let storage: [u8; 16] = derive(&seed, b"STORAGE", object_name);
    let mut identity = Vec::new();
    identity.put_buffer(secret);
    encrypt(&storage, &mut identity)?;

    let integrity: [u8; 32] = derive(&seed, b"INTEGRITY", &[]);
    let integrity = hmac::Key::new(hmac::HMAC_SHA256, &integrity);
    let tag = hmac::sign(&integrity, &[&identity, object_name].concat());
    let mut credential = Vec::new();
    credential.put_buffer(tag.as_ref());
    credential.extend_from_slice(&identity);
    Ok(Wrapped { credential, secret: encrypted })
}

/// AES-128-CFB from an initial vector of zeros, in place.
fn encrypt(key: &[u8; 16], text: &mut [u8]) -> Result<(), WrapError> {
    let key = UnboundCipherKey::new(&AES_128, key).and_then(EncryptingKey::cfb128);
    let zeros = EncryptionContext::Iv128(FixedLength::from([0; 16]));
    key.and_then(|key| key.less_safe_encrypt(text, zeros)).map(drop).map_err(|_| WrapError::Key)
}

/// KDFa with SHA-256 (part 1, §11.4.10.2), one block or less.
fn derive<const N: usize>(seed: &[u8], label: &[u8], context: &[u8]) -> [u8; N] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, seed);
    let bits = u32::try_from(N * 8).unwrap_or(u32::MAX);
    let message = [&1_u32.to_be_bytes()[..], label, &[0], context, &bits.to_be_bytes()].concat();
    let block = hmac::sign(&key, &message);
    let mut derived = [0; N];
    derived.iter_mut().zip(block.as_ref()).for_each(|(to, from)| *to = *from);
    derived
}

fn encryption_key(ek: &Public) -> Result<OaepPublicEncryptingKey, WrapError> {
    let (Unique::Rsa { exponent, modulus }, Some(128)) = (&ek.unique, ek.symmetric_bits) else {
        return Err(WrapError::Unsupported);
    };
    let info = rsa_der(modulus, *exponent).and_then(|key| information::rsa(&key)).ok_or(WrapError::Key)?;
    let key = PublicEncryptingKey::from_der(&info).map_err(|_| WrapError::Key)?;
    OaepPublicEncryptingKey::new(key).map_err(|_| WrapError::Key)
}
