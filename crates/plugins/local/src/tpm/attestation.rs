//! What a TPM says of an object when it certifies it (TPMS_ATTEST).

use super::public::Public;
use super::wire::Reader;

/// What no data from outside begins with when a restricted key signs it.
const GENERATED: u32 = 0xff54_4347;
const CERTIFY: u16 = 0x8017;
/// TPMS_CLOCK_INFO and the firmware's version.
const CLOCK_AND_FIRMWARE: usize = 17 + 8;

/// Whether these bytes, which an attestation key has signed, say that `object` is in its TPM.
pub(crate) fn certifies(attested: &[u8], object: &Public) -> bool {
    certified_name(attested).is_some_and(|name| name == object.name())
}

/// The name of the object that is certified.
pub(crate) fn certified_name(attested: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(attested);
    let (magic, kind) = (reader.u32().ok()?, reader.u16().ok()?);
    if magic != GENERATED || kind != CERTIFY {
        return None;
    }
    let _signer = reader.buffer().ok()?;
    let _extra = reader.buffer().ok()?;
    reader.skip(CLOCK_AND_FIRMWARE).ok()?;
    let name = reader.buffer().ok()?;
    let _qualified = reader.buffer().ok()?;
    reader.end().ok()?;
    Some(name)
}
