//! A key manager whose calls are counted.

use std::sync::Arc;

use async_trait::async_trait;
use model::ports::{KeyError, KeyManager};
use spiffe::key::{KeyType, PublicKey, SigAlg, SignError, Signer};
use tonic::Code;
use tracing::Instrument as _;

use crate::metrics::{KEY_GENERATE, KEY_GET, KEY_LIST, KEY_SIGN};

/// Counts what a key manager is asked for.
pub(crate) struct MeteredKeys(pub(crate) Arc<dyn KeyManager>);

fn code(error: &KeyError) -> Code {
    match error {
        KeyError::NotFound(_) => Code::NotFound,
        KeyError::Unreadable { .. } | KeyError::Unwritable { .. } => Code::Unavailable,
        KeyError::Generate { .. } => Code::Internal,
    }
}

#[async_trait]
impl KeyManager for MeteredKeys {
    async fn generate(&self, id: &str, key_type: KeyType) -> Result<Arc<dyn Signer>, KeyError> {
        let call = KEY_GENERATE.start(&[]);
        let span = kit::traced!("key.generate", manager = self.0.name(), key = id);
        let made = self.0.generate(id, key_type).instrument(span).await;
        call.with(&made, code);
        made.map(metered)
    }

    async fn get(&self, id: &str) -> Result<Option<Arc<dyn Signer>>, KeyError> {
        let call = KEY_GET.start(&[]);
        let found = self.0.get(id).await;
        match &found {
            Ok(None) => call.done(Code::NotFound),
            other => call.with(other, code),
        }
        found.map(|found| found.map(metered))
    }

    async fn list(&self) -> Result<Vec<(String, PublicKey)>, KeyError> {
        let call = KEY_LIST.start(&[]);
        let list = self.0.list().await;
        call.with(&list, code);
        list
    }

    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn persistent(&self) -> bool {
        self.0.persistent()
    }
}

fn metered(signer: Arc<dyn Signer>) -> Arc<dyn Signer> {
    Arc::new(MeteredSigner(signer))
}

struct MeteredSigner(Arc<dyn Signer>);

impl Signer for MeteredSigner {
    fn public(&self) -> &PublicKey {
        self.0.public()
    }

    fn sign(&self, alg: SigAlg, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let call = KEY_SIGN.start(&[]);
        let _span = kit::traced!("key.sign").entered();
        let signed = self.0.sign(alg, message);
        call.with(&signed, |_| Code::Internal);
        signed
    }
}
