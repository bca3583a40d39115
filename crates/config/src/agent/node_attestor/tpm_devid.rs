use std::fmt;
use std::path::PathBuf;

use super::super::super::block::{Block, Unknown};
use super::super::super::plugin::Plugin;

/// Attestation by a DevID certificate whose key is in the TPM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TpmDevid {
    /// The device or socket of the TPM; the only device of the machine unless set.
    pub tpm_device_path: Option<PathBuf>,
    /// The certificate, PEM; intermediates may follow it.
    pub devid_cert_path: PathBuf,
    /// The private half of its key, encrypted by the TPM.
    pub devid_priv_path: PathBuf,
    /// The public half.
    pub devid_pub_path: PathBuf,
    /// The password of the key.
    pub devid_password: Password,
    /// The password of the owner hierarchy.
    pub owner_hierarchy_password: Password,
    /// The password of the endorsement hierarchy.
    pub endorsement_hierarchy_password: Password,
}

/// A password, empty if there is none. It is a secret: it prints as nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The password under this key.
    pub(in super::super) fn read(block: &Block<'_>, key: &'static str) -> Self {
        block.text(key).map_or_else(Self::default, |given| Self(given.value))
    }

    /// The password itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
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
    let devid_cert_path = file("devid_cert_path", "the DevID certificate, PEM");
    let devid_priv_path = file("devid_priv_path", "the private half of its key, as the TPM gave it");
    let devid_pub_path = file("devid_pub_path", "the public half of its key, as the TPM gave it");
    let (tpm_device_path, devid_password, owner_hierarchy_password, endorsement_hierarchy_password) = (
        block.text("tpm_device_path").map(|given| given.value.into()),
        Password::read(&block, "devid_password"),
        Password::read(&block, "owner_hierarchy_password"),
        Password::read(&block, "endorsement_hierarchy_password"),
    );
    block.finish(Unknown::Warn);
    Some(TpmDevid {
        tpm_device_path,
        devid_cert_path: devid_cert_path?,
        devid_priv_path: devid_priv_path?,
        devid_pub_path: devid_pub_path?,
        devid_password,
        owner_hierarchy_password,
        endorsement_hierarchy_password,
    })
}
