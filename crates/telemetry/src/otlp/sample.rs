//! Which traces are kept.

use kit::trace::TraceId;

/// A share of all traces: from none to all of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio(f64);

/// It is no share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a number from 0 (no trace) to 1 (all traces)")]
pub struct NoRatio;

impl Ratio {
    /// All of them.
    pub const ALL: Self = Self(1.0);

    /// A share of 1.
    ///
    /// # Errors
    /// If it is not a number from 0 to 1.
    pub fn new(share: f64) -> Result<Self, NoRatio> {
        if (0.0..=1.0).contains(&share) { Ok(Self(share)) } else { Err(NoRatio) }
    }

    /// Whether a trace is one of those that are kept, by its last seven bytes, as OpenTelemetry's samplers decide: so
    /// all who keep the same share keep the same traces.
    pub(super) fn keeps(self, trace: TraceId) -> bool {
        let [_, _, _, _, _, _, _, _, _, last @ ..] = trace.0;
        let number = last.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        #[allow(clippy::cast_precision_loss, reason = "2^56 possible numbers; the share is not that exact")]
        let place = number as f64 / (1_u64 << 56) as f64;
        place >= 1.0 - self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::ids::Ids;

    #[test]
    fn about_the_share_that_is_wanted_is_kept() {
        let ids = Ids::new();
        let kept = |share| {
            let ratio = Ratio::new(share).unwrap();
            (0..4000).filter(|_| ratio.keeps(ids.trace())).count()
        };
        assert_eq!((kept(0.0), kept(1.0)), (0, 4000));
        let half = kept(0.5);
        assert!((1700..2300).contains(&half), "{half}");
        for wrong in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(Ratio::new(wrong), Err(NoRatio));
        }
    }
}
