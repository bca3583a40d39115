//! The header that keeps browsers and careless proxies from calling the Workload API (Workload Endpoint §3).

/// The name of the metadata that every request to the endpoint carries, and its value.
pub const WORKLOAD_HEADER: (&str, &str) = ("workload.spiffe.io", "true");

/// Why a request is turned away, with `InvalidArgument` and before anything else is done for it (Workload Endpoint §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum HeaderError {
    #[error("the request has no metadata workload.spiffe.io: true")]
    Missing,
    #[error("the request's metadata workload.spiffe.io is not \"true\"")]
    Value,
    #[error("the request has the metadata workload.spiffe.io more than once")]
    Repeated,
}

/// Checks the values of `workload.spiffe.io` that a request has: exactly one, exactly `true`. (Two that say `true` are
/// refused too, as SPIRE does: a proxy may have added one of them.)
///
/// ```
/// use spiffe::endpoint::{HeaderError, check_workload_header};
///
/// assert_eq!(check_workload_header([b"true".as_slice()]), Ok(()));
/// assert_eq!(check_workload_header([b"True".as_slice()]), Err(HeaderError::Value));
/// assert_eq!(check_workload_header([]), Err(HeaderError::Missing));
/// ```
pub fn check_workload_header<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Result<(), HeaderError> {
    let mut values = values.into_iter();
    let first = values.next().ok_or(HeaderError::Missing)?;
    if values.next().is_some() {
        return Err(HeaderError::Repeated);
    }
    (first == WORKLOAD_HEADER.1.as_bytes()).then_some(()).ok_or(HeaderError::Value)
}
