//! Chance, where fleets must not act in step. Nothing secret depends on it.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// A number from 0 up to but not including 1.
pub(crate) fn fraction() -> f64 {
    let bits = RandomState::new().hash_one(0u8) >> 11;
    // 53 bits are exact in a double
    bits as f64 / (1u64 << 53) as f64
}

/// `base`, up to `share` of it more or less.
pub(crate) fn around(base: Duration, share: f64) -> Duration {
    base.mul_f64(1.0 + share * (2.0 * fraction() - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jittered_time_stays_near_and_moves() {
        let base = Duration::from_secs(100);
        let drawn: Vec<Duration> = (0..100).map(|_| around(base, 0.1)).collect();
        assert!(drawn.iter().all(|d| (90..=110).contains(&d.as_secs())));
        assert!(drawn.iter().any(|d| d != &drawn[0]));
    }
}
