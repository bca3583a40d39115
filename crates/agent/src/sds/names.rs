//! What secrets are called that are not named by an ID.

/// What secrets are called that are not named by an ID, and in which form authorities go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SdsNames {
    /// The key and the certificates of a workload's first identity.
    pub svid: String,
    /// The authorities of the agent's trust domain.
    pub bundle: String,
    /// The same with those of the trust domains that the workload federates with.
    pub all_bundles: String,
    /// Sends authorities as a plain list, to whoever asks for nothing else, instead of settings for Envoy's SPIFFE
    /// validator.
    pub disable_spiffe_cert_validation: bool,
}

impl Default for SdsNames {
    fn default() -> Self {
        Self {
            svid: "default".to_owned(),
            bundle: "ROOTCA".to_owned(),
            all_bundles: "ALL".to_owned(),
            disable_spiffe_cert_validation: false,
        }
    }
}
