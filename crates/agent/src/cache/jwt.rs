//! JWT-SVIDs by identity and audience.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use spiffe::SpiffeId;
use zeroize::Zeroizing;

use crate::metrics::CACHE_JWT;

/// Whose token, and for whom: the audience is a set.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct JwtKey {
    id: SpiffeId,
    audience: BTreeSet<String>,
}

impl JwtKey {
    pub(crate) fn new(id: SpiffeId, audience: &[String]) -> Self {
        Self { id, audience: audience.iter().cloned().collect() }
    }
}

/// A JWT-SVID.
#[derive(Clone)]
pub(crate) struct JwtHeld {
    pub(crate) token: Arc<Zeroizing<String>>,
    pub(crate) issued_at: SystemTime,
    pub(crate) expires_at: SystemTime,
}

impl JwtHeld {
    /// Whether more than half of its life is left.
    pub(crate) fn is_fresh(&self, now: SystemTime) -> bool {
        let life = self.expires_at.duration_since(self.issued_at).unwrap_or_default();
        now < self.issued_at + life / 2
    }

    pub(crate) fn is_valid(&self, now: SystemTime) -> bool {
        now < self.expires_at
    }

    fn key_id(&self) -> Option<String> {
        let header = self.token.split('.').next()?;
        let header = URL_SAFE_NO_PAD.decode(header).ok()?;
        let header: serde_json::Value = serde_json::from_slice(&header).ok()?;
        Some(header.get("kid")?.as_str()?.to_owned())
    }
}

/// JWT-SVIDs, at most so many; the longest unused goes first.
pub(crate) struct JwtCache {
    max: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    step: u64,
    by_key: HashMap<JwtKey, Slot>,
}

struct Slot {
    used: u64,
    held: Option<JwtHeld>,
    /// Who asks the server for it holds this, so that it is asked once.
    asking: Arc<tokio::sync::Mutex<()>>,
}

fn count(kept: &Kept) -> usize {
    kept.by_key.values().filter(|slot| slot.held.is_some()).count()
}

fn measure(kept: &Kept) {
    CACHE_JWT.count(count(kept), &[]);
}

impl JwtCache {
    pub(super) fn new(max: usize) -> Self {
        Self { max: max.max(1), kept: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token, if there is one, and the lock to hold while asking for it.
    pub(crate) fn get(&self, key: &JwtKey) -> (Option<JwtHeld>, Arc<tokio::sync::Mutex<()>>) {
        let mut kept = self.kept();
        kept.step += 1;
        let step = kept.step;
        if let Some(slot) = kept.by_key.get_mut(key) {
            slot.used = step;
            return (slot.held.clone(), slot.asking.clone());
        }
        self.make_room(&mut kept);
        let asking = Arc::default();
        kept.by_key.insert(key.clone(), Slot { used: step, held: None, asking: Arc::clone(&asking) });
        (None, asking)
    }

    pub(crate) fn put(&self, key: JwtKey, held: JwtHeld) {
        let mut kept = self.kept();
        kept.step += 1;
        let step = kept.step;
        if let Some(slot) = kept.by_key.get_mut(&key) {
            slot.used = step;
            slot.held = Some(held);
        } else {
            self.make_room(&mut kept);
            kept.by_key.insert(key, Slot { used: step, held: Some(held), asking: Arc::default() });
        }
        measure(&kept);
    }

    fn make_room(&self, kept: &mut Kept) {
        while kept.by_key.len() >= self.max {
            let oldest = kept.by_key.iter().min_by_key(|(_, slot)| slot.used).map(|(key, _)| key.clone());
            let Some(oldest) = oldest else { return };
            kept.by_key.remove(&oldest);
        }
    }

    pub(crate) fn len(&self) -> usize {
        count(&self.kept())
    }

    /// The ids of the keys that signed what is kept.
    pub(crate) fn key_ids(&self) -> Vec<String> {
        let kept = self.kept();
        let ids: BTreeSet<String> =
            kept.by_key.values().filter_map(|slot| slot.held.as_ref()?.key_id()).collect();
        ids.into_iter().collect()
    }

    /// Drops what these keys signed, and says how many there were.
    pub(super) fn forget_signed_by(&self, keys: &HashSet<String>) -> usize {
        let mut kept = self.kept();
        let before = kept.by_key.len();
        let signed = |held: &JwtHeld| held.key_id().is_some_and(|id| keys.contains(&id));
        kept.by_key.retain(|_, slot| !slot.held.as_ref().is_some_and(signed));
        measure(&kept);
        before - kept.by_key.len()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn held(kid: &str) -> JwtHeld {
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#));
        let issued_at = SystemTime::UNIX_EPOCH;
        let token = Arc::new(Zeroizing::new(format!("{header}.e30.x")));
        JwtHeld { token, issued_at, expires_at: issued_at + Duration::from_secs(100) }
    }

    fn key(path: &str, audience: &[&str]) -> JwtKey {
        let audience: Vec<String> = audience.iter().map(|one| (*one).to_owned()).collect();
        JwtKey::new(SpiffeId::parse(&format!("spiffe://example.org{path}")).unwrap(), &audience)
    }

    #[test]
    fn the_order_of_audiences_does_not_matter() {
        assert_eq!(key("/a", &["x", "y"]), key("/a", &["y", "x"]));
    }

    #[test]
    fn the_limit_is_hard_and_the_longest_unused_goes_first() {
        let cache = JwtCache::new(2);
        cache.put(key("/a", &["x"]), held("k"));
        cache.put(key("/b", &["x"]), held("k"));
        cache.get(&key("/a", &["x"]));
        cache.put(key("/c", &["x"]), held("k"));
        assert_eq!(cache.len(), 2);
        assert!(cache.get(&key("/a", &["x"])).0.is_some());
        assert!(cache.get(&key("/b", &["x"])).0.is_none());
    }

    #[test]
    fn a_token_is_fresh_for_half_its_life_and_valid_to_its_end() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let held = held("k");
        assert!(held.is_fresh(at(49)) && !held.is_fresh(at(50)));
        assert!(held.is_valid(at(99)) && !held.is_valid(at(100)));
    }

    #[test]
    fn what_a_tainted_key_signed_is_dropped() {
        let cache = JwtCache::new(8);
        cache.put(key("/a", &["x"]), held("bad"));
        cache.put(key("/b", &["x"]), held("good"));
        assert_eq!(cache.forget_signed_by(&HashSet::from(["bad".to_owned()])), 1);
        assert_eq!(cache.key_ids(), ["good"]);
    }
}
