use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use model::ports::KeyError;
use spiffe::key::{KeyType, PrivateKey, PublicKey, Signer};

/// Keys by name.
pub(super) type Keys = BTreeMap<String, Arc<PrivateKey>>;

/// The keys of a manager, as its readers see them.
#[derive(Default)]
pub(super) struct Held(RwLock<Keys>);

impl Held {
    pub(super) fn new(keys: Keys) -> Self {
        Self(RwLock::new(keys))
    }

    pub(super) fn all(&self) -> Keys {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn replace(&self, keys: Keys) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    pub(super) fn insert(&self, id: String, key: Arc<PrivateKey>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(id, key);
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<dyn Signer>> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(id).map(|key| Arc::clone(key) as Arc<dyn Signer>)
    }

    pub(super) fn list(&self) -> Vec<(String, PublicKey)> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        keys.iter().map(|(id, key)| (id.clone(), key.public().clone())).collect()
    }
}

/// Makes a key. An RSA key of 4096 bits takes seconds: not for a thread that others wait on.
pub(super) fn generate(key_type: KeyType) -> Result<PrivateKey, KeyError> {
    PrivateKey::generate(key_type)
        .map_err(|why| KeyError::Generate { key_type: key_type.as_str(), why: why.to_string() })
}

/// Does `work` where blocking is allowed. It runs to its end even if nobody waits for it any more.
pub(super) async fn off_the_async_threads<T: Send + 'static>(
    key_type: KeyType,
    work: impl FnOnce() -> Result<T, KeyError> + Send + 'static,
) -> Result<T, KeyError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|why| Err(KeyError::Generate { key_type: key_type.as_str(), why: why.to_string() }))
}
