//! Keys that never leave a TPM. What is kept in a file is encrypted by it and of no use elsewhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use aws_lc_rs::digest::{Algorithm, SHA256, SHA384, digest};
use model::ports::{KeyError, KeyManager};
use spiffe::key::{KeyType, PublicKey, SigAlg, SignError, Signer};
use tokio::runtime::{Handle, RuntimeFlavor};
use zeroize::Zeroizing;

use super::file;
use super::held::off_the_async_threads;
use crate::json_bytes::Bytes;
use crate::tpm::device::detect;
use crate::tpm::error::TpmError;
use crate::tpm::ids::{alg, curve, handle};
use crate::tpm::public::{Kind, Public, Unique};
use crate::tpm::{Blobs, Loaded, Ticket, information, templates};

/// Keys in a TPM, each as a pair of blobs in one JSON file: `{"keys": {"<id>": {"public": …, "private": …}}}`, both in base64.
///
/// Each signature loads its key below the storage root key of the TCG's profile and removes both again, so that the
/// TPM's few places stay free: it takes as long as two or three commands of the TPM.
pub struct Tpm {
    inner: Arc<Inner>,
}

struct Inner {
    chip: Chip,
    path: PathBuf,
    keys: RwLock<BTreeMap<String, Arc<Key>>>,
    /// Held while the file is written, so that two new keys do not lose one another.
    writing: Mutex<()>,
}

/// The TPM, and what it wants to know before it makes a root key.
#[derive(Clone)]
struct Chip {
    tpm: crate::tpm::Tpm,
    owner: Arc<Zeroizing<String>>,
}

struct Key {
    chip: Chip,
    blobs: Blobs,
    curve: Curve,
    public: PublicKey,
}

#[derive(Clone, Copy)]
struct Curve {
    number: u16,
    signs: SigAlg,
    digest: &'static Algorithm,
    hash: u16,
}

const CURVES: [Curve; 2] = [
    Curve { number: curve::P256, signs: SigAlg::EcdsaP256Sha256, digest: &SHA256, hash: alg::SHA256 },
    Curve { number: curve::P384, signs: SigAlg::EcdsaP384Sha384, digest: &SHA384, hash: alg::SHA384 },
];

#[derive(serde::Serialize, serde::Deserialize, Default)]
struct Contents {
    keys: BTreeMap<String, Pair>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Pair {
    public: Bytes,
    private: Bytes,
}

impl Tpm {
    /// Keys of the TPM at `device` (the only one in `/dev` if there is none), kept in `tpm-keys.json` in this folder, which
    /// is made if need be (0700), and must be writable. `owner_password` is that of the owner hierarchy. A key that the
    /// TPM does not load, because it is of another one, is passed over with a warning. Blocks.
    pub fn open(
        device: Option<&Path>,
        directory: &Path,
        owner_password: Zeroizing<String>,
    ) -> Result<Self, KeyError> {
        let device = match device {
            Some(path) => path.to_owned(),
            None => detect(Path::new("/dev")).map_err(|why| unreadable(Path::new("/dev"), why))?,
        };
        let tpm = crate::tpm::Tpm::open(&device).map_err(|why| unreadable(&device, why.to_string()))?;
        let chip = Chip { tpm, owner: Arc::new(owner_password) };
        // says now whether the TPM answers and the password is right
        chip.root().map_err(|why| unreadable(&device, why.to_string()))?;
        file::make_directory(directory)?;
        let path = directory.join("tpm-keys.json");
        let keys = load(&path, &chip)?;
        Ok(Self { inner: Arc::new(Inner { chip, path, keys: RwLock::new(keys), writing: Mutex::new(()) }) })
    }

    /// The two halves of the key with this `SubjectPublicKeyInfo`, if it is one of these.
    pub(crate) fn blobs(&self, spki: &[u8]) -> Option<Blobs> {
        self.inner.all().values().find(|key| key.public.spki_der() == spki).map(|key| key.blobs.clone())
    }
}

impl Inner {
    fn all(&self) -> BTreeMap<String, Arc<Key>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn make(&self, id: String, key_type: KeyType) -> Result<Arc<Key>, KeyError> {
        let failed = |why: String| KeyError::Generate {
            key_type: key_type.as_str(),
            why: format!("by the TPM: {why}"),
        };
        let curve = match key_type {
            KeyType::EcP256 => curve::P256,
            KeyType::EcP384 => curve::P384,
            _ => return Err(failed("it is asked for ec-p256 and ec-p384 keys alone".to_owned())),
        };
        let template = templates::signing_key(Kind::Ecc { curve });
        let made = self.chip.root().and_then(|root| self.chip.tpm.create(&root, &[], &template));
        let blobs = made.map_err(|why| failed(why.to_string()))?;
        let key =
            Arc::new(Key::new(&self.chip, blobs).ok_or_else(|| failed("it made no such key".to_owned()))?);
        self.keep(id, Arc::clone(&key))?;
        Ok(key)
    }

