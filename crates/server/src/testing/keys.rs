use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use model::ports::{KeyError, KeyManager};
use spiffe::key::{KeyType, PrivateKey, PublicKey, Signer};

/// Keys in a map.
#[derive(Default)]
pub(crate) struct MemoryKeys {
    keys: Mutex<BTreeMap<String, Arc<dyn Signer>>>,
    made: AtomicUsize,
}

impl MemoryKeys {
    /// How many keys were made.
    #[allow(dead_code)] // benches do not count
    pub(crate) fn made(&self) -> usize {
        self.made.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl KeyManager for MemoryKeys {
    async fn generate(&self, id: &str, key_type: KeyType) -> Result<Arc<dyn Signer>, KeyError> {
        self.made.fetch_add(1, Ordering::Relaxed);
        let key: Arc<dyn Signer> = Arc::new(PrivateKey::generate(key_type).unwrap());
        self.keys.lock().unwrap().insert(id.to_owned(), key.clone());
        Ok(key)
    }

    async fn get(&self, id: &str) -> Result<Option<Arc<dyn Signer>>, KeyError> {
        Ok(self.keys.lock().unwrap().get(id).cloned())
    }

    async fn list(&self) -> Result<Vec<(String, PublicKey)>, KeyError> {
        let keys = self.keys.lock().unwrap();
        Ok(keys.iter().map(|(id, key)| (id.clone(), key.public().clone())).collect())
    }

    fn name(&self) -> &'static str {
        "double"
    }

    fn persistent(&self) -> bool {
        false
    }
}
