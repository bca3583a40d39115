//! Keys and signatures, on aws-lc-rs.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::encoding::{AsBigEndian, AsDer, EcPrivateKeyBin, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeyPairComponents, KeySize};
use aws_lc_rs::signature::{self, EcdsaKeyPair, KeyPair};
use der::asn1::{OctetStringRef, UintRef};
use der::{AnyRef, Decode};
use x509_cert::spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};
use zeroize::Zeroizing;

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(crate) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

/// The largest SubjectPublicKeyInfo or PKCS#8 that is looked at, in bytes: RSA-16384 fits.
const MAX_DER: usize = 16 * 1024;

/// The kinds of keys that are generated (SPIRE's names in configuration, which has none for P-521).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum KeyType {
    /// ECDSA on P-256: `ec-p256`.
    EcP256,
    /// ECDSA on P-384: `ec-p384`.
    EcP384,
    /// ECDSA on P-521, for ES512. No configuration names it: SPIRE has no such key type.
    EcP521,
    /// RSA with 2048 bits: `rsa-2048`.
    Rsa2048,
    /// RSA with 4096 bits: `rsa-4096`.
    Rsa4096,
}

impl KeyType {
    /// From its name in configuration: one of SPIRE's four, so not that of P-521.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::EcP256, Self::EcP384, Self::Rsa2048, Self::Rsa4096]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }

    /// Its name, which is that in configuration where it has one there.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EcP256 => "ec-p256",
            Self::EcP384 => "ec-p384",
            Self::EcP521 => "ec-p521",
            Self::Rsa2048 => "rsa-2048",
            Self::Rsa4096 => "rsa-4096",
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Signature algorithms; those of JWS (RFC 7518 §3.1, without HMAC and `none`), of which X.509 uses some.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[allow(missing_docs)] // the names are the algorithms'
pub enum SigAlg {
    EcdsaP256Sha256,
    EcdsaP384Sha384,
    EcdsaP521Sha512,
    RsaPkcs1Sha256,
    RsaPkcs1Sha384,
    RsaPkcs1Sha512,
    RsaPssSha256,
    RsaPssSha384,
    RsaPssSha512,
}

impl SigAlg {
    /// The algorithm with which this key signs certificates and requests: ECDSA with its curve's hash, or RSA
    /// PKCS#1 v1.5 with SHA-256.
    pub fn for_x509(key: &PublicKey) -> Self {
        match key.kind {
            PublicKind::P256 => Self::EcdsaP256Sha256,
            PublicKind::P384 => Self::EcdsaP384Sha384,
            PublicKind::P521 => Self::EcdsaP521Sha512,
            PublicKind::Rsa { .. } => Self::RsaPkcs1Sha256,
        }
    }
}

/// Why a key is refused or could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum KeyError {
    #[error("the key is {0} bytes long, which is more than any supported key has")]
    TooLarge(usize),
    #[error("the public key is malformed: {0}")]
    MalformedPublic(String),
    #[error("the key's algorithm {0} is not supported; use ECDSA on P-256, P-384 or P-521, or RSA")]
    Algorithm(String),
    #[error("the RSA key has {0} bits; 2048 to 8192 are accepted")]
    RsaSize(usize),
    #[error("the private key is not a PKCS#8 key that can be used: {0}")]
    MalformedPrivate(String),
    #[error("the key could not be generated")]
    Generate,
}

/// Why something was not signed, or a signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum SignError {
    #[error("a key of this type cannot sign with {0:?}")]
    Algorithm(SigAlg),
    #[error("the key refused to sign: {0}")]
    Refused(String),
    #[error("the signature does not hold")]
    Bad,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub(crate) enum PublicKind {
    P256,
    P384,
    P521,
    Rsa { bits: usize },
}

/// A public key that can verify: checked to be of a supported algorithm and size. Cheap to clone.
#[derive(Clone)]
pub struct PublicKey {
    spki: Arc<[u8]>,
    /// Where its BIT STRING's content begins, which is the rest of it: an EC point or an RSAPublicKey.
    raw: usize,
    kind: PublicKind,
    /// The one algorithm that it is for, if whoever published it said so.
    only: Option<SigAlg>,
}

