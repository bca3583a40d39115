//! How often an address may ask for what is dear (SPIRE 1.16's kinds and numbers).
//!
//! A caller over the limit waits its turn; one that asks for more at once than the limit allows in a second is
//! refused. The admin socket is exempt.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
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
    /// WIT signatures: 500 a second; a batch counts each of its items.
    SignWit,
    /// Published authorities: 500 a second.
    Publish,
    /// Status reports: 10 a second.
    PostStatus,
}

impl Kind {
    fn per_second(self) -> u32 {
        match self {
            Self::Attest => 1,
            Self::SignX509 | Self::SignJwt | Self::SignWit | Self::Publish => 500,
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

/// When more addresses than this are known, those that have not asked lately are forgotten, once a second at most.
const KNOWN: usize = 10_000;
const SWEEP: Duration = Duration::from_secs(1);

/// Nobody waits longer than this: who is that far behind in the queue is told so.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// Counts what each address has asked for lately.
#[derive(Debug)]
pub struct Limiter {
    limits: RateLimits,
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    /// When the address has paid for all it asked for.
    paid: HashMap<(Kind, IpAddr), Instant>,
    swept: Option<Instant>,
}

impl Limiter {
    /// A limiter that knows nobody yet.
    pub fn new(limits: RateLimits) -> Self {
        Self { limits, books: Mutex::default() }
    }

    /// Waits until `address` may have `count` more. Whoever would still wait at `deadline` is refused at once, and who
    /// goes away while waiting has asked for nothing.
    pub async fn pass(
        &self,
        kind: Kind,
        address: IpAddr,
        count: usize,
        deadline: Option<Instant>,
    ) -> Result<(), Status> {
        let applies = match kind {
            Kind::Attest => self.limits.attestation,
            Kind::SignX509 | Kind::SignJwt | Kind::SignWit => self.limits.signing,
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
        let booking = self.book(kind, address, count, deadline)?;
        tokio::time::sleep_until(booking.ready).await;
        booking.used();
        Ok(())
    }

    /// Books `count` for the address.
    fn book(
        &self,
        kind: Kind,
        address: IpAddr,
        count: u32,
        deadline: Option<Instant>,
    ) -> Result<Booking<'_>, Status> {
        let second = Duration::from_secs(1);
        let now = Instant::now();
        let mut books = self.books();
        books.sweep(now);
        let paid = books.paid.entry((kind, address)).or_insert(now);
        let cost = second * count / kind.per_second();
        let until = (*paid).max(now) + cost;
        // A full bucket is worth one second of the rate.
        let ready = (until - second).max(now);
        if ready > now && deadline.is_some_and(|deadline| deadline < ready) {
            // As SPIRE says it.
            return Err(Status::resource_exhausted(format!(
                "rate: Wait(n={count}) would exceed context deadline"
            )));
        }
        if ready - now > LONGEST_WAIT {
            return Err(Status::resource_exhausted(format!(
                "{} seconds of requests by this address wait already; try again later",
                LONGEST_WAIT.as_secs()
            )));
        }
        *paid = until;
        Ok(Booking { limiter: self, of: (kind, address), cost, until, ready, used: false })
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn sweep(&mut self, now: Instant) {
        if self.paid.len() > KNOWN && self.swept.is_none_or(|last| now - last >= SWEEP) {
            self.paid.retain(|_, until| *until > now);
            self.swept = Some(now);
        }
    }
}

/// A place in the queue; given back when it is dropped unused and nobody stands behind it.
struct Booking<'a> {
    limiter: &'a Limiter,
    of: (Kind, IpAddr),
    cost: Duration,
    until: Instant,
    /// From when on what was booked may be had.
    ready: Instant,
    used: bool,
}

impl Booking<'_> {
    fn used(mut self) {
        self.used = true;
    }
}

impl Drop for Booking<'_> {
    fn drop(&mut self) {
        if self.used {
            return;
        }
        if let Some(paid) = self.limiter.books().paid.get_mut(&self.of)
            && *paid == self.until
        {
            *paid -= self.cost;
        }
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
        limiter.pass(Kind::Attest, address(1), 1, None).await.unwrap();
        limiter.pass(Kind::Attest, address(2), 1, None).await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
        limiter.pass(Kind::Attest, address(1), 1, None).await.unwrap();
        assert_eq!(start.elapsed().as_millis(), 1000);
        limiter.pass(Kind::SignX509, address(1), 500, None).await.unwrap();
        limiter.pass(Kind::SignX509, address(1), 250, None).await.unwrap();
        assert_eq!(start.elapsed().as_millis(), 1500);
    }

    #[tokio::test(start_paused = true)]
    async fn more_than_a_second_is_worth_is_refused() {
        let limiter = Limiter::new(RateLimits::default());
        let refused = limiter.pass(Kind::SignX509, address(1), 501, None).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
        let off = Limiter::new(RateLimits { attestation: false, signing: false });
        assert!(off.pass(Kind::SignX509, address(1), 501, None).await.is_ok());
    }
    #[tokio::test(start_paused = true)]
    async fn who_would_wait_past_its_deadline_is_refused_at_once_and_pays_nothing() {
        let limiter = Limiter::new(RateLimits::default());
        let start = Instant::now();
        let soon = Some(start + Duration::from_millis(500));
        limiter.pass(Kind::Attest, address(1), 1, soon).await.unwrap();
        let refused = limiter.pass(Kind::Attest, address(1), 1, soon).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
        assert_eq!(refused.message(), "rate: Wait(n=1) would exceed context deadline");
        assert_eq!(start.elapsed(), Duration::ZERO);
        let later = Some(start + Duration::from_millis(1000));
        limiter.pass(Kind::Attest, address(1), 1, later).await.unwrap();
        assert_eq!(start.elapsed().as_millis(), 1000, "the refused call has not moved the others back");
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_while_waiting_gives_its_place_back() {
        let limiter = Limiter::new(RateLimits::default());
        let start = Instant::now();
        limiter.pass(Kind::Attest, address(1), 1, None).await.unwrap();
        for _ in 0..100 {
            let waiting = limiter.pass(Kind::Attest, address(1), 1, None);
            assert!(tokio::time::timeout(Duration::from_millis(1), waiting).await.is_err());
        }
        limiter.pass(Kind::Attest, address(1), 1, None).await.unwrap();
        assert_eq!(start.elapsed().as_millis(), 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_of_minutes_takes_nobody_more() {
        let limiter = Limiter::new(RateLimits::default());
        let mut waiting = Vec::new();
        for _ in 0..700 {
            let mut one = Box::pin(limiter.pass(Kind::Attest, address(1), 1, None));
            if futures_util::poll!(one.as_mut()).is_pending() {
                waiting.push(one);
            }
        }
        assert_eq!(waiting.len(), 600);
        assert!(
            limiter.pass(Kind::Attest, address(2), 1, None).await.is_ok(),
            "another address is not behind them"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_that_ask_no_more_are_forgotten() {
        let limiter = Limiter::new(RateLimits::default());
        for number in 0..30_000u32 {
            limiter.pass(Kind::SignJwt, IpAddr::from(number.to_be_bytes()), 1, None).await.unwrap();
            if number % 1000 == 0 {
                tokio::time::sleep(SWEEP).await;
            }
        }
        assert!(limiter.books().paid.len() <= KNOWN + 1000, "{}", limiter.books().paid.len());
    }
}
