use std::path::PathBuf;

use super::super::super::block::Unknown;
use super::super::super::plugin::Plugin;

/// Attestation by a DevID certificate whose key is in the node's TPM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TpmDevid {
    /// The authorities of DevID certificates, PEM.
    pub devid_ca_path: PathBuf,
    /// The authorities of TPM makers, PEM.
    pub endorsement_ca_path: PathBuf,
    /// Whether the agent's own key must be in the TPM too. A key of ours, which SPIRE passes over.
    pub require_agent_key_in_tpm: bool,
}

/// Reads the settings of NodeAttestor `tpm_devid`.
pub(in super::super) fn read(plugin: &Plugin<'_>) -> Option<TpmDevid> {
    let block = plugin.data();
    let file = |key, why| {
        let given = block.text(key);
        if given.is_none() {
            block.required(key, why);
        }
        given.map(|given| PathBuf::from(given.value))
    };
    let devid_ca_path = file("devid_ca_path", "the authorities that DevID certificates come from, PEM");
    let endorsement_ca_path = file("endorsement_ca_path", "the authorities of the makers of TPMs, PEM");
    let require_agent_key_in_tpm = block.switch("require_agent_key_in_tpm").is_some_and(|given| given.value);
    block.finish(Unknown::Warn);
    Some(TpmDevid {
        devid_ca_path: devid_ca_path?,
        endorsement_ca_path: endorsement_ca_path?,
        require_agent_key_in_tpm,
    })
}