impl PublicKey {
    /// From a DER SubjectPublicKeyInfo (RFC 5280 §4.1).
    pub fn from_spki_der(spki: &[u8]) -> Result<Self, KeyError> {
        let key = Self::unproven(spki)?;
        key.check()?;
        Ok(key)
    }

    /// As [`Self::from_spki_der`], without the arithmetic: that a point lies on its curve is not looked at. A key that
    /// is none verifies nothing; [`Self::check`] tells.
    pub(crate) fn unproven(spki: &[u8]) -> Result<Self, KeyError> {
        let (raw, kind) = shape(spki)?;
        Ok(Self { raw: spki.len() - raw.len(), spki: spki.into(), kind, only: None })
    }

    /// An EC key from its coordinates, which must have the length that the curve wants; `None` if it is not one of those
    /// supported. That the point lies on the curve is checked.
    pub(crate) fn from_coordinates(curve: &str, x: &[u8], y: &[u8]) -> Option<Result<Self, KeyError>> {
        let kind = match curve {
            "P-256" => PublicKind::P256,
            "P-384" => PublicKind::P384,
            "P-521" => PublicKind::P521,
            _ => return None,
        };
        let (_, _, head) = POINTS.into_iter().find(|(known, _, _)| *known == kind)?;
        let spki: Arc<[u8]> = [head, x, y].concat().into();
        let key = Self { spki, raw: head.len() - 1, kind, only: None };
        Some(key.check().map(|()| key))
    }

    /// The DER SubjectPublicKeyInfo.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// The content of its BIT STRING: an uncompressed EC point, or a DER RSAPublicKey.
    pub fn raw(&self) -> &[u8] {
        self.spki.get(self.raw..).unwrap_or_default()
    }

