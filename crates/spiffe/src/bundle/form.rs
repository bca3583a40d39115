//! The forms in which files hold a trust domain's bundle, as SPIRE's `trust_bundle_format` and `-format` name them.

use std::fmt;
use std::str::FromStr;

use super::{Bundle, BundleError, DocumentError, ReadBundle};
use crate::TrustDomain;

/// How a bundle is written in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BundleForm {
    /// `pem`: the X.509 authorities, certificates in PEM one after another.
    Pem,
    /// `spiffe`: the SPIFFE bundle document, JSON (Trust Domain and Bundle §4).
    Spiffe,
}

/// A name that is none of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a bundle is written as \"pem\" or as \"spiffe\"")]
pub struct UnknownForm;

/// Why a file's text is no bundle in its form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum FormError {
    #[error(transparent)]
    Pem(BundleError),
    #[error("{0} (is it a document in the form \"spiffe\"?)")]
    LooksLikeSpiffe(BundleError),
    #[error(transparent)]
    Spiffe(DocumentError),
    #[error("{0} (are they certificates in the form \"pem\"?)")]
    LooksLikePem(DocumentError),
}

impl BundleForm {
    /// Reads the bundle of `trust_domain` in this form.
    ///
    /// # Errors
    ///
    /// A text that is not in this form: of `pem` each block must be a certificate, and there must be one; of `spiffe` keys
    /// that cannot be used are passed over, and told.
    pub fn read(self, trust_domain: TrustDomain, text: &str) -> Result<ReadBundle, FormError> {
        match self {
            Self::Pem => Bundle::parse_pem(trust_domain, text)
                .map(|bundle| ReadBundle { bundle, passed_over: Vec::new() })
                .map_err(|cause| match text.trim_start().starts_with('{') {
                    true => FormError::LooksLikeSpiffe(cause),
                    false => FormError::Pem(cause),
                }),
            Self::Spiffe => Bundle::read_spiffe_json(trust_domain, text).map_err(|cause| {
                match text.trim_start().starts_with("-----BEGIN") {
                    true => FormError::LooksLikePem(cause),
                    false => FormError::Spiffe(cause),
                }
            }),
        }
    }

    /// A bundle in this form; as PEM it is its X.509 authorities alone.
    pub fn write(self, bundle: &Bundle) -> String {
        match self {
            Self::Pem => bundle.to_pem(),
            Self::Spiffe => bundle.to_spiffe_json(),
        }
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pem => "pem",
            Self::Spiffe => "spiffe",
        }
    }
}

impl fmt::Display for BundleForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for BundleForm {
    type Err = UnknownForm;

    /// By its name, in lower case. Who takes other spellings, as SPIRE's commands do, lowers them first.
    fn from_str(name: &str) -> Result<Self, UnknownForm> {
        [Self::Pem, Self::Spiffe].into_iter().find(|form| form.as_str() == name).ok_or(UnknownForm)
    }
}
