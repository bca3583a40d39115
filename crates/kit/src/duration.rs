//! Durations in Go's notation, as SPIRE's configuration and commands use it: `1h30m`, `1.5s`, `250ms`.

use std::fmt::Write as _;
use std::time::Duration;

/// Why a text is no duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// The text does not have the form of a duration.
    #[error("not a duration; write numbers with units, as in \"1h30m\", \"90s\" or \"500ms\"")]
    Form,
    /// A number without its unit.
    #[error("the unit is missing; write one of h, m, s, ms, us, ns after the number, as in \"30s\"")]
    NoUnit,
    /// A unit that is not known.
    #[error("the unit is unknown; units are h, m, s, ms, us, ns (a day is \"24h\")")]
    UnknownUnit,
    /// Below zero.
    #[error("a duration may not be negative here")]
    Negative,
    /// More than Go can hold.
    #[error("the duration is too long; the longest is 2562047h47m16s")]
    TooLong,
}

/// The longest duration of Go: 2^63 - 1 nanoseconds.
const LONGEST: u128 = i64::MAX as u128;

/// Reads a duration that is not negative.
///
/// # Errors
/// If the text is not in Go's notation, is negative, or exceeds what Go can hold.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let nanos = if unsigned == "0" { 0 } else { nanoseconds(unsigned)? };
    if nanos > LONGEST {
        return Err(DurationError::TooLong);
    }
    if nanos > 0 && text.starts_with('-') {
        return Err(DurationError::Negative);
    }
    u64::try_from(nanos).map(Duration::from_nanos).map_err(|_| DurationError::TooLong)
}

fn nanoseconds(text: &str) -> Result<u128, DurationError> {
    if text.is_empty() {
        return Err(DurationError::Form);
    }
    let mut rest = text;
    let mut total = 0_u128;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = after.strip_prefix('.').map_or(("", after), digits);
        if whole.is_empty() && fraction.is_empty() {
            return Err(DurationError::Form);
        }
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (name, next) = after.split_at(end);
        let unit = unit(name)?;
        total = total.saturating_add(number(whole).saturating_mul(unit)).saturating_add(part(fraction, unit));
        rest = next;
    }
    Ok(total)
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// The value of decimal digits, or more than any duration.
fn number(digits: &str) -> u128 {
    if digits.is_empty() { 0 } else { digits.parse().unwrap_or(LONGEST + 1) }
}

/// The part of `unit` that decimal places stand for; places that cannot matter are dropped.
fn part(places: &str, unit: u128) -> u128 {
    let places: String = places.chars().take(18).collect();
    number(&places) * unit / 10_u128.pow(u32::try_from(places.len()).unwrap_or(0))
}

fn unit(name: &str) -> Result<u128, DurationError> {
    Ok(match name {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "" => return Err(DurationError::NoUnit),
        _ => return Err(DurationError::UnknownUnit),
    })
}

/// Writes a duration as Go does: `1h0m0s`, `1.5s`, `250ms`, `0s`.
#[must_use]
pub fn format(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let mut out = String::new();
    match nanos {
        0 => out.push_str("0s"),
        1..1_000 => decimal(&mut out, nanos, 1, "ns"),
        1_000..1_000_000 => decimal(&mut out, nanos, 1_000, "\u{b5}s"),
        1_000_000..1_000_000_000 => decimal(&mut out, nanos, 1_000_000, "ms"),
        _ => {
            let minutes = duration.as_secs() / 60;
            if minutes >= 60 {
                let _ = write!(out, "{}h", minutes / 60);
            }
            if minutes > 0 {
                let _ = write!(out, "{}m", minutes % 60);
            }
            decimal(&mut out, nanos % 60_000_000_000, 1_000_000_000, "s");
        }
    }
    out
}

/// Writes a duration in whole seconds and without zero parts at its end: `1h`, `1h30m`, `45s`.
#[must_use]
pub fn format_short(duration: Duration) -> String {
    let text = format(Duration::from_secs(duration.as_secs()));
    let text = text.strip_suffix("m0s").map_or(text.clone(), |rest| format!("{rest}m"));
    text.strip_suffix("h0m").map_or(text.clone(), |rest| format!("{rest}h"))
}

fn decimal(out: &mut String, nanos: u128, unit: u128, name: &str) {
    let _ = write!(out, "{}", nanos / unit);
    let places = usize::try_from(unit.ilog10()).unwrap_or(0);
    if !nanos.is_multiple_of(unit) {
        let fraction = format!("{:0places$}", nanos % unit);
        let _ = write!(out, ".{}", fraction.trim_end_matches('0'));
    }
    out.push_str(name);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn go_durations_are_read() {
        for (text, millis) in [
            ("0", 0),
            ("1h", 3_600_000),
            ("1h30m", 5_400_000),
            ("+5s", 5_000),
            ("1.5s", 1_500),
            (".5s", 500),
            ("1.s", 1_000),
            ("250ms", 250),
            ("1000us", 1),
            ("1000\u{b5}s", 1),
            ("1000\u{3bc}s", 1),
            ("1m1ms", 60_001),
            ("-0s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(parse("2562047h47m16.854775807s"), Ok(Duration::from_nanos(i64::MAX as u64)));
    }

    #[test]
    fn what_is_no_duration_is_refused_with_a_reason() {
        for (text, error) in [
            ("", DurationError::Form),
            ("-", DurationError::Form),
            ("h", DurationError::Form),
            (".s", DurationError::Form),
            ("30", DurationError::NoUnit),
            ("1h30", DurationError::NoUnit),
            ("1d", DurationError::UnknownUnit),
            ("1 h", DurationError::UnknownUnit),
            ("-1s", DurationError::Negative),
            ("2562047h47m17s", DurationError::TooLong),
            ("99999999999999999999999999999999999999999999h", DurationError::TooLong),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn durations_are_written_as_go_writes_them() {
        for (nanos, long, short) in [
            (0, "0s", "0s"),
            (1, "1ns", "0s"),
            (1_500, "1.5\u{b5}s", "0s"),
            (2_000_000, "2ms", "0s"),
            (1_000_000_000, "1s", "1s"),
            (1_500_000_000, "1.5s", "1s"),
            (60_000_000_000, "1m0s", "1m"),
            (3_600_000_000_000, "1h0m0s", "1h"),
            (3_661_000_000_000, "1h1m1s", "1h1m1s"),
            (5_400_000_000_000, "1h30m0s", "1h30m"),
            (604_800_000_000_000, "168h0m0s", "168h"),
        ] {
            assert_eq!(format(Duration::from_nanos(nanos)), long);
            assert_eq!(format_short(Duration::from_nanos(nanos)), short);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(nanos in 0..i64::MAX as u64) {
            let duration = Duration::from_nanos(nanos);
            prop_assert_eq!(parse(&format(duration)), Ok(duration));
        }

        #[test]
        fn reading_never_panics(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