    /// The SHA-1 of that content: the subject key identifier of RFC 5280 §4.2.1.2 (1).
    pub fn key_id(&self) -> [u8; 20] {
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, self.raw());
        hash.as_ref().try_into().unwrap_or_default()
    }

    /// The JWK curve name; `None` for RSA.
    pub fn curve(&self) -> Option<&'static str> {
        match self.kind {
            PublicKind::P256 => Some("P-256"),
            PublicKind::P384 => Some("P-384"),
            PublicKind::P521 => Some("P-521"),
            PublicKind::Rsa { .. } => None,
        }
    }

    /// The size of an RSA key in bits; `None` for EC.
    pub fn rsa_bits(&self) -> Option<usize> {
        match self.kind {
            PublicKind::Rsa { bits } => Some(bits),
            _ => None,
        }
    }

    /// The same key for one algorithm and no other, as the `alg` of a JWK says (RFC 7517 §4.4). It still equals the key
    /// it was.
    ///
    /// # Errors
    ///
    /// If it does not support that algorithm.
    pub fn limited_to(mut self, alg: SigAlg) -> Result<Self, SignError> {
        if !self.supports(alg) {
            return Err(SignError::Algorithm(alg));
        }
        self.only = Some(alg);
        Ok(self)
    }

    /// The one algorithm that it is limited to, if it is.
    pub fn limit(&self) -> Option<SigAlg> {
        self.only
    }

    /// Whether a key of this type makes or verifies signatures of that algorithm, and is not limited to another.
    pub fn supports(&self, alg: SigAlg) -> bool {
        use SigAlg as S;
        if self.only.is_some_and(|only| only != alg) {
            return false;
        }
        match self.kind {
            PublicKind::P256 => alg == S::EcdsaP256Sha256,
            PublicKind::P384 => alg == S::EcdsaP384Sha384,
            PublicKind::P521 => alg == S::EcdsaP521Sha512,
            PublicKind::Rsa { .. } => {
                !matches!(alg, S::EcdsaP256Sha256 | S::EcdsaP384Sha384 | S::EcdsaP521Sha512)
            }
        }
    }

    /// Checks a signature as X.509 and TLS carry it (ECDSA in ASN.1).
    pub fn verify(&self, alg: SigAlg, message: &[u8], sig: &[u8]) -> Result<(), SignError> {
        use SigAlg as S;
        let how: &dyn signature::VerificationAlgorithm = match alg {
            S::EcdsaP256Sha256 => &signature::ECDSA_P256_SHA256_ASN1,
            S::EcdsaP384Sha384 => &signature::ECDSA_P384_SHA384_ASN1,
            S::EcdsaP521Sha512 => &signature::ECDSA_P521_SHA512_ASN1,
            S::RsaPkcs1Sha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            S::RsaPkcs1Sha384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            S::RsaPkcs1Sha512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            S::RsaPssSha256 => &signature::RSA_PSS_2048_8192_SHA256,
            S::RsaPssSha384 => &signature::RSA_PSS_2048_8192_SHA384,
            S::RsaPssSha512 => &signature::RSA_PSS_2048_8192_SHA512,
        };
        self.verify_with(alg, how, message, sig)
    }

    /// Checks a signature as JWS carries it (ECDSA as the two numbers, RFC 7518 §3.4).
    pub fn verify_jws(&self, alg: SigAlg, message: &[u8], sig: &[u8]) -> Result<(), SignError> {
        match alg {
            SigAlg::EcdsaP256Sha256 => {
                self.verify_with(alg, &signature::ECDSA_P256_SHA256_FIXED, message, sig)
            }
            SigAlg::EcdsaP384Sha384 => {
                self.verify_with(alg, &signature::ECDSA_P384_SHA384_FIXED, message, sig)
            }
            SigAlg::EcdsaP521Sha512 => {
                self.verify_with(alg, &signature::ECDSA_P521_SHA512_FIXED, message, sig)
            }
            _ => self.verify(alg, message, sig),
        }
    }

    fn verify_with(
        &self,
        alg: SigAlg,
        how: &dyn signature::VerificationAlgorithm,
        message: &[u8],
        sig: &[u8],
    ) -> Result<(), SignError> {
        if !self.supports(alg) {
            return Err(SignError::Algorithm(alg));
        }
        how.verify_sig(self.raw(), message, sig).map_err(|_| SignError::Bad)
    }

    /// A point that is not on its curve, or an RSA key the library refuses, is refused here and not at first use.
    pub(crate) fn check(&self) -> Result<(), KeyError> {
        let how: &'static dyn signature::VerificationAlgorithm = match self.kind {
            PublicKind::P256 => &signature::ECDSA_P256_SHA256_ASN1,
            PublicKind::P384 => &signature::ECDSA_P384_SHA384_ASN1,
            PublicKind::P521 => &signature::ECDSA_P521_SHA512_ASN1,
            PublicKind::Rsa { .. } => &signature::RSA_PKCS1_2048_8192_SHA256,
        };
        signature::ParsedPublicKey::new(how, self.raw())
            .map(|_| ())
            .map_err(|_| KeyError::MalformedPublic("it is not a valid key of its type".to_owned()))
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?})", self.kind)
    }
}

/// How a SubjectPublicKeyInfo with an uncompressed point begins (RFC 5480 §2): there is one way to write each.
const POINTS: [(PublicKind, usize, &[u8]); 3] = [
    (
        PublicKind::P256,
        32,
        &[
            0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce,
            0x3d, 3, 1, 7, 3, 0x42, 0, 4,
        ],
    ),
    (
        PublicKind::P384,
        48,
        &[
            0x30, 0x76, 0x30, 0x10, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 5, 0x2b, 0x81, 4, 0, 0x22,
            3, 0x62, 0, 4,
        ],
    ),
    (
        PublicKind::P521,
        66,
        &[
            0x30, 0x81, 0x9b, 0x30, 0x10, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 5, 0x2b, 0x81, 4, 0,
            0x23, 3, 0x81, 0x86, 0, 4,
        ],
    ),
];

/// What a SubjectPublicKeyInfo holds, if it is of a kind that is supported: the content of its BIT STRING, and the kind.
pub(crate) fn shape(spki: &[u8]) -> Result<(&[u8], PublicKind), KeyError> {
    if spki.len() > MAX_DER {
        return Err(KeyError::TooLarge(spki.len()));
    }
    for (kind, coordinate, head) in POINTS {
        if spki.len() == head.len() + 2 * coordinate && spki.starts_with(head) {
            return Ok((spki.get(head.len() - 1..).unwrap_or_default(), kind));
        }
    }
    other_shape(spki)
}

