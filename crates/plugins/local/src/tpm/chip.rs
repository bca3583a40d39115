//! A TPM, asked one command after another. Everything here blocks.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

use super::command::{self, Auth, Code, Command};
use super::device::Device;
use super::error::TpmError;
use super::ids::{alg, handle};
use super::public::Template;
use super::signature::Signature;
use super::wire::{Put, Reader, WrongLength};

/// How often a TPM that asks to be asked again is, and after what time.
const ATTEMPTS: usize = 50;
const PAUSE: Duration = Duration::from_millis(100);
/// How much of an NV index is read at once; every TPM can do that.
const NV_BLOCK: u16 = 512;
/// The largest NV index that is read.
const MAX_NV: u16 = 8 * 1024;

/// A TPM. Clones ask the same.
#[derive(Clone)]
pub(crate) struct Tpm(Arc<Mutex<Device>>);

/// An object that is loaded, until it is dropped.
pub(crate) struct Loaded {
    tpm: Tpm,
    pub(crate) handle: u32,
}

impl Drop for Loaded {
    fn drop(&mut self) {
        if self.handle != handle::NULL {
            self.tpm.flush(self.handle);
        }
    }
}

/// The two halves of an object that can be loaded again: the private one is encrypted for its TPM.
#[derive(Clone)]
pub(crate) struct Blobs {
    pub(crate) private: Vec<u8>,
    pub(crate) public: Vec<u8>,
}

/// What a digest was made of is known to the TPM itself: what restricted keys ask for.
pub(crate) struct Ticket(Vec<u8>);

impl Ticket {
    /// None at all.
    pub(crate) fn null() -> Self {
        let mut ticket = Vec::new();
        ticket.put_u16(0x8024);
        ticket.put_u32(handle::NULL);
        ticket.put_buffer(&[]);
        Self(ticket)
    }
}

impl Tpm {
    pub(crate) fn open(path: &Path) -> Result<Self, TpmError> {
        Ok(Self(Arc::new(Mutex::new(Device::open(path)?))))
    }

