//! Signing WIT-SVIDs.

use std::fmt;
use std::sync::Arc;

use super::claims::Written;
use super::{TYPE, WitClaims, WitError};
use crate::TrustDomain;
use crate::bundle::WitAuthority;
use crate::jwk;
use crate::jws::{self, Header};
use crate::key::{SigAlg, Signer};

/// Signs the WIT-SVIDs of one trust domain, and of no other.
#[derive(Clone)]
pub struct WitIssuer {
    trust_domain: TrustDomain,
    key_id: String,
    alg: SigAlg,
    signer: Arc<dyn Signer>,
}

impl WitIssuer {
    /// An issuer whose key id is the thumbprint of its key, so that no two keys share one (WIT-SVID §2.1).
    ///
    /// # Errors
    ///
    /// See [`Self::named`].
    pub fn new(trust_domain: TrustDomain, signer: Arc<dyn Signer>) -> Result<Self, WitError> {
        let key_id = jwk::thumbprint(signer.public());
        Self::named(trust_domain, key_id, signer)
    }

    /// An issuer with a key id of the caller's, who sees to it that no other key of the trust domain had it or gets it.
    ///
    /// # Errors
    ///
    /// If the key id is empty.
    pub fn named(
        trust_domain: TrustDomain,
        key_id: String,
        signer: Arc<dyn Signer>,
    ) -> Result<Self, WitError> {
        if key_id.is_empty() {
            return Err(WitError::NoKeyId);
        }
        let alg = signer.public().limit().unwrap_or_else(|| SigAlg::for_x509(signer.public()));
        Ok(Self { trust_domain, key_id, alg, signer })
    }

    /// The same, by another algorithm that the key can do, such as PS256.
    ///
    /// # Errors
    ///
    /// If the key cannot.
    pub fn with_algorithm(self, alg: SigAlg) -> Result<Self, WitError> {
        match self.signer.public().supports(alg) {
            true => Ok(Self { alg, ..self }),
            false => Err(WitError::Jws(jws::JwsError::Algorithm(alg.jws_name().to_owned()))),
        }
    }

    /// The key id that its tokens name.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// What the bundle of the trust domain must hold so that its tokens verify.
    pub fn authority(&self) -> WitAuthority {
        WitAuthority {
            key_id: self.key_id.clone(),
            public_key: self.signer.public().clone(),
            expires_at: None,
            tainted: false,
        }
    }

    /// Signs a token.
    ///
    /// # Errors
    ///
    /// If the subject is of another trust domain, the issuer name is one of OpenID Connect's, a moment is before 1970, it
    /// would end before it begins, or the key does not sign.
    pub fn issue(&self, claims: &WitClaims) -> Result<String, WitError> {
        if !claims.subject.member_of(&self.trust_domain) {
            return Err(WitError::Foreign(claims.subject.to_string(), self.trust_domain.clone()));
        }
        let header = Header::new(self.alg, Some(&self.key_id), TYPE);
        Ok(jws::compact(self.alg, &header, &Written::of(claims)?, &*self.signer)?)
    }
}

impl fmt::Debug for WitIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WitIssuer({} of {}, {})", self.key_id, self.trust_domain, self.alg.jws_name())
    }
}
