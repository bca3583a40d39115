//! Spans for a collector: what a process did, for whom, and for how long.
//!
//! [`traced!`](crate::traced!) makes one. Its fields never reach the log, and where nobody collects spans it costs one
//! look at a flag. A span stands in the trace of the span around it, or in that of a remote caller, whose place comes in
//! the headers of W3C Trace Context.

mod place;

use std::sync::atomic::{AtomicBool, Ordering};

use http::{HeaderMap, HeaderValue};
use tracing_subscriber::registry::{LookupSpan as _, Registry};

pub use place::{Place, SpanId, TraceId};

/// The target of spans that are for a collector, and of nothing else.
pub const TARGET: &str = "bonafide::trace";
/// The field with the place of a remote caller, as it stands in the header of that name.
pub const PARENT: &str = "traceparent";
/// The field, and the header, with what other systems add to a trace.
pub const STATE: &str = "tracestate";
/// The field with the name of a span that is known only when it runs.
pub const NAME: &str = "otel.name";
/// The field that says on which side of a call a span is: `server`, `client`. Without it, on neither.
pub const KIND: &str = "otel.kind";
/// The field with the reason for which what a span is about failed.
pub const ERROR: &str = "error";
/// The longest `tracestate` that is passed on (W3C Trace Context §3.3.1.5).
const LONGEST_STATE: usize = 512;

static COLLECTED: AtomicBool = AtomicBool::new(false);

/// Makes a span for a collector: a name, and fields as `tracing`'s macros take them.
///
/// ```
/// let span = kit::traced!("store.commit", writes = 3_u64);
/// assert!(span.is_disabled(), "nobody collects here");
/// ```
#[macro_export]
macro_rules! traced {
    ($name:literal $(, $($fields:tt)*)?) => {
        ::tracing::info_span!(target: "bonafide::trace", $name $(, $($fields)*)?)
    };
}

/// Says that spans are collected in this process from now on.
pub fn collect() {
    COLLECTED.store(true, Ordering::Relaxed);
}

/// Whether anybody collects spans.
#[must_use]
pub fn is_collected() -> bool {
    COLLECTED.load(Ordering::Relaxed)
}

/// The place of the innermost span that runs here; none if nobody collects.
#[must_use]
pub fn current() -> Option<Place> {
    if !is_collected() {
        return None;
    }
    tracing::dispatcher::get_default(|dispatch| {
        let current = dispatch.current_span();
        let span = dispatch.downcast_ref::<Registry>()?.span(current.id()?)?;
        span.scope().find_map(|span| span.extensions().get::<Place>().cloned())
    })
}

/// Writes the place of the running span into the headers of a call.
pub fn inject(headers: &mut HeaderMap) {
    let Some(place) = current() else { return };
    if let Ok(value) = HeaderValue::try_from(place.to_string()) {
        headers.insert(PARENT, value);
    }
    match place.state.as_deref().map(HeaderValue::from_str) {
        Some(Ok(value)) => headers.insert(STATE, value),
        _ => headers.remove(STATE),
    };
}

/// What the headers of a call say of the caller's place: the fields [`PARENT`] and [`STATE`] of a span. A state without
/// a parent counts for nothing.
#[must_use]
pub fn remote(headers: &HeaderMap) -> (Option<&str>, Option<&str>) {
    let once = |name| {
        let mut values = headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok())
    };
    let Some(parent) = once(PARENT).filter(|text| Place::parse(text).is_some()) else { return (None, None) };
    (Some(parent), once(STATE).filter(|state| !state.is_empty() && state.len() <= LONGEST_STATE))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn headers_are_believed_once_and_whole() {
        let mut headers = HeaderMap::new();
        headers.insert(STATE, HeaderValue::from_static("a=b"));
        assert_eq!(remote(&headers), (None, None), "a state alone is nothing");
        headers.insert(PARENT, HeaderValue::from_static(WELL));
        assert_eq!(remote(&headers), (Some(WELL), Some("a=b")));
        headers.insert(STATE, HeaderValue::try_from("x".repeat(LONGEST_STATE + 1)).unwrap());
        assert_eq!(remote(&headers), (Some(WELL), None));
        headers.append(PARENT, HeaderValue::from_static(WELL));
        assert_eq!(remote(&headers), (None, None), "which of two is meant is nobody's guess");
    }
}