    /// Asks, again and again if the TPM says so.
    fn run<T>(
        &self,
        code: Code,
        handles: &[u32],
        auths: &[Auth<'_>],
        parameters: Vec<u8>,
        read: impl FnOnce(u32, &mut Reader<'_>) -> Result<T, WrongLength>,
    ) -> Result<T, TpmError> {
        let command = Command { code, handles, auths, parameters: Zeroizing::new(parameters) };
        let gives_handle =
            [command::CREATE_PRIMARY.1, command::LOAD.1, command::START_AUTH_SESSION.1].contains(&code.1);
        let bytes = command.encode();
        let mut attempt = 0;
        let answer = loop {
            attempt += 1;
            let answer = self.0.lock().unwrap_or_else(PoisonError::into_inner).exchange(&bytes)?;
            match command.decode(&answer, gives_handle) {
                Err(TpmError::Refused { code, .. }) if code.is_passing() && attempt < ATTEMPTS => {
                    std::thread::sleep(PAUSE);
                }
                Err(other) => return Err(other),
                Ok(_) => break Zeroizing::new(answer),
            }
        };
        let (handle, mut reader) = command.decode(&answer, gives_handle)?;
        read(handle, &mut reader).map_err(|_| TpmError::Answer(code.0))
    }

    fn flush(&self, handle: u32) {
        let mut parameters = Vec::new();
        parameters.put_u32(handle);
        let flushed = self.run(command::FLUSH_CONTEXT, &[], &[], parameters, |_, _| Ok(()));
        if let Err(cause) = flushed {
            tracing::warn!(error = %cause, "A key could not be removed from the TPM; it may run out of room");
        }
    }

    fn loaded(&self, handle: u32) -> Loaded {
        Loaded { tpm: self.clone(), handle }
    }

    /// Makes the key that a hierarchy's seed and this template yield; the same each time. Returns its public half too.
    pub(crate) fn create_primary(
        &self,
        hierarchy: u32,
        password: &[u8],
        template: &Template,
    ) -> Result<(Loaded, Vec<u8>), TpmError> {
        let parameters = creation(&[], template);
        let auth = [Auth::Password(password)];
        self.run(command::CREATE_PRIMARY, &[hierarchy], &auth, parameters, |handle, reader| {
            // loaded first, so that it is removed again if the rest cannot be read
            let loaded = self.loaded(handle);
            Ok((loaded, reader.buffer()?.to_vec()))
        })
    }

    /// Makes a key below a parent that has no password.
    pub(crate) fn create(
        &self,
        parent: &Loaded,
        password: &[u8],
        template: &Template,
    ) -> Result<Blobs, TpmError> {
        let (auth, parameters) = ([Auth::Password(&[])], creation(password, template));
        self.run(command::CREATE, &[parent.handle], &auth, parameters, |_, reader| {
            let private = reader.buffer()?.to_vec();
            Ok(Blobs { private, public: reader.buffer()?.to_vec() })
        })
    }

    /// Loads a key below a parent that has no password.
    pub(crate) fn load(&self, parent: &Loaded, blobs: &Blobs) -> Result<Loaded, TpmError> {
        let mut parameters = Vec::new();
        parameters.put_buffer(&blobs.private);
        parameters.put_buffer(&blobs.public);
        let auth = [Auth::Password(&[])];
        self.run(command::LOAD, &[parent.handle], &auth, parameters, |handle, _| Ok(self.loaded(handle)))
    }

    /// Everything at an NV index that needs no password.
    pub(crate) fn nv_read(&self, index: u32) -> Result<Vec<u8>, TpmError> {
        let size = self.run(command::NV_READ_PUBLIC, &[index], &[], Vec::new(), |_, reader| {
            let mut public = Reader::new(reader.buffer()?);
            public.skip(4 + 2 + 4)?;
            let _policy = public.buffer()?;
            public.u16()
        })?;
        let size = size.min(MAX_NV);
        let mut all = Vec::new();
        while let Some(left) =
            size.checked_sub(u16::try_from(all.len()).unwrap_or(u16::MAX)).filter(|it| *it > 0)
        {
            let mut parameters = Vec::new();
            parameters.put_u16(left.min(NV_BLOCK));
            parameters.put_u16(u16::try_from(all.len()).unwrap_or(u16::MAX));
            let auth = [Auth::Password(&[])];
            let block = self.run(command::NV_READ, &[index, index], &auth, parameters, |_, reader| {
                reader.buffer().map(<[u8]>::to_vec)
            })?;
            if block.is_empty() {
                return Err(TpmError::Answer(command::NV_READ.0));
            }
            all.extend(block);
        }
        Ok(all)
    }

    /// Has the TPM say that `object` is in it, signed by `signer`: what it says, and the signature.
    pub(crate) fn certify(
        &self,
        object: (&Loaded, &[u8]),
        signer: (&Loaded, &[u8]),
    ) -> Result<(Vec<u8>, Vec<u8>), TpmError> {
        let mut parameters = Vec::new();
        parameters.put_buffer(&[]);
        parameters.put_u16(alg::NULL);
        let auths = [Auth::Password(object.1), Auth::Password(signer.1)];
        self.run(command::CERTIFY, &[object.0.handle, signer.0.handle], &auths, parameters, |_, reader| {
            let attested = reader.buffer()?.to_vec();
            Ok((attested, reader.rest().to_vec()))
        })
    }

    /// A digest by the TPM, with its word that the text was not one of its own.
    pub(crate) fn hash(&self, text: &[u8], hash: u16) -> Result<(Vec<u8>, Ticket), TpmError> {
        let mut parameters = Vec::new();
        parameters.put_buffer(text);
        parameters.put_u16(hash);
        parameters.put_u32(handle::OWNER);
        self.run(command::HASH, &[], &[], parameters, |_, reader| {
            let digest = reader.buffer()?.to_vec();
            Ok((digest, Ticket(reader.rest().to_vec())))
        })
    }

    /// Signs a digest, by this algorithm and hash, or by the key's own if there is none.
    pub(crate) fn sign(
        &self,
        key: (&Loaded, &[u8]),
        digest: &[u8],
        scheme: Option<(u16, u16)>,
        ticket: &Ticket,
    ) -> Result<Signature, TpmError> {
        let mut parameters = Vec::new();
        parameters.put_buffer(digest);
        match scheme {
            Some((algorithm, hash)) => {
                parameters.put_u16(algorithm);
                parameters.put_u16(hash);
            }
            None => parameters.put_u16(alg::NULL),
        }
        parameters.extend_from_slice(&ticket.0);
        let auth = [Auth::Password(key.1)];
        self.run(command::SIGN, &[key.0.handle], &auth, parameters, |_, reader| {
            Signature::read(reader).ok_or(WrongLength)
        })
    }

    /// Unwraps a secret that was wrapped for this endorsement key and that object.
    pub(crate) fn activate_credential(
        &self,
        object: (&Loaded, &[u8]),
        ek: (&Loaded, &[u8]),
        credential: &[u8],
        secret: &[u8],
    ) -> Result<Vec<u8>, TpmError> {
        let mut session = self.endorsement_session(ek.1)?;
        let mut parameters = Vec::new();
        parameters.put_buffer(credential);
        parameters.put_buffer(secret);
        let auths = [Auth::Password(object.1), Auth::Session(session.handle)];
        let handles = [object.0.handle, ek.0.handle];
        let unwrapped =
            self.run(command::ACTIVATE_CREDENTIAL, &handles, &auths, parameters, |_, reader| {
                reader.buffer().map(<[u8]>::to_vec)
            })?;
        // it ended with the command
        session.handle = handle::NULL;
        Ok(unwrapped)
    }

    /// A session in which the endorsement key may be used: whoever knows the hierarchy's password may.
    fn endorsement_session(&self, password: &[u8]) -> Result<Loaded, TpmError> {
        let mut parameters = Vec::new();
        parameters.put_buffer(&[0; 16]);
        parameters.put_buffer(&[]);
        // a policy session
        parameters.push(1);
        parameters.put_u16(alg::NULL);
        parameters.put_u16(alg::SHA256);
        let handles = [handle::NULL, handle::NULL];
        let session = self.run(command::START_AUTH_SESSION, &handles, &[], parameters, |handle, _| {
            Ok(self.loaded(handle))
        })?;
        let mut parameters = Vec::new();
        // no nonce, no command, no reference, no end
        (0..3).for_each(|_| parameters.put_buffer(&[]));
        parameters.put_u32(0);
        let handles = [handle::ENDORSEMENT, session.handle];
        let auth = [Auth::Password(password)];
        self.run(command::POLICY_SECRET, &handles, &auth, parameters, |_, _| Ok(()))?;
        Ok(session)
    }
}

/// The parameters of a creation: a password, the template, nothing from outside, no PCRs.
fn creation(password: &[u8], template: &Template) -> Vec<u8> {
    let mut sensitive = Zeroizing::new(Vec::new());
    sensitive.put_buffer(password);
    sensitive.put_buffer(&[]);
    let mut parameters = Vec::new();
    parameters.put_buffer(&sensitive);
    parameters.put_buffer(&template.encode());
    parameters.put_buffer(&[]);
    parameters.put_u32(0);
    parameters
}
