//! Messages of the Workload API and of SDS as they travel: encoded once, with gRPC's prefix, shared by all streams that send them,
//! and wiped when the last has let go.
//!
//! Written field by field, into a buffer of the right size, so that no second copy of a private key is left behind.

use prost::bytes::Bytes;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};
use zeroize::Zeroizing;

/// gRPC's prefix: not compressed, length.
const PREFIX: usize = 5;

/// Something of a known size that can be written.
pub(crate) trait Part {
    fn size(&self) -> usize;
    fn write(&self, to: &mut Vec<u8>);
}

/// A field of bytes or text.
pub(crate) struct Field<'a>(pub(crate) u32, pub(crate) &'a [u8]);

impl Part for Field<'_> {
    fn size(&self) -> usize {
        match self.1.is_empty() {
            true => 0,
            false => key_len(self.0) + encoded_len_varint(self.1.len() as u64) + self.1.len(),
        }
    }

    fn write(&self, to: &mut Vec<u8>) {
        if self.1.is_empty() {
            return;
        }
        encode_key(self.0, WireType::LengthDelimited, to);
        encode_varint(self.1.len() as u64, to);
        to.extend_from_slice(self.1);
    }
}

/// A field that is a message; present even when empty.
pub(crate) struct Nested<P>(pub(crate) u32, pub(crate) P);

impl<P: Part> Part for Nested<P> {
    fn size(&self) -> usize {
        let inner = self.1.size();
        key_len(self.0) + encoded_len_varint(inner as u64) + inner
    }

    fn write(&self, to: &mut Vec<u8>) {
        encode_key(self.0, WireType::LengthDelimited, to);
        encode_varint(self.1.size() as u64, to);
        self.1.write(to);
    }
}

impl<P: Part> Part for Vec<P> {
    fn size(&self) -> usize {
        self.iter().map(Part::size).sum()
    }

    fn write(&self, to: &mut Vec<u8>) {
        self.iter().for_each(|part| part.write(to));
    }
}

impl<P: Part + ?Sized> Part for Box<P> {
    fn size(&self) -> usize {
        (**self).size()
    }

    fn write(&self, to: &mut Vec<u8>) {
        (**self).write(to);
    }
}

impl<P: Part, Q: Part> Part for (P, Q) {
    fn size(&self) -> usize {
        self.0.size() + self.1.size()
    }

    fn write(&self, to: &mut Vec<u8>) {
        self.0.write(to);
        self.1.write(to);
    }
}

impl<P: Part, const N: usize> Part for [P; N] {
    fn size(&self) -> usize {
        self.iter().map(Part::size).sum()
    }

    fn write(&self, to: &mut Vec<u8>) {
        self.iter().for_each(|part| part.write(to));
    }
}

/// An entry of a map from text to bytes.
pub(crate) fn map_entry<'a>(number: u32, key: &'a str, value: &'a [u8]) -> Nested<[Field<'a>; 2]> {
    Nested(number, [Field(1, key.as_bytes()), Field(2, value)])
}

/// The message with its prefix. Messages are far below 4 GiB.
pub(crate) fn frame(message: &impl Part) -> Bytes {
    let size = message.size();
    let mut buffer = Zeroizing::new(Vec::with_capacity(PREFIX + size));
    buffer.push(0);
    buffer.extend_from_slice(&u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes());
    message.write(&mut buffer);
    Bytes::from_owner(buffer)
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use proto::workload::{X509svid, X509svidResponse};

    use super::*;

    #[test]
    fn what_is_written_by_hand_is_what_the_generated_code_reads() {
        let svids = vec![Nested(
            1,
            [
                Field(1, b"spiffe://a/b"),
                Field(2, &[1; 300]),
                Field(3, b"key"),
                Field(4, b"bundle"),
                Field(5, b""),
            ],
        )];
        let federated = vec![map_entry(3, "spiffe://c", b"other")];
        let framed = frame(&(svids, federated));
        assert_eq!(
            framed[..5],
            [0, 0, 0, (framed.len() - 5).div_euclid(256) as u8, (framed.len() - 5) as u8]
        );
        let read = X509svidResponse::decode(framed.slice(5..)).unwrap();
        let expected = X509svidResponse {
            svids: vec![X509svid {
                spiffe_id: "spiffe://a/b".into(),
                x509_svid: vec![1; 300],
                x509_svid_key: b"key".to_vec(),
                bundle: b"bundle".to_vec(),
                hint: String::new(),
            }],
            crl: vec![],
            federated_bundles: [("spiffe://c".to_owned(), b"other".to_vec())].into(),
        };
        assert_eq!(read, expected);
        assert_eq!(expected.encoded_len(), framed.len() - 5);
    }
}
