//! What the agent remembers across restarts: `agent-data.json`, in SPIRE 1.16's form.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use spiffe::pem;
use spiffe::x509::{Certificate, X509Svid};

const FILE: &str = "agent-data.json";
/// How Go prints no time.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// Why the data directory could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The directory could not be made.
    #[error(
        "the data directory {folder:?} cannot be made: {cause}; make it, or set data_dir to one that may be written"
    )]
    Folder {
        /// The directory.
        folder: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The file could not be read.
    #[error("{path:?} cannot be read: {cause}; check its owner and mode")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The file makes no sense.
    #[error("{path:?} is damaged: {why}; restore it, or remove it and let the agent attest anew")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The file could not be written.
    #[error("{path:?} cannot be written: {cause}; check free space, owner and mode of the data directory")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

/// What the agent remembers across restarts.
pub(crate) struct AgentState {
    path: PathBuf,
    stored: Mutex<Stored>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    #[serde(default)]
    svid: Option<Vec<String>>,
    #[serde(default)]
    bundle: Option<Vec<String>>,
    #[serde(default)]
    reattestable: bool,
    #[serde(default)]
    bootstrap_use: i64,
    #[serde(default = "no_time")]
    bootstrap_start_time: String,
    #[serde(default)]
    connection_attempts: i64,
}

fn no_time() -> String {
    NO_TIME.to_owned()
}

impl Default for Stored {
    fn default() -> Self {
        Self {
            svid: None,
            bundle: None,
            reattestable: false,
            bootstrap_use: 0,
            bootstrap_start_time: no_time(),
            connection_attempts: 0,
        }
    }
}

impl AgentState {
    /// Reads what is there; makes the directory if need be.
    pub(crate) fn open(folder: &Path) -> Result<Self, StateError> {
        fs::create_dir_all(folder)
            .map_err(|cause| StateError::Folder { folder: folder.to_owned(), cause })?;
        let path = folder.join(FILE);
        let stored = match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|cause| StateError::Damaged { path: path.clone(), why: cause.to_string() })?,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Stored::default(),
            Err(cause) => return Err(StateError::Read { path, cause }),
        };
        Ok(Self { path, stored: Mutex::new(stored) })
    }

    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The agent's own SVID, and whether it may attest again.
    pub(crate) fn svid(&self) -> Result<Option<(X509Svid, bool)>, StateError> {
        let (list, reattestable) = {
            let stored = self.stored();
            (stored.svid.clone().unwrap_or_default(), stored.reattestable)
        };
        let chain = self.certificates(&list)?;
        if chain.is_empty() {
            return Ok(None);
        }
        let svid = X509Svid::of(chain).map_err(|cause| self.damaged(format!("svid: {cause}")))?;
        Ok(Some((svid, reattestable)))
    }

    /// The X.509 authorities of the trust domain as they were last known.
    pub(crate) fn bundle(&self) -> Result<Vec<Certificate>, StateError> {
        let list = self.stored().bundle.clone().unwrap_or_default();
        self.certificates(&list)
    }

    /// Keeps the agent's own SVID.
    pub(crate) fn store_svid(&self, svid: &X509Svid, reattestable: bool) -> Result<(), StateError> {
        let list = encode(svid.chain());
        self.update(|stored| {
            stored.svid = Some(list);
            stored.reattestable = reattestable;
        })
    }

    /// Forgets the agent's own SVID.
    pub(crate) fn delete_svid(&self) -> Result<(), StateError> {
        self.update(|stored| {
            stored.svid = None;
            stored.reattestable = false;
        })
    }

    /// Keeps the X.509 authorities of the trust domain.
    pub(crate) fn store_bundle(&self, authorities: &[Certificate]) -> Result<(), StateError> {
        let list = encode(authorities);
        if self.stored().bundle.as_ref() == Some(&list) {
            return Ok(());
        }
        self.update(|stored| stored.bundle = Some(list))
    }

    /// Changes the file first, then what is remembered.
    fn update(&self, change: impl FnOnce(&mut Stored)) -> Result<(), StateError> {
        let mut stored = self.stored();
        let mut new = stored.clone();
        change(&mut new);
        write(&self.path, &new).map_err(|cause| StateError::Write { path: self.path.clone(), cause })?;
        *stored = new;
        Ok(())
    }

    fn certificates(&self, list: &[String]) -> Result<Vec<Certificate>, StateError> {
        list.iter().map(|text| decode(text).map_err(|why| self.damaged(why))).collect()
    }

    fn damaged(&self, why: String) -> StateError {
        StateError::Damaged { path: self.path.clone(), why }
    }
}

fn encode(chain: &[Certificate]) -> Vec<String> {
    chain.iter().map(|one| STANDARD.encode(pem::encode(pem::CERTIFICATE, one.der()))).collect()
}

fn decode(text: &str) -> Result<Certificate, String> {
    let pem = STANDARD.decode(text).map_err(|cause| format!("a certificate is not base64: {cause}"))?;
    let pem = String::from_utf8(pem).map_err(|_| "a certificate is not PEM".to_owned())?;
    let blocks = pem::decode_all(&pem, pem::CERTIFICATE)
        .map_err(|cause| format!("a certificate is not PEM: {cause}"))?;
    let block = blocks.into_iter().next().ok_or("a certificate is missing")?;
    Certificate::parse(block.der.to_vec()).map_err(|cause| format!("a certificate cannot be read: {cause}"))
}

/// Beside it first, so that the old file stands until the new one is whole and on disk.
fn write(path: &Path, stored: &Stored) -> io::Result<()> {
    let aside = path.with_extension("json.tmp");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    let text = serde_json::to_vec(stored).map_err(io::Error::other)?;
    let written =
        file.write_all(&text).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&aside, path));
    if let Err(error) = written {
        let _ = fs::remove_file(&aside);
        return Err(error);
    }
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
