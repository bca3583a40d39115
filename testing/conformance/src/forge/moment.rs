//! The moment at which vectors are judged, and how certificates write moments.

use super::der::tlv;

/// When vectors are judged, in seconds since 1970: 2027-01-15 08:00:00 UTC.
pub const NOW: i64 = 1_800_000_000;
/// An hour in seconds.
pub const HOUR: i64 = 3_600;
/// A day in seconds.
pub const DAY: i64 = 24 * HOUR;

/// As RFC 5280 §4.1.2.5 writes it: UTCTime through 2049, GeneralizedTime after.
pub fn time(seconds: i64) -> Vec<u8> {
    let (year, text) = text(seconds);
    match year {
        1950..2050 => tlv(0x17, &[text.get(2..).unwrap_or_default().as_bytes()]),
        _ => tlv(0x18, &[text.as_bytes()]),
    }
}

/// As GeneralizedTime in any year.
pub fn generalized(seconds: i64) -> Vec<u8> {
    tlv(0x18, &[text(seconds).1.as_bytes()])
}

/// The year, and the moment as `YYYYMMDDHHMMSSZ` (proleptic Gregorian; Howard Hinnant's days-to-civil).
fn text(seconds: i64) -> (i64, String) {
    let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / HOUR, second / 60 % 60, second % 60);
    (year, format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z"))
}
