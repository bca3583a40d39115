//! The little of Thrift's compact protocol that `emitMetricBatchV2` needs.

use super::series::Value;

/// Types of fields and elements.
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const TEXT: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;
/// The end of a struct.
const STOP: u8 = 0;
/// Protocol, version 1, and a call that is not answered.
const HEAD: [u8; 2] = [0x82, (4 << 5) | 1];

/// One call with these metrics, each of them from [`metric`].
pub(super) fn batch(metrics: &[Vec<u8>], common: &[(String, String)]) -> Vec<u8> {
    let mut out = HEAD.to_vec();
    // The number of the call, by which an answer would be told: there is none, so each batch is a first one.
    varint(&mut out, 1);
    text(&mut out, "emitMetricBatchV2");
    next(&mut out, STRUCT);
    next(&mut out, LIST);
    list(&mut out, metrics.len(), STRUCT);
    metrics.iter().for_each(|metric| out.extend_from_slice(metric));
    next(&mut out, LIST);
    tags(&mut out, common);
    out.extend([STOP, STOP]);
    out
}

/// A metric at a time in nanoseconds since 1970.
pub(super) fn metric(name: &str, value: Value, nanos: i64, with: &[(String, String)]) -> Vec<u8> {
    let (kind, count, gauge) = match value {
        Value::Count(count) => (1, count, 0.0),
        Value::Gauge(gauge) => (2, 0, gauge),
    };
    let mut out = Vec::with_capacity(64);
    next(&mut out, TEXT);
    text(&mut out, name);
    next(&mut out, STRUCT);
    next(&mut out, I32);
    zigzag(&mut out, kind);
    next(&mut out, I64);
    zigzag(&mut out, count);
    next(&mut out, DOUBLE);
    out.extend(gauge.to_le_bytes());
    next(&mut out, I64);
    zigzag(&mut out, 0);
    out.push(STOP);
    next(&mut out, I64);
    zigzag(&mut out, nanos);
    if !with.is_empty() {
        next(&mut out, LIST);
        tags(&mut out, with);
    }
    out.push(STOP);
    out
}

fn tags(out: &mut Vec<u8>, tags: &[(String, String)]) {
    list(out, tags.len(), STRUCT);
    for (name, value) in tags {
        next(out, TEXT);
        text(out, name);
        next(out, TEXT);
        text(out, value);
        out.push(STOP);
    }
}

/// The head of the field after the one before.
fn next(out: &mut Vec<u8>, kind: u8) {
    out.push(1 << 4 | kind);
}

fn list(out: &mut Vec<u8>, count: usize, kind: u8) {
    match u8::try_from(count) {
        Ok(few) if few < 15 => out.push(few << 4 | kind),
        _ => {
            out.push(0xf0 | kind);
            varint(out, u64::try_from(count).unwrap_or(u64::MAX));
        }
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    varint(out, u64::try_from(text.len()).unwrap_or(u64::MAX));
    out.extend_from_slice(text.as_bytes());
}

fn zigzag(out: &mut Vec<u8>, value: i64) {
    varint(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}
