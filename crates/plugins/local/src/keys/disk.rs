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
    held: Held,
    /// The file. Held while it is written, so that two new keys do not lose one another.
    path: Mutex<PathBuf>,
}

impl Disk {
    /// A server's keys, in the file at `keys_path`. There need be none yet; its folder must exist.
    ///
    /// Reads the file, so call it where blocking is allowed. A file that cannot be read or understood is an error:
    /// to go on without its keys would make a new CA behind the back of every node.
    pub fn open(keys_path: impl Into<PathBuf>) -> Result<Self, KeyError> {
        let path = keys_path.into();
        let held = Held::new(file::load(&path)?);
        Ok(Self { inner: Arc::new(Inner { held, path: Mutex::new(path) }) })
    }

    /// An agent's keys, in `keys.json` in this folder, which is made if need be (0700), and must be writable.
    ///
    /// Blocks, as [`Disk::open`] does.
    pub fn in_directory(directory: impl AsRef<Path>) -> Result<Self, KeyError> {
        let directory = directory.as_ref();
        file::make_directory(directory)?;
        Self::open(directory.join("keys.json"))
    }

    /// Keeps the keys in another file from now on. What is held is written there at once, so that a restart finds it;
    /// the old file stays as it is. A file that holds keys already is not touched: they may be another's.
    ///
    /// Blocks, as [`Disk::open`] does.
    pub fn move_to(&self, keys_path: impl Into<PathBuf>) -> Result<(), KeyError> {
        let to = keys_path.into();
        let mut path = self.inner.path.lock().unwrap_or_else(PoisonError::into_inner);
        if *path == to {
            return Ok(());
        }
        if !file::load(&to)?.is_empty() {
            let why = "it holds other keys already; name a file that is not there yet".to_owned();
            return Err(KeyError::Unwritable { place: to.display().to_string(), why });
        }
        file::save(&to, &self.inner.held.all())?;
        *path = to;
        Ok(())
    }

    /// As [`Disk::move_to`], to `keys.json` in this folder, which is made if need be.
    pub fn move_to_directory(&self, directory: impl AsRef<Path>) -> Result<(), KeyError> {
        let directory = directory.as_ref();
        file::make_directory(directory)?;
        self.move_to(directory.join("keys.json"))
    }
}

impl Inner {
    /// Writes the file with the new key, and only then lets readers see it: a key that is not kept is not used.
    fn keep(&self, id: String, key: Arc<PrivateKey>) -> Result<(), KeyError> {
        let path = self.path.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = self.held.all();
        keys.insert(id, key);
        file::save(&path, &keys)?;
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
