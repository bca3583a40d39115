//! Numbers of traces and spans.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use kit::trace::{SpanId, TraceId};

/// Gives numbers that nobody else gives: a count, scattered by keys that this process drew when it began.
pub(super) struct Ids {
    keys: [RandomState; 3],
    count: AtomicU64,
}

impl Ids {
    pub(super) fn new() -> Self {
        Self { keys: std::array::from_fn(|_| RandomState::new()), count: AtomicU64::new(0) }
    }

    pub(super) fn trace(&self) -> TraceId {
        let count = self.next();
        let [high, low, _] = self.keys.each_ref().map(|key| key.hash_one(count));
        // All zeros is no number.
        TraceId(((u128::from(high) << 64) | u128::from(low.max(1))).to_be_bytes())
    }

    pub(super) fn span(&self) -> SpanId {
        let count = self.next();
        let [.., key] = &self.keys;
        SpanId(key.hash_one(count).max(1).to_be_bytes())
    }

    fn next(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }
}
