//! Proofs that hold once (WIT-SVID §7.2, wpt §2).

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use aws_lc_rs::digest::{Context, SHA256, digest};

use crate::key::PublicKey;

/// The name of a proof: of a fixed size, whatever its sender called it, and of that sender alone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProofName([u8; 32]);

impl ProofName {
    /// The name that the holder of `key` gave a proof of some kind.
    pub(super) fn new(key: &PublicKey, kind: &str, name: &str) -> Self {
        let mut hash = Context::new(&SHA256);
        for part in [key.spki_der(), kind.as_bytes(), name.as_bytes()] {
            hash.update(digest(&SHA256, part).as_ref());
        }
        Self(hash.finish().as_ref().try_into().unwrap_or_default())
    }

    /// Its 32 bytes, for a cache that several verifiers share.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ProofName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProofName(")?;
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…)")
    }
}

/// Why a proof may not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// It was used before.
    #[error("the proof was used before; make a new one for each request")]
    Seen,
    /// Nobody can tell whether it was used before.
    #[error("the memory of used proofs is full: give it more room, or accept shorter lifetimes")]
    Full,
}

/// Remembers which proofs were used. It must be bounded: when it is full it refuses and does not forget.
pub trait ReplayCache: Send + Sync {
    /// Remembers a proof until it expires. It is asked only about proofs that hold otherwise, so that nobody without a key
    /// of a WIT-SVID can fill it.
    ///
    /// # Errors
    ///
    /// If the proof was remembered before, or cannot be.
    fn remember(&self, proof: &ProofName, until: SystemTime, now: SystemTime) -> Result<(), ReplayError>;
}

/// A memory of used proofs for one process, with room for so many at a time.
pub struct ReplayMemory {
    room: usize,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    names: HashSet<ProofName>,
    ends: BTreeSet<(SystemTime, ProofName)>,
}

impl ReplayMemory {
    /// A memory for `room` proofs, each of which takes about 150 bytes until it expires.
    pub fn new(room: usize) -> Self {
        Self { room, used: Mutex::default() }
    }
}

impl ReplayCache for ReplayMemory {
    fn remember(&self, proof: &ProofName, until: SystemTime, now: SystemTime) -> Result<(), ReplayError> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((end, name)) = used.ends.first().copied().filter(|(end, _)| *end <= now) {
            used.ends.remove(&(end, name));
            used.names.remove(&name);
        }
        if used.names.contains(proof) {
            return Err(ReplayError::Seen);
        }
        if used.names.len() >= self.room {
            return Err(ReplayError::Full);
        }
        used.names.insert(*proof);
        used.ends.insert((until, *proof));
        Ok(())
    }
}

impl fmt::Debug for ReplayMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReplayMemory({})", self.room)
    }
}

/// Remembers nothing: whoever reads a request can send it again until its proof expires. For verifiers where the request
/// does no harm a second time.
#[derive(Debug, Clone, Copy)]
pub struct DangerAcceptReplays;

impl ReplayCache for DangerAcceptReplays {
    fn remember(&self, _: &ProofName, _: SystemTime, _: SystemTime) -> Result<(), ReplayError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::key::{KeyType, PrivateKey, Signer};

    #[test]
    fn a_proof_is_remembered_until_it_expires_and_no_longer() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let (one, two) =
            (PrivateKey::generate(KeyType::EcP256).unwrap(), PrivateKey::generate(KeyType::EcP256).unwrap());
        let name = |key: &PrivateKey, name| ProofName::new(key.public(), "wpt", name);
        let memory = ReplayMemory::new(3);
        memory.remember(&name(&one, "a"), at(60), at(0)).unwrap();
        assert_eq!(memory.remember(&name(&one, "a"), at(60), at(59)), Err(ReplayError::Seen));
        // Others may call theirs the same.
        memory.remember(&name(&two, "a"), at(90), at(0)).unwrap();
        memory.remember(&name(&one, "b"), at(90), at(0)).unwrap();
        assert_eq!(memory.remember(&name(&one, "c"), at(90), at(0)), Err(ReplayError::Full));
        memory.remember(&name(&one, "c"), at(90), at(60)).unwrap();
        assert_eq!(memory.remember(&name(&two, "a"), at(90), at(60)), Err(ReplayError::Seen));
    }
}
