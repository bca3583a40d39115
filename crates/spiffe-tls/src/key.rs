//! Any signer as a rustls key.

use std::fmt;
use std::sync::Arc;

use rustls::sign::{Signer as RustlsSigner, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};
use spiffe::key::{SigAlg, Signer};

const SCHEMES: [(SignatureScheme, SigAlg); 9] = [
    (SignatureScheme::ECDSA_NISTP256_SHA256, SigAlg::EcdsaP256Sha256),
    (SignatureScheme::ECDSA_NISTP384_SHA384, SigAlg::EcdsaP384Sha384),
    (SignatureScheme::ECDSA_NISTP521_SHA512, SigAlg::EcdsaP521Sha512),
    (SignatureScheme::RSA_PSS_SHA256, SigAlg::RsaPssSha256),
    (SignatureScheme::RSA_PSS_SHA384, SigAlg::RsaPssSha384),
    (SignatureScheme::RSA_PSS_SHA512, SigAlg::RsaPssSha512),
    (SignatureScheme::RSA_PKCS1_SHA256, SigAlg::RsaPkcs1Sha256),
    (SignatureScheme::RSA_PKCS1_SHA384, SigAlg::RsaPkcs1Sha384),
    (SignatureScheme::RSA_PKCS1_SHA512, SigAlg::RsaPkcs1Sha512),
];

pub(crate) struct TlsKey(Arc<dyn Signer>);

impl TlsKey {
    pub(crate) fn new(signer: Arc<dyn Signer>) -> Self {
        Self(signer)
    }
}

impl SigningKey for TlsKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn RustlsSigner>> {
        let fits = |(scheme, alg): &&(SignatureScheme, SigAlg)| {
            offered.contains(scheme) && self.0.public().supports(*alg)
        };
        let (scheme, alg) = SCHEMES.iter().find(fits)?;
        Some(Box::new(OneSignature { key: self.0.clone(), scheme: *scheme, alg: *alg }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        match self.0.public().curve() {
            Some(_) => SignatureAlgorithm::ECDSA,
            None => SignatureAlgorithm::RSA,
        }
    }
}

impl fmt::Debug for TlsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsKey({:?})", self.0.public())
    }
}

struct OneSignature {
    key: Arc<dyn Signer>,
    scheme: SignatureScheme,
    alg: SigAlg,
}

impl RustlsSigner for OneSignature {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.key.sign(self.alg, message).map_err(|e| Error::General(e.to_string()))
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

impl fmt::Debug for OneSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OneSignature({:?})", self.scheme)
    }
}
