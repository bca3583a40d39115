//! Where a part lies in the bytes that it was found in, so that what was parsed need not be copied.

/// A range of bytes. Of other bytes than those it was made for it gives nothing, or something else; never a panic.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Where `part` lies in `whole`, a slice of which it is.
    pub(super) fn of(part: &[u8], whole: &[u8]) -> Self {
        let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
        let end = start.wrapping_add(part.len());
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) if end as usize <= whole.len() => Self { start, end },
            _ => Self::default(),
        }
    }

    /// The part of `whole`.
    pub(super) fn of_bytes(self, whole: &[u8]) -> &[u8] {
        whole.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn a_part_is_found_again_and_what_is_no_part_is_nothing() {
        let whole = [1, 2, 3, 4, 5];
        assert_eq!(Span::of(&whole[1..3], &whole).of_bytes(&whole), [2, 3]);
        assert_eq!(Span::of(&whole, &whole).of_bytes(&whole), whole);
        assert_eq!(Span::of(&whole[5..], &whole).of_bytes(&whole), [0u8; 0]);
        assert_eq!(Span::of(&[9, 9], &whole), Span::default());
        assert_eq!(Span::of(&whole[3..], &whole).of_bytes(&whole[..2]), [0u8; 0]);
    }
}
