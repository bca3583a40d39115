//! Where a span stands among all traces: W3C Trace Context's `traceparent`.

use std::fmt;
use std::sync::Arc;

/// What all spans of one trace share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceId(pub [u8; 16]);

/// One span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpanId(pub [u8; 8]);

/// The place of a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its trace.
    pub trace: TraceId,
    /// Itself.
    pub span: SpanId,
    /// Whether this trace is kept.
    pub sampled: bool,
    /// What other systems add, as it came.
    pub state: Option<Arc<str>>,
}

/// The length of version 00.
const LENGTH: usize = 55;

impl Place {
    /// Reads a `traceparent` (W3C Trace Context §3.2): of a later version what is known, of a malformed one nothing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (known, rest) = text.split_at_checked(LENGTH)?;
        let mut parts = known.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let [version] = bytes::<1>(version)?;
        if parts.next().is_some()
            || version == 0xff
            || !(rest.is_empty() || version > 0 && rest.starts_with('-'))
        {
            return None;
        }
        let (trace, span, [flags]) = (bytes::<16>(trace)?, bytes::<8>(span)?, bytes::<1>(flags)?);
        let nothing = trace == [0; 16] || span == [0; 8];
        (!nothing).then_some(Self {
            trace: TraceId(trace),
            span: SpanId(span),
            sampled: flags & 1 == 1,
            state: None,
        })
    }
}

/// Bytes out of so many pairs of small hexadecimal digits.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let read: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    read.filter(|_| rest.is_empty())?.try_into().ok()
}

/// As version 00.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("00-")?;
        self.trace.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("-")?;
        self.span.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, "-0{}", u8::from(self.sampled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_as_it_is_written() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let place = Place::parse(text).unwrap();
        assert!(place.sampled);
        assert_eq!(place.to_string(), text);
        let unsampled = text.replace("-01", "-00");
        assert_eq!(Place::parse(&unsampled).unwrap().to_string(), unsampled);
        // Flags that are not known are not passed on.
        assert_eq!(Place::parse(&text.replace("-01", "-ff")).unwrap().to_string(), text);
    }

    #[test]
    fn what_is_no_traceparent_is_nothing() {
        let well = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        for wrong in [
            "",
            "00",
            &well[..54],
            &format!("{well}-later"),
            &format!("ff{}", &well[2..]),
            &well.to_uppercase(),
            &well.replace("0af7", "0ag7"),
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319cb-7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0é",
        ] {
            assert_eq!(Place::parse(wrong), None, "{wrong}");
        }
        assert!(Place::parse(&format!("01{}-later", &well[2..])).is_some(), "a later version may be longer");
        assert!(Place::parse(&format!("01{}later", &well[2..])).is_none());
    }
}
