//! The methods of the service.

/// A method of the service `SpiffeWorkloadAPI`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Method {
    X509Svid,
    X509Bundles,
    JwtSvid,
    JwtBundles,
    ValidateJwtSvid,
    WitSvid,
    WitBundles,
}

impl Method {
    /// All of them.
    pub(super) const ALL: [Self; 7] = [
        Self::X509Svid,
        Self::X509Bundles,
        Self::JwtSvid,
        Self::JwtBundles,
        Self::ValidateJwtSvid,
        Self::WitSvid,
        Self::WitBundles,
    ];

    /// As it stands in a path.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::X509Svid => "/SpiffeWorkloadAPI/FetchX509SVID",
            Self::X509Bundles => "/SpiffeWorkloadAPI/FetchX509Bundles",
            Self::JwtSvid => "/SpiffeWorkloadAPI/FetchJWTSVID",
            Self::JwtBundles => "/SpiffeWorkloadAPI/FetchJWTBundles",
            Self::ValidateJwtSvid => "/SpiffeWorkloadAPI/ValidateJWTSVID",
            Self::WitSvid => "/SpiffeWorkloadAPI/FetchWITSVID",
            Self::WitBundles => "/SpiffeWorkloadAPI/FetchWITBundles",
        }
    }

    /// As log lines call it.
    pub(super) fn name(self) -> &'static str {
        self.path().rsplit('/').next().unwrap_or_default()
    }

    /// The method of that path.
    pub(super) fn of(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.path() == path)
    }
}
