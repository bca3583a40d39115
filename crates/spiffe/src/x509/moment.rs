//! Moments as certificates write them (RFC 5280 §4.1.2.5). Read by hand, since roots that begin in the year 1 exist: Go
//! writes its zero time so.

use std::time::{Duration, SystemTime};

use super::tlv::Element;

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Whether this is a UTCTime or GeneralizedTime, whatever it says.
pub(super) fn is_time(element: &Element<'_>) -> bool {
    matches!(element.tag, UTC_TIME | GENERALIZED_TIME)
}

/// The moment of a UTCTime or GeneralizedTime with seconds and `Z`.
pub(super) fn read_time(time: &Element<'_>) -> Option<SystemTime> {
    let (year, rest) = match time.tag {
        UTC_TIME => {
            let (year, rest) = digits(time.content)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (century, rest) = digits(time.content)?;
            let (year, rest) = digits(rest)?;
            (century * 100 + year, rest)
        }
        _ => return None,
    };
    let (month, rest) = digits(rest)?;
    let (day, rest) = digits(rest)?;
    let (hour, rest) = digits(rest)?;
    let (minute, rest) = digits(rest)?;
    let (second, rest) = digits(rest)?;
    let valid = (1..=days_of(year, month)?).contains(&day) && hour < 24 && minute < 60 && second < 60;
    if !valid || rest != b"Z" {
        return None;
    }
    let seconds = days_since_epoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let distance = Duration::from_secs(seconds.unsigned_abs());
    match seconds < 0 {
        true => SystemTime::UNIX_EPOCH.checked_sub(distance),
        false => SystemTime::UNIX_EPOCH.checked_add(distance),
    }
}

/// Two digits, and what follows.
fn digits(text: &[u8]) -> Option<(i64, &[u8])> {
    let (pair, rest) = text.split_first_chunk::<2>()?;
    let [tens, ones] = pair.map(|digit| i64::from(digit.wrapping_sub(b'0')));
    (tens < 10 && ones < 10).then_some((tens * 10 + ones, rest))
}

fn days_of(year: i64, month: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => Some(if leap { 29 } else { 28 }),
        4 | 6 | 9 | 11 => Some(30),
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        _ => None,
    }
}

/// Days from 1970-01-01 in the calendar of today, counted from March so that the leap day comes last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::tlv::{read, time, tlv};

    fn parse(tag: u8, text: &str) -> Option<SystemTime> {
        read_time(&read(&tlv(tag, &[text.as_bytes()])).unwrap())
    }

    #[test]
    fn moments_are_read_as_they_are_written() {
        for seconds in
            [0, 951_782_399, 951_782_400, 1_800_000_000, 2_524_607_999, 2_524_608_000, 253_402_300_799]
        {
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(read_time(&read(&time(at).unwrap()).unwrap()), Some(at), "{seconds}");
        }
    }

    #[test]
    fn moments_long_gone_are_read() {
        let year_one = SystemTime::UNIX_EPOCH - Duration::from_secs(62_135_596_800);
        assert_eq!(parse(GENERALIZED_TIME, "00010101000000Z"), Some(year_one));
        assert_eq!(parse(UTC_TIME, "691231235959Z"), Some(SystemTime::UNIX_EPOCH - Duration::from_secs(1)));
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for bad in [
            "20260229000000Z",
            "20261301000000Z",
            "20260001000000Z",
            "20260100000000Z",
            "20260101240000Z",
            "20260101006000Z",
            "20260101000060Z",
            "20260101000000",
            "20260101000000+0000",
            "202601010000Z",
            "2026010100000 Z",
            "",
            "Z",
            "20260101000000.5Z",
        ] {
            assert_eq!(parse(GENERALIZED_TIME, bad), None, "{bad}");
        }
        assert_eq!(parse(0x13, "20260101000000Z"), None);
    }
}
