//! How often workloads may call: a bucket for each set of selectors and each method, as in SPIRE 1.16.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

use model::Selectors;
use tokio::time::Instant;
use tonic::Status;

use super::method::Method;
use crate::metrics::RATE_LIMITED;
use crate::settings::CallLimits;

/// So many buckets are kept. A bucket that is full again says nothing and is dropped when room is needed; callers beyond
/// that many who call within one second share what is left.
const BUCKETS: usize = 16 * 1024;

/// What a caller has left.
struct Bucket {
    left: f64,
    at: Instant,
}

/// Counts calls.
pub(crate) struct Limiter {
    limits: CallLimits,
    hash: RandomState,
    buckets: Mutex<HashMap<(&'static str, u64), Bucket>>,
}

impl Limiter {
    /// One that has seen no call yet.
    pub(crate) fn new(limits: CallLimits) -> Self {
        Self { limits, hash: RandomState::new(), buckets: Mutex::default() }
    }

    fn limit(&self, method: Method) -> Option<u32> {
        match method {
            Method::X509Svid => self.limits.x509_svid,
            Method::X509Bundles => self.limits.x509_bundles,
            Method::JwtSvid => self.limits.jwt_svid,
            Method::JwtBundles => self.limits.jwt_bundles,
            Method::ValidateJwtSvid => self.limits.validate_jwt_svid,
            Method::WitSvid => self.limits.wit_svid,
            Method::WitBundles => self.limits.wit_bundles,
        }
    }

    /// Counts a call of someone with these selectors, or refuses it.
    pub(super) fn pass(&self, method: Method, selectors: &Selectors, now: Instant) -> Result<(), Status> {
        self.count(method.path(), self.limit(method), selectors, now)
    }

    /// The same for a call of SDS, by its path; `lasting` if it opens a stream.
    pub(super) fn pass_secrets(
        &self,
        path: &'static str,
        lasting: bool,
        selectors: &Selectors,
        now: Instant,
    ) -> Result<(), Status> {
        let limit = if lasting { self.limits.stream_secrets } else { self.limits.fetch_secrets };
        self.count(path, limit, selectors, now)
    }

    fn count(
        &self,
        path: &'static str,
        limit: Option<u32>,
        selectors: &Selectors,
        now: Instant,
    ) -> Result<(), Status> {
        let Some(limit) = limit else { return Ok(()) };
        // Keyed by chance, so that nobody can choose selectors that share another's bucket.
        let key = (path, self.hash.hash_one(selectors));
        if self.take(key, f64::from(limit), now) {
            return Ok(());
        }
        RATE_LIMITED.add(1, &[path]);
        Err(Status::unavailable(format!("rate limit exceeded for {path}")))
    }

    fn take(&self, key: (&'static str, u64), limit: f64, now: Instant) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS && !buckets.contains_key(&key) {
            // A second fills any bucket.
            buckets.retain(|_, bucket| now.duration_since(bucket.at).as_secs() < 1);
        }
        let key = if buckets.len() >= BUCKETS && !buckets.contains_key(&key) { (key.0, 0) } else { key };
        let bucket = buckets.entry(key).or_insert(Bucket { left: limit, at: now });
        let since = now.duration_since(bucket.at).as_secs_f64();
        bucket.left = (bucket.left + since * limit).min(limit);
        bucket.at = now;
        let enough = bucket.left >= 1.0;
        if enough {
            bucket.left -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use model::Selector;

    use super::*;

    fn selectors(uid: u32) -> Selectors {
        std::iter::once(Selector::parse(&format!("unix:uid:{uid}")).unwrap()).collect()
    }

    fn limiter() -> Limiter {
        Limiter::new(CallLimits { jwt_svid: Some(2), ..CallLimits::default() })
    }

    #[test]
    fn as_many_may_call_at_once_as_in_a_second_and_then_as_time_passes() {
        let (limiter, now) = (limiter(), Instant::now());
        let ok = |at: Instant| limiter.pass(Method::JwtSvid, &selectors(1), at).is_ok();
        assert_eq!([ok(now), ok(now), ok(now)], [true, true, false]);
        let later = now + Duration::from_millis(600);
        assert_eq!([ok(later), ok(later)], [true, false]);
    }

    #[test]
    fn other_selectors_and_other_methods_are_counted_apart_and_strangers_as_one() {
        let (limiter, now) = (limiter(), Instant::now());
        let pass = |method, who: &Selectors| limiter.pass(method, who, now);
        for _ in 0..3 {
            let _ = pass(Method::JwtSvid, &selectors(1));
            let _ = pass(Method::JwtSvid, &Selectors::default());
        }
        let refused = pass(Method::JwtSvid, &selectors(1)).unwrap_err();
        assert_eq!(refused.code(), tonic::Code::Unavailable);
        assert_eq!(refused.message(), "rate limit exceeded for /SpiffeWorkloadAPI/FetchJWTSVID");
        assert!(pass(Method::JwtSvid, &Selectors::default()).is_err());
        assert!(pass(Method::JwtSvid, &selectors(2)).is_ok());
        assert!(pass(Method::X509Svid, &selectors(1)).is_ok());
    }

    #[test]
    fn what_is_kept_of_callers_is_bounded() {
        let (limiter, now) = (limiter(), Instant::now());
        for uid in 0..(BUCKETS as u32 + 100) {
            let _ = limiter.pass(Method::JwtSvid, &selectors(uid), now);
        }
        assert!(limiter.buckets.lock().unwrap().len() <= BUCKETS + 1);
        let later = now + Duration::from_secs(2);
        assert!(limiter.pass(Method::JwtSvid, &selectors(u32::MAX), later).is_ok());
        assert_eq!(limiter.buckets.lock().unwrap().len(), 1);
    }
}