    /// Writes the file with the new key, and only then lets readers see it: a key that is not kept is not used.
    fn keep(&self, id: String, key: Arc<Key>) -> Result<(), KeyError> {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = self.all();
        keys.insert(id, key);
        let pair = |key: &Key| Pair {
            public: Bytes(key.blobs.public.clone()),
            private: Bytes(key.blobs.private.clone()),
        };
        let contents = Contents { keys: keys.iter().map(|(id, key)| (id.clone(), pair(key))).collect() };
        let unwritable = |why: String| KeyError::Unwritable { place: self.path.display().to_string(), why };
        let text = serde_json::to_vec_pretty(&contents).map_err(|cause| unwritable(cause.to_string()))?;
        file::replace(&self.path, &text)?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }
}

impl Chip {
    /// The root that the keys are below, for as long as it is held.
    fn root(&self) -> Result<Loaded, TpmError> {
        let template = templates::storage_root(alg::ECC);
        self.tpm.create_primary(handle::OWNER, self.owner.as_bytes(), &template).map(|(root, _)| root)
    }

    fn load(&self, blobs: &Blobs) -> Result<Loaded, TpmError> {
        let root = self.root()?;
        self.tpm.load(&root, blobs)
    }
}

fn load(path: &Path, chip: &Chip) -> Result<BTreeMap<String, Arc<Key>>, KeyError> {
    let text = match crate::files::read(path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(cause) => return Err(unreadable(path, cause.to_string())),
    };
    let contents: Contents = serde_json::from_slice(&text).map_err(|cause| {
        let advice = "move the file away to start with new keys (the agent then attests anew)";
        unreadable(path, format!("it is not JSON as this key manager writes it: {cause}; {advice}"))
    })?;
    let mut keys = BTreeMap::new();
    for (id, pair) in contents.keys {
        let blobs = Blobs { private: pair.private.0, public: pair.public.0 };
        match chip.load(&blobs) {
            Ok(_) => keys.extend(Key::new(chip, blobs).map(|key| (id, Arc::new(key)))),
            Err(cause) => {
                tracing::warn!(key = id, error = %cause, "The TPM does not load a key; going on without it");
            }
        }
    }
    Ok(keys)
}

fn unreadable(place: &Path, why: String) -> KeyError {
    KeyError::Unreadable { place: place.display().to_string(), why }
}

impl Key {
    /// `None` if it is of no curve that is known.
    fn new(chip: &Chip, blobs: Blobs) -> Option<Self> {
        let public = Public::parse(&blobs.public).ok()?;
        let Unique::Ecc { curve, .. } = &public.unique else { return None };
        let curve = CURVES.into_iter().find(|known| known.number == *curve)?;
        let public = PublicKey::from_spki_der(&information::ec(&public)?).ok()?;
        Some(Self { chip: chip.clone(), blobs, curve, public })
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, TpmError> {
        let digest = digest(self.curve.digest, message);
        let loaded = self.chip.load(&self.blobs)?;
        let scheme = Some((alg::ECDSA, self.curve.hash));
        let signature = self.chip.tpm.sign((&loaded, &[]), digest.as_ref(), scheme, &Ticket::null())?;
        signature.to_usual().ok_or(TpmError::Answer("TPM2_Sign"))
    }
}

/// Lets others go on elsewhere while this thread waits for the TPM.
fn aside<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

impl Signer for Key {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Blocks for some commands of the TPM.
    fn sign(&self, alg: SigAlg, message: &[u8]) -> Result<Vec<u8>, SignError> {
        if alg != self.curve.signs {
            return Err(SignError::Algorithm(alg));
        }
        aside(|| self.signature(message)).map_err(|cause| SignError::Refused(cause.to_string()))
    }
}

#[async_trait]
impl KeyManager for Tpm {
    async fn generate(&self, id: &str, key_type: KeyType) -> Result<Arc<dyn Signer>, KeyError> {
        let inner = Arc::clone(&self.inner);
        let id = id.to_owned();
        off_the_async_threads(key_type, move || inner.make(id, key_type).map(|key| key as Arc<dyn Signer>))
            .await
    }

    async fn get(&self, id: &str) -> Result<Option<Arc<dyn Signer>>, KeyError> {
        Ok(self.inner.all().get(id).map(|key| Arc::clone(key) as Arc<dyn Signer>))
    }

    async fn list(&self) -> Result<Vec<(String, PublicKey)>, KeyError> {
        Ok(self.inner.all().iter().map(|(id, key)| (id.clone(), key.public.clone())).collect())
    }

    fn name(&self) -> &'static str {
        "tpm"
    }

    fn persistent(&self) -> bool {
        true
    }
}
