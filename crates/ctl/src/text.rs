//! Texts that Go's libraries print and scripts cut apart.

use proto::spire::api::types::Spiffeid;
use time::OffsetDateTime;
use time::macros::format_description;

/// A time as Go prints it, in UTC: `2006-01-02 15:04:05 +0000 UTC`.
pub(crate) fn time(unix: i64) -> String {
    let form = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] +0000 UTC");
    formatted(unix, form)
}

/// A time as RFC 3339 writes it, in UTC.
pub(crate) fn rfc3339(unix: i64) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    formatted(unix, form)
}

fn formatted(unix: i64, form: &[time::format_description::BorrowedFormatItem<'_>]) -> String {
    OffsetDateTime::from_unix_timestamp(unix)
        .ok()
        .and_then(|time| time.format(form).ok())
        .unwrap_or_else(|| format!("{unix} seconds after 1970"))
}

/// A SPIFFE ID from its parts; empty where there is none.
pub(crate) fn id(id: Option<&Spiffeid>) -> String {
    id.map(|id| format!("spiffe://{}{}", id.trust_domain, id.path)).unwrap_or_default()
}

/// `1 entry`, `2 entries`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_in_go() {
        assert_eq!(time(1_136_214_245), "2006-01-02 15:04:05 +0000 UTC");
        assert_eq!(time(0), "1970-01-01 00:00:00 +0000 UTC");
        assert_eq!(rfc3339(1_136_214_245), "2006-01-02T15:04:05Z");
        assert_eq!(time(i64::MAX), "9223372036854775807 seconds after 1970");
    }

    #[test]
    fn only_one_is_singular() {
        assert_eq!(count(1, "entry", "entries"), "1 entry");
        assert_eq!(count(0, "entry", "entries"), "0 entries");
    }
}
