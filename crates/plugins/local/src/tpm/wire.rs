//! How a TPM writes values: numbers big-endian, buffers after their length in two bytes.

/// Something ended before it should have, or there is more than there should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its length is wrong")]
pub(crate) struct WrongLength;

/// Reads values one after another.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], WrongLength> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(WrongLength)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn skip(&mut self, bytes: usize) -> Result<(), WrongLength> {
        self.0 = self.0.get(bytes..).ok_or(WrongLength)?;
        Ok(())
    }

    pub(crate) fn u16(&mut self) -> Result<u16, WrongLength> {
        self.take().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, WrongLength> {
        self.take().map(u32::from_be_bytes)
    }

    /// A buffer after its length.
    pub(crate) fn buffer(&mut self) -> Result<&'a [u8], WrongLength> {
        let length = usize::from(self.u16()?);
        let (taken, rest) = self.0.split_at_checked(length).ok_or(WrongLength)?;
        self.0 = rest;
        Ok(taken)
    }

    /// What was not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Fails unless everything was read.
    pub(crate) fn end(self) -> Result<(), WrongLength> {
        self.0.is_empty().then_some(()).ok_or(WrongLength)
    }
}

/// Appends values.
pub(crate) trait Put {
    fn put_u16(&mut self, value: u16);
    fn put_u32(&mut self, value: u32);
    fn put_buffer(&mut self, bytes: &[u8]);
}

impl Put for Vec<u8> {
    fn put_u16(&mut self, value: u16) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn put_u32(&mut self, value: u32) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    /// What does not fit is cut off, so that the TPM refuses it; nothing that is put is so long.
    fn put_buffer(&mut self, bytes: &[u8]) {
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        self.put_u16(length);
        self.extend(bytes.iter().take(usize::from(length)));
    }
}
