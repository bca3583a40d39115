//! The key managers: what each holds to, and what a file on disk may look like.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use contract::key_manager::{Open, suite};
use model::ports::{KeyError, KeyManager};
use plugins_local::keys::{Disk, Memory};
use spiffe::key::KeyType;
use tempfile::TempDir;

/// A file in the form that SPIRE 1.16 writes: of a server, with a P-256, a P-384 and an RSA key.
const SAMPLE: &str = include_str!("samples/keys.json");

struct OnDisk(TempDir);

impl Open for OnDisk {
    fn open(&self) -> Arc<dyn KeyManager> {
        Arc::new(Disk::open(self.0.path().join("keys.json")).unwrap())
    }
}

struct InDirectory(TempDir);

impl Open for InDirectory {
    fn open(&self) -> Arc<dyn KeyManager> {
        Arc::new(Disk::in_directory(self.0.path().join("data/agent")).unwrap())
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn sample_in(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("keys.json");
    fs::write(&path, SAMPLE).unwrap();
    path
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_manager_of_a_server_on_disk_holds_to_the_contract() {
    suite(|| OnDisk(folder())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_manager_of_an_agent_on_disk_holds_to_the_contract() {
    suite(|| InDirectory(folder())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_manager_in_memory_holds_to_the_contract() {
    suite(|| || Arc::new(Memory::new()) as Arc<dyn KeyManager>).await;
}

#[tokio::test]
async fn a_file_that_spire_wrote_loads() {
    let folder = folder();
    let keys = Disk::open(sample_in(&folder)).unwrap();
    let listed = keys.list().await.unwrap();
    let names: Vec<&str> = listed.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(names, ["JWT-Signer-A", "WIT-Signer-A", "x509-CA-A"]);
}

#[tokio::test]
async fn what_is_written_reads_as_spire_would_have_written_it() {
    let folder = folder();
    let path = sample_in(&folder);
    Disk::open(&path).unwrap().generate("x509-CA-B", KeyType::EcP256).await.unwrap();
    let written = fs::read_to_string(&path).unwrap();
    // the old keys are still there, byte for byte, and the new one stands where Go sorts it
    let (kept, _) = SAMPLE.split_once("\n\t}").unwrap();
    let (before, new) = written.split_once(&format!("{kept},\n\t\t\"x509-CA-B\": \"")).unwrap();
    assert_eq!(before, "");
    assert!(new.ends_with("\"\n\t}\n}"), "{new}");
}

#[tokio::test]
async fn the_file_is_for_its_owner_alone() {
    let folder = folder();
    let path = sample_in(&folder);
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let keys = Disk::open(&path).unwrap();
    keys.generate("new", KeyType::EcP256).await.unwrap();
    assert_eq!(mode(&path), 0o600);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(left, ["keys.json"]);
}

#[tokio::test]
async fn an_agents_folder_is_made_for_its_owner_alone() {
    let folder = folder();
    let path = folder.path().join("a/b");
    let keys = Disk::in_directory(&path).unwrap();
    assert_eq!(mode(&path), 0o700);
    keys.generate("agent-svid-A", KeyType::EcP256).await.unwrap();
    assert_eq!(mode(&path.join("keys.json")), 0o600);
}

#[tokio::test]
async fn a_file_that_a_crash_left_half_written_is_in_nobodys_way() {
    let folder = folder();
    let path = sample_in(&folder);
    fs::write(folder.path().join("keys.json.tmp"), "{\"keys\": {\"x5").unwrap();
    Disk::open(&path).unwrap().generate("new", KeyType::EcP256).await.unwrap();
    assert_eq!(Disk::open(&path).unwrap().list().await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_link_to_the_file_stays_a_link() {
    let folder = folder();
    let path = sample_in(&folder);
    let link = folder.path().join("link.json");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    Disk::open(&link).unwrap().generate("new", KeyType::EcP256).await.unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(Disk::open(&path).unwrap().list().await.unwrap().len(), 4);
}

#[test]
fn no_file_is_no_key_but_a_damaged_one_is_an_error_that_says_what_to_do() {
    let folder = folder();
    let path = folder.path().join("keys.json");
    assert!(Disk::open(&path).is_ok());
    let cut = SAMPLE.get(..SAMPLE.len() / 2).unwrap();
    let no_key = r#"{"keys": {"x509-CA-A": "AAAA"}}"#;
    let no_base64 = r#"{"keys": {"x509-CA-A": "secret!"}}"#;
    for damaged in ["", "\n", "{", cut, "[]", r#"{"keys": ["a"]}"#, no_key, no_base64] {
        fs::write(&path, damaged).unwrap();
        let Err(KeyError::Unreadable { place, why }) = Disk::open(&path).map(drop) else {
            panic!("accepted: {damaged}");
        };
        assert_eq!(Path::new(&place), path);
        assert!(why.contains("put back a copy"), "{why}");
        assert!(!why.contains("secret!"), "{why}");
    }
}

#[test]
fn a_folder_in_place_of_the_file_is_an_error() {
    let refused = Disk::open(folder().path()).map(drop).unwrap_err();
    assert!(matches!(refused, KeyError::Unreadable { .. }), "{refused}");
}

#[test]
fn keys_of_null_are_none() {
    let folder = folder();
    let path = folder.path().join("keys.json");
    fs::write(&path, r#"{"keys": null, "more": 1}"#).unwrap();
    assert!(Disk::open(&path).is_ok());
}

#[tokio::test]
async fn a_key_that_cannot_be_kept_is_not_used() {
    let folder = folder();
    let keys = Disk::open(folder.path().join("gone/keys.json")).unwrap();
    let Err(KeyError::Unwritable { why, .. }) = keys.generate("x509-CA-A", KeyType::EcP256).await.map(drop)
    else {
        panic!("kept in a folder that does not exist");
    };
    assert!(why.contains("does not exist: make it"), "{why}");
    assert!(keys.get("x509-CA-A").await.unwrap().is_none());
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_an_error_and_leaves_the_keys() {
    if is_root() {
        // root writes wherever a mode forbids it: only a file system mounted read-only stops it
        return read_only_mount().await;
    }
    let folder = folder();
    let path = sample_in(&folder);
    let keys = Disk::open(&path).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o500)).unwrap();
    let refused = keys.generate("new", KeyType::EcP256).await.map(drop).unwrap_err();
    let refused_agent = Disk::in_directory(folder.path()).map(drop).unwrap_err();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    assert!(matches!(refused, KeyError::Unwritable { .. }), "{refused}");
    assert!(matches!(refused_agent, KeyError::Unwritable { .. }), "{refused_agent}");
    assert_eq!(fs::read_to_string(&path).unwrap(), SAMPLE);
}

async fn read_only_mount() {
    // /sys is mounted and takes no new file, whoever asks
    let keys = Disk::open("/sys/keys.json").unwrap();
    let refused = keys.generate("new", KeyType::EcP256).await.map(drop).unwrap_err();
    assert!(matches!(refused, KeyError::Unwritable { .. }), "{refused}");
    assert!(keys.list().await.unwrap().is_empty());
    let refused = Disk::in_directory("/sys/agent").map(drop).unwrap_err();
    assert!(matches!(refused, KeyError::Unwritable { .. }), "{refused}");
}
