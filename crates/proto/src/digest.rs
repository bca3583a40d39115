//! The digest of a set of entries, as `bonafide.feed.v1.Heartbeat` defines it.

use aws_lc_rs::digest::{SHA256, digest};

/// The digest of a set of entries: the sum of a hash of each, so that adding or removing one costs the same whatever
/// the size of the set, and the order does not matter. Both ends of a feed keep one and compare.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct SetDigest(u128);

impl SetDigest {
    /// The digest of nothing.
    pub const EMPTY: Self = Self(0);

    /// Counts in an entry that is not in the set.
    pub fn add(&mut self, id: &str, revision: i64) {
        self.0 = self.0.wrapping_add(hash(id, revision));
    }

    /// Counts out an entry that is in the set with this revision.
    pub fn remove(&mut self, id: &str, revision: i64) {
        self.0 = self.0.wrapping_sub(hash(id, revision));
    }

    /// As it travels: sixteen bytes, big-endian.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// Whether what travelled is this digest.
    pub fn matches(self, travelled: &[u8]) -> bool {
        travelled == self.to_bytes()
    }
}

fn hash(id: &str, revision: i64) -> u128 {
    let mut input = Vec::with_capacity(id.len() + 9);
    input.extend_from_slice(id.as_bytes());
    input.push(0);
    input.extend_from_slice(&revision.to_be_bytes());
    digest(&SHA256, &input).as_ref().iter().take(16).fold(0, |sum, byte| (sum << 8) | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::SetDigest;

    fn of(entries: &[(&str, i64)]) -> SetDigest {
        let mut digest = SetDigest::EMPTY;
        entries.iter().for_each(|(id, revision)| digest.add(id, *revision));
        digest
    }

    #[test]
    fn order_does_not_matter() {
        assert_eq!(of(&[("a", 1), ("b", 2)]), of(&[("b", 2), ("a", 1)]));
    }

    #[test]
    fn removing_undoes_adding() {
        let mut digest = of(&[("a", 1), ("b", 2)]);
        digest.remove("a", 1);
        assert_eq!(digest, of(&[("b", 2)]));
    }

    #[test]
    fn another_revision_is_another_digest() {
        assert_ne!(of(&[("a", 1)]), of(&[("a", 2)]));
    }

    #[test]
    fn nothing_digests_to_zero_bytes_and_an_entry_to_the_head_of_its_sha_256() {
        assert!(SetDigest::EMPTY.matches(&[0; 16]));
        // printf 'a\0\0\0\0\0\0\0\0\1' | sha256sum
        let expected =
            [0x8b, 0xd8, 0x29, 0xd2, 0xb6, 0xfc, 0x04, 0x05, 0xc4, 0xe0, 0xd6, 0x64, 0xa7, 0x75, 0xed, 0x85];
        assert_eq!(of(&[("a", 1)]).to_bytes(), expected);
    }
}
