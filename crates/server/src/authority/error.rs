use std::sync::Arc;
use std::time::SystemTime;

use model::ports::{KeyError, UpstreamError};
use spiffe::x509::CsrError;
use tonic::Status;

use super::own_bundle::AmendError;
use crate::signing::Refused;

/// Why an authority could not be made or moved on.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The key manager failed.
    #[error("the key {name} cannot be used")]
    Key {
        /// The key's name.
        name: &'static str,
        /// What the key manager says.
        #[source]
        cause: KeyError,
    },
    /// The certificate of the CA could not be made.
    #[error("the CA certificate could not be made")]
    Certificate(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The bundle or the journal was not written.
    #[error("the authority could not be published: {0}")]
    Publish(String),
    /// The bundle was written and does not have the authority: another writer took it out at once.
    #[error("the authority {0} was removed from the bundle as soon as it was published")]
    Vanished(String),
    /// The authority above did not do its part.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// What the authority above has signed would not be believed.
    #[error("the CA certificate that the upstream authority signed is of no use: {0}")]
    Unusable(String),
    /// The random number generator failed.
    #[error("the system gave no random bytes for a key ID")]
    Random,
    /// The signing threads did not do it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The server's own X.509-SVID could not be made.
    #[error("the server's own X509-SVID could not be made: {0}")]
    ServerSvid(String),
}

impl AuthorityError {
    pub(super) fn key(name: &'static str, cause: KeyError) -> Self {
        Self::Key { name, cause }
    }
}

impl From<AmendError> for AuthorityError {
    fn from(error: AmendError) -> Self {
        Self::Publish(error.to_string())
    }
}

/// Why nothing was signed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SignError {
    /// There is no active X.509 CA: the server is starting, or could not make one.
    #[error("X509 CA is not available for signing")]
    NoX509Ca,
    /// There is no active JWT key.
    #[error("JWT key is not available for signing")]
    NoJwtKey,
    /// There is no active WIT key.
    #[error("WIT key is not available for signing")]
    NoWitKey,
    /// The feature flag `wit-svid` is not set.
    #[error("WIT functionality is disabled")]
    WitDisabled,
    /// `disable_jwt_svids` is set.
    #[error("JWT functionality is disabled")]
    JwtDisabled,
    /// What was sent is no public key.
    #[error("{0}")]
    MalformedKey(spiffe::key::KeyError),
    /// The algorithm is none that the key can be used with.
    #[error("unsupported signing algorithm for {key} key: {algorithm}")]
    Algorithm {
        /// What the key is.
        key: &'static str,
        /// What was asked for.
        algorithm: String,
    },
    /// What was sent is no certificate signing request.
    #[error("{0}")]
    MalformedCsr(CsrError),
    /// The request is not signed by the key that it carries.
    #[error("{0}")]
    CsrSignature(CsrError),
    /// The authority ends before the SVID would begin.
    #[error("the active authority ended at {}, so nothing can be signed until it is rotated", super::moment::moment(*.0))]
    AuthorityEnded(SystemTime),
    /// The SVID could not be made.
    #[error("{0}")]
    Failed(String),
    /// The signing queue is full.
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl From<CsrError> for SignError {
    fn from(error: CsrError) -> Self {
        match error {
            CsrError::Signature => Self::CsrSignature(error),
            _ => Self::MalformedCsr(error),
        }
    }
}

impl From<SignError> for Status {
    /// As SPIRE 1.16 answers for an agent's X.509-SVID.
    fn from(error: SignError) -> Self {
        match error {
            SignError::MalformedCsr(cause) | SignError::CsrSignature(cause) => {
                Status::invalid_argument(format!("failed to parse CSR: {cause}"))
            }
            SignError::JwtDisabled => Status::unimplemented(error.to_string()),
            SignError::Refused(refused) => refused.into(),
            error => Status::internal(format!("failed to sign X509 SVID: {error}")),
        }
    }
}

/// An error with all its causes.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
