//! Members of a header or of claims.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

/// The last second of the year 9999: a later moment is a mistake of units.
const LAST: f64 = 253_402_300_799.0;

/// A member that is text.
pub(crate) fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

/// A NumericDate (RFC 7519 §2), which may have a fraction or an exponent; between 1970 and 9999.
///
/// # Errors
///
/// The name, if there is such a claim and it is no such number.
pub(crate) fn moment(
    claims: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<SystemTime>, &'static str> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = match value.as_u64() {
        Some(whole) if whole as f64 <= LAST => Duration::from_secs(whole),
        Some(_) => return Err(name),
        None => Duration::from_secs_f64(value.as_f64().filter(|s| (0.0..=LAST).contains(s)).ok_or(name)?),
    };
    Ok(Some(UNIX_EPOCH + seconds))
}

/// A moment as a NumericDate of whole seconds, rounded down.
///
/// # Errors
///
/// The name, if it is before 1970.
pub(crate) fn seconds(at: SystemTime, name: &'static str) -> Result<u64, &'static str> {
    at.duration_since(UNIX_EPOCH).map(|since| since.as_secs()).map_err(|_| name)
}
