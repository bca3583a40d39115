//! Commands and their answers, as bytes (part 3).

use zeroize::Zeroizing;

use super::error::{ResponseCode, TpmError};
use super::ids::handle;
use super::wire::{Put, Reader};

const NO_SESSIONS: u16 = 0x8001;
const SESSIONS: u16 = 0x8002;
/// Tag, size and code of an answer.
pub(crate) const HEADER: usize = 10;
/// The largest answer that is read: no TPM has a larger buffer.
pub(crate) const MAX_ANSWER: usize = 4096;

/// Which command it is: its name and its code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Code(pub(crate) &'static str, pub(crate) u32);

pub(crate) const CREATE_PRIMARY: Code = Code("TPM2_CreatePrimary", 0x131);
pub(crate) const ACTIVATE_CREDENTIAL: Code = Code("TPM2_ActivateCredential", 0x147);
pub(crate) const CERTIFY: Code = Code("TPM2_Certify", 0x148);
pub(crate) const NV_READ: Code = Code("TPM2_NV_Read", 0x14e);
pub(crate) const POLICY_SECRET: Code = Code("TPM2_PolicySecret", 0x151);
pub(crate) const CREATE: Code = Code("TPM2_Create", 0x153);
pub(crate) const LOAD: Code = Code("TPM2_Load", 0x157);
pub(crate) const SIGN: Code = Code("TPM2_Sign", 0x15d);
pub(crate) const FLUSH_CONTEXT: Code = Code("TPM2_FlushContext", 0x165);
pub(crate) const NV_READ_PUBLIC: Code = Code("TPM2_NV_ReadPublic", 0x169);
pub(crate) const START_AUTH_SESSION: Code = Code("TPM2_StartAuthSession", 0x176);
pub(crate) const HASH: Code = Code("TPM2_Hash", 0x17d);

/// Who asks: a password, or a session that was opened before.
pub(crate) enum Auth<'a> {
    Password(&'a [u8]),
    Session(u32),
}

/// A command.
pub(crate) struct Command<'a> {
    pub(crate) code: Code,
    pub(crate) handles: &'a [u32],
    pub(crate) auths: &'a [Auth<'a>],
    pub(crate) parameters: Zeroizing<Vec<u8>>,
}

impl Command<'_> {
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut body = Zeroizing::new(Vec::with_capacity(self.parameters.len() + 128));
        self.handles.iter().for_each(|handle| body.put_u32(*handle));
        if !self.auths.is_empty() {
            let area = self.auths();
            body.put_u32(u32::try_from(area.len()).unwrap_or(u32::MAX));
            body.extend_from_slice(&area);
        }
        body.extend_from_slice(&self.parameters);
        let mut all = Zeroizing::new(Vec::with_capacity(body.len() + HEADER));
        all.put_u16(if self.auths.is_empty() { NO_SESSIONS } else { SESSIONS });
        all.put_u32(u32::try_from(body.len() + HEADER).unwrap_or(u32::MAX));
        all.put_u32(self.code.1);
        all.extend_from_slice(&body);
        all
    }

    fn auths(&self) -> Zeroizing<Vec<u8>> {
        let mut area = Zeroizing::new(Vec::with_capacity(256));
        for auth in self.auths {
            let (session, value) = match auth {
                Auth::Password(value) => (handle::PASSWORD, *value),
                Auth::Session(session) => (*session, &[][..]),
            };
            area.put_u32(session);
            area.put_buffer(&[]);
            // a session is not needed any more once it was used
            area.push(0);
            area.put_buffer(value);
        }
        area
    }

    /// The handle (if the command gives one) and the parameters of an answer.
    pub(crate) fn decode<'a>(
        &self,
        answer: &'a [u8],
        gives_handle: bool,
    ) -> Result<(u32, Reader<'a>), TpmError> {
        let senseless = TpmError::Answer(self.code.0);
        match parse(answer, gives_handle) {
            Some(Ok((handle, parameters))) => Ok((handle, Reader::new(parameters))),
            Some(Err(code)) => Err(TpmError::Refused { command: self.code.0, code }),
            None => Err(senseless),
        }
    }
}

/// An answer: its handle and its parameters, or why there are none. `None` if it is none.
fn parse(answer: &[u8], gives_handle: bool) -> Option<Result<(u32, &[u8]), ResponseCode>> {
    let mut reader = Reader::new(answer);
    let (tag, size, code) = (reader.u16().ok()?, reader.u32().ok()?, reader.u32().ok()?);
    if usize::try_from(size).ok()? != answer.len() || ![SESSIONS, NO_SESSIONS].contains(&tag) {
        return None;
    }
    if code != 0 {
        return Some(Err(ResponseCode(code)));
    }
    let handle = if gives_handle { reader.u32().ok()? } else { 0 };
    if tag == NO_SESSIONS {
        return Some(Ok((handle, reader.rest())));
    }
    let length = usize::try_from(reader.u32().ok()?).ok()?;
    reader.rest().get(..length).map(|parameters| Ok((handle, parameters)))
}
