//! What every key manager holds to. Each case opens managers by itself, so that they can run beside one another.

use std::sync::Arc;

use model::ports::KeyManager;
use spiffe::key::{KeyType, SigAlg, Signer};

/// Opens the key manager under test: the same keys each time, as a restart would find them.
pub trait Open: Send + Sync {
    /// Opens it.
    fn open(&self) -> Arc<dyn KeyManager>;
}

impl<F: Fn() -> Arc<dyn KeyManager> + Send + Sync> Open for F {
    fn open(&self) -> Arc<dyn KeyManager> {
        self()
    }
}

/// Runs every case, each on a manager without keys that `fresh` makes.
pub async fn suite<O: Open>(fresh: impl Fn() -> O) {
    a_new_manager_is_empty(&fresh()).await;
    a_key_signs_under_its_name(&fresh()).await;
    every_key_type_can_be_made(&fresh()).await;
    a_new_key_replaces_the_old(&fresh()).await;
    keys_are_listed_by_name(&fresh()).await;
    keys_made_at_once_are_all_kept(&fresh()).await;
    a_restart_finds_the_keys_if_they_persist(&fresh()).await;
}

async fn a_new_manager_is_empty(manager: &impl Open) {
    let manager = manager.open();
    assert!(manager.get("x509-CA-A").await.expect("an empty manager can be asked").is_none());
    assert_eq!(manager.list().await.expect("an empty manager can be listed").len(), 0);
}

async fn a_key_signs_under_its_name(manager: &impl Open) {
    let manager = manager.open();
    let made = generate(&*manager, "x509-CA-A", KeyType::EcP256).await;
    let held = get(&*manager, "x509-CA-A").await;
    assert_eq!(made.public(), held.public());
    assert_signs(&*held);
    assert!(manager.get("x509-CA-B").await.expect("asked for another").is_none());
}

async fn every_key_type_can_be_made(manager: &impl Open) {
    let manager = manager.open();
    for key_type in [KeyType::EcP256, KeyType::EcP384, KeyType::Rsa2048, KeyType::Rsa4096] {
        assert_signs(&*generate(&*manager, key_type.as_str(), key_type).await);
    }
    assert_eq!(names(&*manager).await, ["ec-p256", "ec-p384", "rsa-2048", "rsa-4096"]);
}

async fn a_new_key_replaces_the_old(manager: &impl Open) {
    let manager = manager.open();
    let old = generate(&*manager, "JWT-Signer-A", KeyType::EcP256).await;
    let new = generate(&*manager, "JWT-Signer-A", KeyType::EcP384).await;
    assert_ne!(old.public(), new.public());
    assert_eq!(get(&*manager, "JWT-Signer-A").await.public(), new.public());
    assert_eq!(names(&*manager).await, ["JWT-Signer-A"]);
    // who still holds the old one can finish with it
    assert_signs(&*old);
}

async fn keys_are_listed_by_name(manager: &impl Open) {
    let manager = manager.open();
    let one = generate(&*manager, "agent-svid-A", KeyType::EcP256).await;
    let two = generate(&*manager, "agent-svid-B", KeyType::EcP256).await;
    let mut listed = manager.list().await.expect("keys can be listed");
    listed.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [
        ("agent-svid-A".to_owned(), one.public().clone()),
        ("agent-svid-B".to_owned(), two.public().clone()),
    ];
    assert_eq!(listed, expected);
}

async fn keys_made_at_once_are_all_kept(manager: &impl Open) {
    let running = manager.open();
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let manager = Arc::clone(&running);
            tokio::spawn(async move {
                manager.generate(&format!("key-{number:02}"), KeyType::EcP256).await.expect("a key is made");
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("the task ends");
    }
    let expected: Vec<String> = (0..16).map(|number| format!("key-{number:02}")).collect();
    assert_eq!(names(&*running).await, expected);
    if running.persistent() {
        drop(running);
        assert_eq!(names(&*manager.open()).await, expected);
    }
}

async fn a_restart_finds_the_keys_if_they_persist(manager: &impl Open) {
    let first = manager.open();
    let made = generate(&*first, "x509-CA-A", KeyType::EcP384).await;
    let persistent = first.persistent();
    drop(first);
    let second = manager.open();
    match persistent {
        true => {
            let found = get(&*second, "x509-CA-A").await;
            assert_eq!(found.public(), made.public());
            assert_signs(&*found);
        }
        false => assert_eq!(names(&*second).await, Vec::<String>::new()),
    }
}

async fn generate(manager: &dyn KeyManager, id: &str, key_type: KeyType) -> Arc<dyn Signer> {
    manager.generate(id, key_type).await.expect("a key is made")
}

async fn get(manager: &dyn KeyManager, id: &str) -> Arc<dyn Signer> {
    manager.get(id).await.expect("the manager answers").expect("the key is held")
}

async fn names(manager: &dyn KeyManager) -> Vec<String> {
    let mut names: Vec<String> =
        manager.list().await.expect("keys can be listed").into_iter().map(|it| it.0).collect();
    names.sort_unstable();
    names
}

fn assert_signs(key: &dyn Signer) {
    let how = SigAlg::for_x509(key.public());
    let signature = key.sign(how, b"message").expect("a held key signs");
    key.public().verify(how, b"message", &signature).expect("what it signed verifies");
}
