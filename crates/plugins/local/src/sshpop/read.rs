//! SSH's own way to write values (RFC 4251 §5): numbers big-endian, strings after their length.

/// Something ended before it should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is cut short")]
pub struct CutShort;

/// Reads values one after another.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], CutShort> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(CutShort)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn u32(&mut self) -> Result<u32, CutShort> {
        self.take().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, CutShort> {
        self.take().map(u64::from_be_bytes)
    }

    pub(super) fn string(&mut self) -> Result<&'a [u8], CutShort> {
        let length = usize::try_from(self.u32()?).map_err(|_| CutShort)?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(CutShort)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A number that is not negative, without zeros in front. Negative ones, which no key or signature has, are none.
    pub(super) fn unsigned(&mut self) -> Result<&'a [u8], CutShort> {
        let bytes = self.string()?;
        if bytes.first().is_some_and(|first| *first >= 0x80) {
            return Err(CutShort);
        }
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        bytes.get(zeros..).ok_or(CutShort)
    }
}

/// Appends a string.
pub(super) fn put_string(to: &mut Vec<u8>, bytes: &[u8]) {
    // what is written here is made here, and small
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    to.extend_from_slice(&length.to_be_bytes());
    to.extend_from_slice(bytes);
}

/// Appends a number that is not negative, given big-endian.
pub(super) fn put_unsigned(to: &mut Vec<u8>, bytes: &[u8]) {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let digits = bytes.get(zeros..).unwrap_or_default();
    match digits.first() {
        Some(first) if *first >= 0x80 => put_string(to, &[&[0], digits].concat()),
        _ => put_string(to, digits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_rfc_has_them() {
        for (digits, written) in [
            (&[][..], &[0, 0, 0, 0][..]),
            (&[0, 0], &[0, 0, 0, 0]),
            (&[0x80], &[0, 0, 0, 2, 0, 0x80]),
            (&[0, 0x7f, 1], &[0, 0, 0, 2, 0x7f, 1]),
        ] {
            let mut to = Vec::new();
            put_unsigned(&mut to, digits);
            assert_eq!(to, written);
            let read = Reader::new(&to).unsigned().unwrap();
            assert_eq!(read, &digits[digits.iter().take_while(|it| **it == 0).count()..]);
        }
    }

    #[test]
    fn what_is_cut_short_is_not_read() {
        assert_eq!(Reader::new(&[0, 0, 0, 5, 1]).string(), Err(CutShort));
        assert_eq!(Reader::new(&[0xff; 4]).string(), Err(CutShort));
        assert_eq!(Reader::new(&[0, 0, 0, 1, 0x80]).unsigned(), Err(CutShort));
        assert_eq!(Reader::new(&[0; 7]).u64(), Err(CutShort));
    }
}
