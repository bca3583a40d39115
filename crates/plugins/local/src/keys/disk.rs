use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use model::ports::{KeyError, KeyManager};
use spiffe::key::{KeyType, PrivateKey, PublicKey, Signer};

use super::file;
use super::held::{Held, generate, off_the_async_threads};

/// Keys in one JSON file that SPIRE 1.16 reads and writes too.
pub struct Disk {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    held: Held,
    /// Held while the file is written, so that two new keys do not lose one another.
    writing: Mutex<()>,
}

impl Disk {
    /// A server's keys, in the file at `keys_path`. There need be none yet; its folder must exist.
    ///
    /// Reads the file, so call it where blocking is allowed. A file that cannot be read or understood is an error:
    /// to go on without its keys would make a new CA behind the back of every node.
    pub fn open(keys_path: impl Into<PathBuf>) -> Result<Self, KeyError> {
        let path = keys_path.into();
        let held = Held::new(file::load(&path)?);
        Ok(Self { inner: Arc::new(Inner { path, held, writing: Mutex::new(()) }) })
    }

    /// An agent's keys, in `keys.json` in this folder, which is made if need be (0700), and must be writable.
    ///
    /// Blocks, as [`Disk::open`] does.
    pub fn in_directory(directory: impl AsRef<Path>) -> Result<Self, KeyError> {
        let directory = directory.as_ref();
        file::make_directory(directory)?;
        Self::open(directory.join("keys.json"))
    }
}

impl Inner {
    /// Writes the file with the new key, and only then lets readers see it: a key that is not kept is not used.
    fn keep(&self, id: String, key: Arc<PrivateKey>) -> Result<(), KeyError> {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = self.held.all();
        keys.insert(id, key);
        file::save(&self.path, &keys)?;
        self.held.replace(keys);
        Ok(())
    }
}

#[async_trait]
impl KeyManager for Disk {
    async fn generate(&self, id: &str, key_type: KeyType) -> Result<Arc<dyn Signer>, KeyError> {
        let inner = Arc::clone(&self.inner);
        let id = id.to_owned();
        off_the_async_threads(key_type, move || {
            let key = Arc::new(generate(key_type)?);
            inner.keep(id, Arc::clone(&key))?;
            Ok(key as Arc<dyn Signer>)
        })
        .await
    }

    async fn get(&self, id: &str) -> Result<Option<Arc<dyn Signer>>, KeyError> {
        Ok(self.inner.held.get(id))
    }

    async fn list(&self) -> Result<Vec<(String, PublicKey)>, KeyError> {
        Ok(self.inner.held.list())
    }

    fn name(&self) -> &'static str {
        "disk"
    }

    fn persistent(&self) -> bool {
        true
    }
}
