//! A software TPM with what its maker and its owner would have put into it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::skip::Missing;

/// A running TPM 2.0 in a folder of its own, ended when dropped.
///
/// In the folder are, beside the socket `tpm.sock`: `ek-ca.pem`, the maker's authorities; `devid-ca.pem`, that of the DevID
/// certificates; `devid-ecc.{pem,pub,priv}` and `devid-rsa.{pem,pub,priv}`, of which the latter has the password
/// `opensesame`.
#[derive(Debug)]
pub struct SoftTpm(tempfile::TempDir);

impl SoftTpm {
    /// Starts one; takes two to three seconds.
    ///
    /// # Errors
    /// [`Missing::Tool`] when the programs for it are not there.
    ///
    /// # Panics
    /// When they are, and fail.
    pub fn start(common_name: &str) -> Result<Self, Missing> {
        for tool in ["swtpm", "swtpm_setup", "tpm2_createprimary", "openssl"] {
            let found = Command::new("which").arg(tool).stdout(Stdio::null()).status();
            if !found.is_ok_and(|status| status.success()) {
                let packages = "swtpm, swtpm-tools, tpm2-tools and openssl";
                return Err(Missing::Tool(format!("{tool} is not here: install Debian's {packages}")));
            }
        }
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tpm/provision");
        let tpm = Self(folder);
        let said = Command::new(script).arg(tpm.folder()).arg(common_name).output();
        let said = said.expect("a script that is checked in can be run");
        let log = std::fs::read_to_string(tpm.path("setup.log")).unwrap_or_default();
        assert!(said.status.success(), "{}\n{log}", String::from_utf8_lossy(&said.stderr));
        Ok(tpm)
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// A file in its folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// The socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.path("tpm.sock")
    }
}

impl Drop for SoftTpm {
    fn drop(&mut self) {
        let pid = std::fs::read_to_string(self.path("pid")).ok();
        if let Some(pid) = pid.and_then(|pid| Pid::from_raw(pid.trim().parse().ok()?)) {
            // it may have ended by itself
            let _ = kill_process(pid, Signal::TERM);
        }
    }
}
