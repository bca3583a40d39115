//! `WITSVIDResponse` as it travels.

use prost::bytes::Bytes;

use super::frame::{Field, Nested, frame};

/// The message that hands out WIT-SVIDs in this order: of each the SPIFFE ID, the token, the private key and the hint.
pub(crate) fn wit_svids<'a>(svids: impl Iterator<Item = [&'a str; 4]>) -> Bytes {
    let svid = |[id, token, key, hint]: [&'a str; 4]| {
        let fields = [(1, id), (2, token), (3, key), (4, hint)];
        Nested(1, fields.map(|(number, text)| Field(number, text.as_bytes())))
    };
    frame(&svids.map(svid).collect::<Vec<_>>())
}
