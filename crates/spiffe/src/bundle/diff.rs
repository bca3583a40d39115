//! What changed between two bundles, or two sets of them: what a log line, a feed or a cache wants to know.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use super::{Bundle, BundleSet, JwtAuthority, WitAuthority, X509Authority};

/// What changed in a bundle, from an older to a newer one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleDiff {
    /// The X.509 authorities that changed.
    pub x509: Changes<X509Authority>,
    /// The JWT authorities that changed.
    pub jwt: Changes<JwtAuthority>,
    /// The WIT authorities that changed.
    pub wit: Changes<WitAuthority>,
    /// The refresh hint before and after, if it changed.
    pub refresh_hint: Option<(Option<Duration>, Option<Duration>)>,
    /// The sequence number before and after, if it changed.
    pub sequence: Option<(u64, u64)>,
}

/// What changed among the authorities of one use. A key that took another's key id is one that was added, and the other was
/// removed: both are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes<A> {
    /// There now, and not before.
    pub added: Vec<A>,
    /// There before, and not now: revoked (Trust Domain and Bundle §3).
    pub removed: Vec<A>,
    /// There both times, and tainted only now.
    pub tainted: Vec<A>,
    /// There both times and different in something else, as it is now: its end, or no longer tainted.
    pub altered: Vec<A>,
}

impl<A> Changes<A> {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.tainted.is_empty() && self.altered.is_empty()
    }
}

impl BundleDiff {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.same_keys() && self.refresh_hint.is_none() && self.sequence.is_none()
    }

    /// Whether no authority changed.
    pub fn same_keys(&self) -> bool {
        self.x509.is_empty() && self.jwt.is_empty() && self.wit.is_empty()
    }
}

/// What changed between two sets of bundles.
#[derive(Debug, Clone, PartialEq)]
pub struct SetDiff {
    /// The bundles of trust domains that had none.
    pub added: Vec<Arc<Bundle>>,
    /// The bundles of trust domains that have none any more: nothing of theirs is valid.
    pub removed: Vec<Arc<Bundle>>,
    /// The bundles that are different, as they are now, with what changed.
    pub changed: Vec<(Arc<Bundle>, BundleDiff)>,
}

impl SetDiff {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

impl Bundle {
    /// What changed from this bundle to `newer`; nothing to say where that is of another trust domain, for such bundles have
    /// nothing in common.
    pub fn diff(&self, newer: &Bundle) -> Option<BundleDiff> {
        if self.trust_domain() != newer.trust_domain() {
            return None;
        }
        Some(BundleDiff {
            x509: changes(self.x509_authorities(), newer.x509_authorities()),
            jwt: changes(self.jwt_authorities(), newer.jwt_authorities()),
            wit: changes(self.wit_authorities(), newer.wit_authorities()),
            refresh_hint: changed(self.refresh_hint, newer.refresh_hint),
            sequence: changed(self.sequence, newer.sequence),
        })
    }
}

impl BundleSet {
    /// What changed from this set to `newer`.
    pub fn diff(&self, newer: &BundleSet) -> SetDiff {
        let absent = |from: &BundleSet, bundle: &&Arc<Bundle>| from.get(bundle.trust_domain()).is_none();
        let changed = |now: &Arc<Bundle>| {
            let before = self.get(now.trust_domain())?;
            if Arc::ptr_eq(before, now) {
                return None;
            }
            let diff = before.diff(now)?;
            (!diff.is_empty()).then(|| (now.clone(), diff))
        };
        SetDiff {
            added: newer.iter().filter(|bundle| absent(self, bundle)).cloned().collect(),
            removed: self.iter().filter(|bundle| absent(newer, bundle)).cloned().collect(),
            changed: newer.iter().filter_map(changed).collect(),
        }
    }
}

fn changed<T: PartialEq>(before: T, now: T) -> Option<(T, T)> {
    (before != now).then_some((before, now))
}

/// What makes an authority the same one, whatever else is said of it.
trait Authority: Clone + PartialEq {
    type Identity<'a>: Hash + Eq
    where
        Self: 'a;

    fn identity(&self) -> Self::Identity<'_>;
    fn tainted(&self) -> bool;
    /// The same, tainted.
    fn spoilt(self) -> Self;
}

impl Authority for X509Authority {
    type Identity<'a> = &'a [u8];

    fn identity(&self) -> &[u8] {
        self.certificate.der()
    }

    fn tainted(&self) -> bool {
        self.tainted
    }

    fn spoilt(self) -> Self {
        Self { tainted: true, ..self }
    }
}

impl Authority for JwtAuthority {
    type Identity<'a> = (&'a str, &'a [u8]);

    fn identity(&self) -> (&str, &[u8]) {
        (&self.key_id, self.public_key.spki_der())
    }

    fn tainted(&self) -> bool {
        self.tainted
    }

    fn spoilt(self) -> Self {
        Self { tainted: true, ..self }
    }
}

impl Authority for WitAuthority {
    type Identity<'a> = (&'a str, &'a [u8]);

    fn identity(&self) -> (&str, &[u8]) {
        (&self.key_id, self.public_key.spki_der())
    }

    fn tainted(&self) -> bool {
        self.tainted
    }

    fn spoilt(self) -> Self {
        Self { tainted: true, ..self }
    }
}

fn changes<A: Authority>(before: &[A], now: &[A]) -> Changes<A> {
    let old: HashMap<_, &A> = before.iter().map(|a| (a.identity(), a)).collect();
    let new: HashMap<_, &A> = now.iter().map(|a| (a.identity(), a)).collect();
    let mut changes =
        Changes { added: Vec::new(), removed: Vec::new(), tainted: Vec::new(), altered: Vec::new() };
    for authority in now {
        match old.get(&authority.identity()) {
            None => changes.added.push(authority.clone()),
            Some(before) if *before == authority => {}
            Some(before) => {
                let newly = authority.tainted() && !before.tainted();
                if newly {
                    changes.tainted.push(authority.clone());
                }
                if !newly || (*before).clone().spoilt() != *authority {
                    changes.altered.push(authority.clone());
                }
            }
        }
    }
    changes.removed = before.iter().filter(|a| !new.contains_key(&a.identity())).cloned().collect();
    changes
}
