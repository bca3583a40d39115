//! One fetch from a bundle endpoint, and the redirects that it may follow (Federation §5.2, §7.5.1).

use super::bundle_endpoint::BundleEndpoint;
use super::bundle_url::{BundleUrl, BundleUrlError};

/// How many redirects one fetch follows.
pub const MAX_REDIRECTS: u8 = 5;

/// Whether redirects are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Redirects {
    /// They are, as the standard advises.
    #[default]
    Followed,
    /// They are errors: for who knows the endpoint and wants no surprises (Federation §7.5.1).
    Refused,
}

/// Why a redirect is not followed. The fetch has failed; the next one begins at the configured URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum RedirectError {
    #[error("the bundle endpoint redirects elsewhere, and redirects are refused")]
    Refused,
    #[error("the bundle endpoint redirects more than 5 times")]
    TooMany,
    #[error("the bundle endpoint redirects without saying where to")]
    NoLocation,
    #[error("the bundle endpoint redirects to more than one place")]
    Ambiguous,
    #[error("the bundle endpoint redirects to what is no URL of a bundle endpoint: {0}")]
    Url(BundleUrlError),
}

/// One fetch. Whoever is connected to is authenticated as the endpoint was: see [`BundleEndpoint::peer`].
#[derive(Debug, Clone)]
pub struct Fetch<'a> {
    endpoint: &'a BundleEndpoint,
    at: BundleUrl,
    followed: u8,
    redirects: Redirects,
}

impl<'a> Fetch<'a> {
    pub(super) fn new(endpoint: &'a BundleEndpoint, redirects: Redirects) -> Self {
        Self { endpoint, at: endpoint.url().clone(), followed: 0, redirects }
    }

    /// The endpoint as it is configured.
    pub fn endpoint(&self) -> &'a BundleEndpoint {
        self.endpoint
    }

    /// Where to ask now.
    pub fn url(&self) -> &BundleUrl {
        &self.at
    }

    /// Whether an HTTP status is a redirect that names its target. Permanent ones are followed as if they were not
    /// (Federation §7.5.1).
    pub fn is_redirect(status: u16) -> bool {
        matches!(status, 301 | 302 | 303 | 307 | 308)
    }

    /// Follows a redirect to the values of its header `Location`.
    ///
    /// # Errors
    ///
    /// Then the fetch is over, and stays where it was.
    pub fn redirect<'b>(
        &mut self,
        locations: impl IntoIterator<Item = &'b str>,
    ) -> Result<&BundleUrl, RedirectError> {
        if self.redirects == Redirects::Refused {
            return Err(RedirectError::Refused);
        }
        if self.followed == MAX_REDIRECTS {
            return Err(RedirectError::TooMany);
        }
        let mut locations = locations.into_iter();
        let location = locations.next().ok_or(RedirectError::NoLocation)?;
        if locations.next().is_some() {
            return Err(RedirectError::Ambiguous);
        }
        self.at = self.at.join(location).map_err(RedirectError::Url)?;
        self.followed += 1;
        Ok(&self.at)
    }
}