/// RSA keys; and the reason why what is left is refused.
fn other_shape(spki: &[u8]) -> Result<(&[u8], PublicKind), KeyError> {
    let malformed = |e: der::Error| KeyError::MalformedPublic(e.to_string());
    let info = SubjectPublicKeyInfoRef::from_der(spki).map_err(malformed)?;
    let raw = info
        .subject_public_key
        .as_bytes()
        .ok_or_else(|| KeyError::MalformedPublic("its bits are not whole bytes".to_owned()))?;
    match info.algorithm.oid {
        EC => match info.algorithm.parameters_oid().map_err(|e| KeyError::MalformedPublic(e.to_string()))? {
            // Compressed points are legal (RFC 5480 §2.2) and read by neither Go nor a JWK.
            P256 | P384 | P521 => Err(KeyError::MalformedPublic("its point is not uncompressed".to_owned())),
            other => Err(KeyError::Algorithm(other.to_string())),
        },
        RSA => {
            // As RFC 3279 §2.3.1 wants, so that a key has one form only.
            let null = |p: der::AnyRef<'_>| p.decode_as::<der::asn1::Null>().is_ok();
            if !info.algorithm.parameters.is_some_and(null) {
                return Err(KeyError::MalformedPublic("its RSA parameters are not NULL".to_owned()));
            }
            Ok((raw, PublicKind::Rsa { bits: rsa_bits(raw)? }))
        }
        other => Err(KeyError::Algorithm(other.to_string())),
    }
}

/// The modulus and the exponent of an RSAPublicKey.
fn rsa_numbers(raw: &[u8]) -> Result<(UintRef<'_>, UintRef<'_>), KeyError> {
    #[derive(der::Sequence)]
    struct RsaPublicKey<'a> {
        modulus: UintRef<'a>,
        exponent: UintRef<'a>,
    }
    let key = RsaPublicKey::from_der(raw).map_err(|e| KeyError::MalformedPublic(e.to_string()))?;
    Ok((key.modulus, key.exponent))
}

/// The bits of an RSAPublicKey's modulus.
fn rsa_bits(raw: &[u8]) -> Result<usize, KeyError> {
    let (modulus, exponent) = rsa_numbers(raw)?;
    let modulus = modulus.as_bytes();
    let leading = modulus.first().map_or(0, |b| b.leading_zeros() as usize);
    let bits = modulus.len() * 8 - leading;
    if !(2048..=8192).contains(&bits) || exponent.as_bytes().is_empty() {
        return Err(KeyError::RsaSize(bits));
    }
    Ok(bits)
}

/// The numbers that an RSA private key has beside its public half (RFC 8017 §3.2). Wiped when dropped.
pub(crate) struct RsaParts {
    pub(crate) d: Zeroizing<Vec<u8>>,
    pub(crate) p: Zeroizing<Vec<u8>>,
    pub(crate) q: Zeroizing<Vec<u8>>,
    pub(crate) dp: Zeroizing<Vec<u8>>,
    pub(crate) dq: Zeroizing<Vec<u8>>,
    pub(crate) qi: Zeroizing<Vec<u8>>,
}

impl RsaParts {
    /// Their names in a JWK, in the order of [`Self::all`].
    pub(crate) const NAMES: [&'static str; 6] = ["d", "p", "q", "dp", "dq", "qi"];

    pub(crate) fn all(&self) -> [&[u8]; 6] {
        [&self.d, &self.p, &self.q, &self.dp, &self.dq, &self.qi]
    }

    fn from_pkcs8(pkcs8: &[u8]) -> Option<Self> {
        #[derive(der::Sequence)]
        struct Pkcs8<'a> {
            version: u8,
            algorithm: AnyRef<'a>,
            key: &'a OctetStringRef,
        }
        #[derive(der::Sequence)]
        struct Rsa<'a> {
            version: u8,
            n: UintRef<'a>,
            e: UintRef<'a>,
            d: UintRef<'a>,
            p: UintRef<'a>,
            q: UintRef<'a>,
            dp: UintRef<'a>,
            dq: UintRef<'a>,
            qi: UintRef<'a>,
        }
        let outer = Pkcs8::from_der(pkcs8).ok()?;
        let key = Rsa::from_der(outer.key.as_bytes()).ok()?;
        let copy = |number: UintRef<'_>| Zeroizing::new(number.as_bytes().to_vec());
        let (d, p, q) = (copy(key.d), copy(key.p), copy(key.q));
        Some(Self { d, p, q, dp: copy(key.dp), dq: copy(key.dq), qi: copy(key.qi) })
    }
}

