//! Key types by their names in SPIRE.

use spiffe::key::KeyType;

use super::block::Block;
use super::given::Given;
use super::problem::Problem;

/// What a key is for, and so which types it may have.
#[derive(Clone, Copy)]
pub(crate) enum Use {
    /// An authority.
    Authority,
    /// A workload's SVID.
    Workload,
}

impl Use {
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Authority => &["ec-p256", "ec-p384", "rsa-2048", "rsa-4096"],
            Self::Workload => &["ec-p256", "ec-p384", "rsa-2048"],
        }
    }
}

/// The key type under `key`, its name in any case.
pub(crate) fn key_type(block: &Block<'_>, key: &'static str, purpose: Use) -> Option<KeyType> {
    let Given { value, place } = block.text(key)?;
    let name = value.to_ascii_lowercase();
    let found = match name.as_str() {
        "ec-p256" => Some(KeyType::EcP256),
        "ec-p384" => Some(KeyType::EcP384),
        "rsa-2048" => Some(KeyType::Rsa2048),
        "rsa-4096" => Some(KeyType::Rsa4096),
        _ => None,
    };
    let found = found.filter(|_| purpose.names().contains(&name.as_str()));
    if found.is_none() {
        let why = format!("it must be one of {}", purpose.names().join(", "));
        block.mistake(place, Problem::BadValue { key: key.to_owned(), value, why });
    }
    found
}
