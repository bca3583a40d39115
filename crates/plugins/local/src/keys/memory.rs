use std::sync::Arc;

use async_trait::async_trait;
use model::ports::{KeyError, KeyManager};
use spiffe::key::{KeyType, PublicKey, Signer};

use super::held::{Held, generate, off_the_async_threads};

/// Keys that end with the process: a server makes a new CA at each start, an agent attests anew.
#[derive(Default)]
pub struct Memory {
    held: Arc<Held>,
}

impl Memory {
    /// One that holds no key yet.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl KeyManager for Memory {
    async fn generate(&self, id: &str, key_type: KeyType) -> Result<Arc<dyn Signer>, KeyError> {
        let held = Arc::clone(&self.held);
        let id = id.to_owned();
        off_the_async_threads(key_type, move || {
            let key = Arc::new(generate(key_type)?);
            held.insert(id, Arc::clone(&key));
            Ok(key as Arc<dyn Signer>)
        })
        .await
    }

    async fn get(&self, id: &str) -> Result<Option<Arc<dyn Signer>>, KeyError> {
        Ok(self.held.get(id))
    }

    async fn list(&self) -> Result<Vec<(String, PublicKey)>, KeyError> {
        Ok(self.held.list())
    }

    fn name(&self) -> &'static str {
        "memory"
    }

    fn persistent(&self) -> bool {
        false
    }
}