/// Signs with a private key that is at hand. A remote signer works with the `to_be_signed` and `assemble` halves of
/// the templates instead.
pub trait Signer: Send + Sync {
    /// The public half.
    fn public(&self) -> &PublicKey;
    /// Signs as X.509 and TLS want it (ECDSA in ASN.1).
    fn sign(&self, alg: SigAlg, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

enum Private {
    Ec(Box<EcdsaKeyPair>),
    Rsa(Box<RsaKeyPair>),
}

impl Private {
    fn encode(&self) -> Option<Zeroizing<Vec<u8>>> {
        // The library wipes its own buffers.
        match self {
            Self::Ec(pair) => pair.to_pkcs8v1().ok().map(|der| Zeroizing::new(der.as_ref().to_vec())),
            Self::Rsa(pair) => {
                let der: Result<Pkcs8V1Der<'_>, _> = pair.as_der();
                der.ok().map(|der| Zeroizing::new(der.as_ref().to_vec()))
            }
        }
    }
}

/// A private key in memory. It cannot be cloned or printed, and is wiped when dropped.
pub struct PrivateKey {
    private: Private,
    public: PublicKey,
    key_type: KeyType,
}

impl PrivateKey {
    /// A new key. RSA takes long (tens of milliseconds, or seconds for 4096 bits).
    pub fn generate(key_type: KeyType) -> Result<Self, KeyError> {
        let failed = |_| KeyError::Generate;
        let rsa = |size| RsaKeyPair::generate(size).map_err(failed).map(|pair| Private::Rsa(Box::new(pair)));
        let private = match key_type {
            KeyType::EcP256 | KeyType::EcP384 | KeyType::EcP521 => {
                Private::Ec(Box::new(EcdsaKeyPair::generate(ec_algorithm(key_type)).map_err(failed)?))
            }
            KeyType::Rsa2048 => rsa(KeySize::Rsa2048)?,
            KeyType::Rsa4096 => rsa(KeySize::Rsa4096)?,
        };
        Self::of(private, key_type)
    }

    /// From unencrypted PKCS#8 DER (RFC 5958) of a type that can be generated, or RSA of 2048 to 8192 bits.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, KeyError> {
        if pkcs8.len() > MAX_DER {
            return Err(KeyError::TooLarge(pkcs8.len()));
        }
        // The library passes over what follows the key.
        der::AnyRef::from_der(pkcs8).map_err(|e| KeyError::MalformedPrivate(e.to_string()))?;
        for key_type in [KeyType::EcP256, KeyType::EcP384, KeyType::EcP521] {
            if let Ok(pair) = EcdsaKeyPair::from_pkcs8(ec_algorithm(key_type), pkcs8) {
                return Self::of(Private::Ec(Box::new(pair)), key_type);
            }
        }
        let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|e| KeyError::MalformedPrivate(e.to_string()))?;
        let key_type = if pair.public_modulus_len() > 256 { KeyType::Rsa4096 } else { KeyType::Rsa2048 };
        Self::of(Private::Rsa(Box::new(pair)), key_type)
    }

