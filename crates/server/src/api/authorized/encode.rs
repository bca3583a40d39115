//! Entries written straight onto the wire: for an agent with thousands of them, building messages first would cost
//! several times what writing them costs.

use model::Entry;
use prost::encoding::{WireType, bool, encode_key, encode_varint, int32, int64};
use proto::spire::api::types::EntryMask;
use spiffe::SpiffeId;

/// About how many bytes an entry takes as SPIRE's agents ask for it.
pub(super) const TYPICAL: usize = 160;

/// Appends to `out` field `field` of the surrounding message: the entry with what `mask` names, as
/// `spire.api.types.Entry`.
pub(super) fn entry(out: &mut Vec<u8>, field: u32, entry: &Entry, mask: &EntryMask) {
    nested(out, field, |out| {
        text(out, 1, entry.id.as_str());
        if mask.spiffe_id {
            id(out, 2, &entry.spiffe_id);
        }
        if mask.parent_id {
            id(out, 3, &entry.parent_id);
        }
        if mask.selectors {
            for selector in &entry.selectors {
                nested(out, 4, |out| {
                    text(out, 1, selector.kind());
                    text(out, 2, selector.value());
                });
            }
        }
        number32(out, 5, entry.x509_svid_ttl, mask.x509_svid_ttl);
        if mask.federates_with {
            for domain in &entry.federates_with {
                text(out, 6, domain.as_str());
            }
        }
        flag(out, 7, entry.admin && mask.admin);
        flag(out, 8, entry.downstream && mask.downstream);
        number64(out, 9, entry.expires_at.map_or(0, |end| end.0), mask.expires_at);
        if mask.dns_names {
            for name in &entry.dns_names {
                text(out, 10, name);
            }
        }
        number64(out, 11, entry.revision, mask.revision_number);
        flag(out, 12, entry.store_svid && mask.store_svid);
        number32(out, 13, entry.jwt_svid_ttl, mask.jwt_svid_ttl);
        if mask.hint {
            text(out, 14, &entry.hint);
        }
        number64(out, 15, entry.created_at.0, mask.created_at);
        if let Some(more) = entry.additional.filter(|_| mask.additional_attributes) {
            nested(out, 16, |out| {
                flag(out, 1, more.disable_x509_svid_prefetch);
                flag(out, 2, more.jwt_svid_include_jti);
            });
        }
    });
}

/// Appends to `out` field `field` of the surrounding message: which revision of the entry is the newest, as
/// `spire.api.server.entry.v1.EntryRevision`.
pub(super) fn revision(out: &mut Vec<u8>, field: u32, entry: &Entry) {
    nested(out, field, |out| {
        text(out, 1, entry.id.as_str());
        number64(out, 2, entry.revision, true);
        number64(out, 3, entry.created_at.0, true);
    });
}

/// Appends a flag; false is not written.
pub(super) fn flag(out: &mut Vec<u8>, field: u32, value: bool) {
    if value {
        bool::encode(field, &value, out);
    }
}

fn number32(out: &mut Vec<u8>, field: u32, value: i32, wanted: bool) {
    if wanted && value != 0 {
        int32::encode(field, &value, out);
    }
}

fn number64(out: &mut Vec<u8>, field: u32, value: i64, wanted: bool) {
    if wanted && value != 0 {
        int64::encode(field, &value, out);
    }
}

fn id(out: &mut Vec<u8>, field: u32, id: &SpiffeId) {
    let path = id.path();
    let name = id.as_str().strip_suffix(path).and_then(|rest| rest.strip_prefix("spiffe://"));
    nested(out, field, |out| {
        text(out, 1, name.unwrap_or_default());
        text(out, 2, path);
    });
}

/// A text in a list may be empty, a field of its own is then not written; no list here has empty ones.
fn text(out: &mut Vec<u8>, field: u32, value: &str) {
    if !value.is_empty() {
        encode_key(field, WireType::LengthDelimited, out);
        encode_varint(value.len() as u64, out);
        out.extend_from_slice(value.as_bytes());
    }
}

/// A message within the message. Its length stands before it and is known after it: both are written, then turned round.
fn nested(out: &mut Vec<u8>, field: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let begin = out.len();
    body(out);
    let end = out.len();
    encode_key(field, WireType::LengthDelimited, out);
    encode_varint((end - begin) as u64, out);
    let head = out.len() - end;
    if let Some(written) = out.get_mut(begin..) {
        written.rotate_right(head);
    }
}

#[cfg(test)]
mod tests;
