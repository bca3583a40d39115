//! The fixed keys: test keys that are public, and secure nothing.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::key::Key;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../vectors/keys/", $name, ".jwk")))),*]
    };
}

static KEYS: LazyLock<BTreeMap<&str, Key>> = LazyLock::new(|| {
    files![
        "ec256-root",
        "ec256-intermediate",
        "ec256-second-intermediate",
        "ec256-leaf",
        "ec256-other-root",
        "ec256-other",
        "ec384-root",
        "ec384-leaf",
        "ec521-root",
        "ec521-leaf",
        "rsa2048-root",
        "rsa2048-other",
        "rsa1024",
    ]
    .into_iter()
    .map(|(name, text)| (name, Key::from_jwk(text).expect("the keys that are checked in can be read")))
    .collect()
});

/// The key of that name, which is its file's in `testing/vectors/keys`.
pub fn key(name: &str) -> &'static Key {
    KEYS.get(name).expect("a generator names only keys that are checked in")
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Key> {
    KEYS.values()
}
