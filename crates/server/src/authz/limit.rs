//! How often an address may ask for what is dear (SPIRE 1.16's kinds and numbers).
//!
//! A caller over the limit waits its turn; one that asks for more at once than the limit allows in a second is
//! refused. The admin socket is exempt.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tonic::Status;

/// What is limited.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// Node attestation: 1 a second.
    Attest,
    /// X.509 signatures: 500 a second; a batch counts each of its items.
    SignX509,
    /// JWT signatures: 500 a second.
    SignJwt,
    /// Published authorities: 500 a second.
    Publish,
    /// Status reports: 10 a second.
    PostStatus,
}

impl Kind {
    fn per_second(self) -> u32 {
        match self {
            Self::Attest => 1,
            Self::SignX509 | Self::SignJwt | Self::Publish => 500,
            Self::PostStatus => 10,
        }
    }
}

/// Which limits hold (`ratelimit`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RateLimits {
    /// That of attestation.
    pub attestation: bool,
    /// Those of signing.
    pub signing: bool,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { attestation: true, signing: true }
    }
}

/// When more addresses than this are known, those that have not asked lately are forgotten.
const KNOWN: usize = 10_000;

/// Counts what each address has asked for lately.
#[derive(Debug)]
pub struct Limiter {
    limits: RateLimits,
    /// When the address has paid for all it asked for.
    paid: Mutex<HashMap<(Kind, IpAddr), Instant>>,
}

impl Limiter {
    /// A limiter that knows nobody yet.
    pub fn new(limits: RateLimits) -> Self {
        Self { limits, paid: Mutex::default() }
    }

    /// Waits until `address` may have `count` more.
    pub async fn pass(&self, kind: Kind, address: IpAddr, count: usize) -> Result<(), Status> {
        let applies = match kind {
            Kind::Attest => self.limits.attestation,
            Kind::SignX509 | Kind::SignJwt => self.limits.signing,
            Kind::Publish | Kind::PostStatus => true,
        };
        let burst = kind.per_second();
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        match applies {
            false => return Ok(()),
            true if count > burst => {
                return Err(Status::resource_exhausted(format!(
                    "rate ({count}) exceeds burst size ({burst}): ask for at most {burst} at a time"
                )));
            }
            true => {}
        }
        let until = self.reserve(kind, address, count);
        tokio::time::sleep_until(until).await;
        Ok(())
    }

    /// Books `count` for the address; they may be had at the moment returned.
    fn reserve(&self, kind: Kind, address: IpAddr, count: u32) -> Instant {
        let second = Duration::from_secs(1);
        let now = Instant::now();
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        if paid.len() > KNOWN {
            paid.retain(|_, until| *until > now);
        }
        let until = paid.entry((kind, address)).or_insert(now);
        // A full bucket is worth one second of the rate.
        *until = (*until).max(now) + second * count / kind.per_second();
        let ready = *until - second;
        ready.max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([127, 0, 0, last])
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_waits_its_turn_and_holds_up_no_other() {
        let limiter = Limiter::new(RateLimits::default());
        let start = Instant::now();
        limiter.pass(Kind::Attest, address(1), 1).await.unwrap();
        limiter.pass(Kind::Attest, address(2), 1).await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
        limiter.pass(Kind::Attest, address(1), 1).await.unwrap();
        assert_eq!(start.elapsed().as_millis(), 1000);
        limiter.pass(Kind::SignX509, address(1), 500).await.unwrap();
        limiter.pass(Kind::SignX509, address(1), 250).await.unwrap();
        assert_eq!(start.elapsed().as_millis(), 1500);
    }

    #[tokio::test(start_paused = true)]
    async fn more_than_a_second_is_worth_is_refused() {
        let limiter = Limiter::new(RateLimits::default());
        let refused = limiter.pass(Kind::SignX509, address(1), 501).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
        let off = Limiter::new(RateLimits { attestation: false, signing: false });
        assert!(off.pass(Kind::SignX509, address(1), 501).await.is_ok());
    }
}