    /// The key as unencrypted PKCS#8 DER, version 1. That of an EC key holds the public key too, and names its curve
    /// where Go, Java and OpenSSL look for it.
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        self.private.encode().expect("a key in memory has an encoding; `of` refuses one that has not")
    }

    /// What kind of key it is; RSA of other sizes counts as the nearest.
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The number that an EC key is, as many bytes as its curve wants; `None` for RSA.
    pub(crate) fn scalar(&self) -> Option<Zeroizing<Vec<u8>>> {
        let Private::Ec(pair) = &self.private else { return None };
        let number: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().ok()?;
        Some(Zeroizing::new(number.as_ref().to_vec()))
    }

    /// The EC key whose halves these are.
    pub(crate) fn from_scalar(public: &PublicKey, scalar: &[u8]) -> Result<Self, KeyError> {
        let key_type = match public.kind {
            PublicKind::P256 => KeyType::EcP256,
            PublicKind::P384 => KeyType::EcP384,
            PublicKind::P521 => KeyType::EcP521,
            PublicKind::Rsa { .. } => return Err(KeyError::MalformedPrivate("it is an RSA key".to_owned())),
        };
        let pair =
            EcdsaKeyPair::from_private_key_and_public_key(ec_algorithm(key_type), scalar, public.raw());
        let pair = pair.map_err(|e| KeyError::MalformedPrivate(e.to_string()))?;
        Self::of(Private::Ec(Box::new(pair)), key_type)
    }

    /// The numbers of an RSA key; `None` for EC.
    pub(crate) fn rsa_parts(&self) -> Option<RsaParts> {
        let Private::Rsa(_) = &self.private else { return None };
        RsaParts::from_pkcs8(&self.to_pkcs8())
    }

    /// The RSA key whose halves these are.
    pub(crate) fn from_rsa_parts(public: &PublicKey, parts: RsaParts) -> Result<Self, KeyError> {
        let malformed = |e: &dyn fmt::Display| KeyError::MalformedPrivate(e.to_string());
        let (n, e) = rsa_numbers(public.raw())?;
        let components = KeyPairComponents {
            public_key: signature::RsaPublicKeyComponents { n: n.as_bytes(), e: e.as_bytes() },
            d: &*parts.d,
            p: &*parts.p,
            q: &*parts.q,
            dP: &*parts.dp,
            dQ: &*parts.dq,
            qInv: &*parts.qi,
        };
        let pair = RsaKeyPair::from_components(&components).map_err(|e| malformed(&e))?;
        let key_type = if pair.public_modulus_len() > 256 { KeyType::Rsa4096 } else { KeyType::Rsa2048 };
        Self::of(Private::Rsa(Box::new(pair)), key_type)
    }

    fn of(private: Private, key_type: KeyType) -> Result<Self, KeyError> {
        let spki: Result<PublicKeyX509Der<'_>, _> = match &private {
            Private::Ec(pair) => pair.public_key().as_der(),
            Private::Rsa(pair) => pair.public_key().as_der(),
        };
        let spki = spki.map_err(|_| KeyError::Generate)?;
        let public = PublicKey::from_spki_der(spki.as_ref())?;
        if matches!(private, Private::Rsa(_)) && private.encode().is_none() {
            return Err(KeyError::MalformedPrivate("it cannot be written again".to_owned()));
        }
        Ok(Self { private, public, key_type })
    }
}

fn ec_algorithm(key_type: KeyType) -> &'static signature::EcdsaSigningAlgorithm {
    match key_type {
        KeyType::EcP384 => &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
        KeyType::EcP521 => &signature::ECDSA_P521_SHA512_ASN1_SIGNING,
        _ => &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
    }
}

impl Signer for PrivateKey {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, alg: SigAlg, message: &[u8]) -> Result<Vec<u8>, SignError> {
        if !self.public.supports(alg) {
            return Err(SignError::Algorithm(alg));
        }
        let refused = |_| SignError::Refused("the cryptographic library failed".to_owned());
        let random = SystemRandom::new();
        match &self.private {
            Private::Ec(pair) => Ok(pair.sign(&random, message).map_err(refused)?.as_ref().to_vec()),
            Private::Rsa(pair) => {
                let how: &dyn signature::RsaEncoding = match alg {
                    SigAlg::RsaPkcs1Sha384 => &signature::RSA_PKCS1_SHA384,
                    SigAlg::RsaPkcs1Sha512 => &signature::RSA_PKCS1_SHA512,
                    SigAlg::RsaPssSha256 => &signature::RSA_PSS_SHA256,
                    SigAlg::RsaPssSha384 => &signature::RSA_PSS_SHA384,
                    SigAlg::RsaPssSha512 => &signature::RSA_PSS_SHA512,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut out = vec![0; pair.public_modulus_len()];
                pair.sign(how, &random, message, &mut out).map_err(refused)?;
                Ok(out)
            }
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.key_type)
    }
}
