//! The keys of one proof, in the TPM. Everything here blocks.

use super::agent::{Credentials, Passwords};
use super::wire::{AgentKey, CredActivation, Payload};
use crate::json_bytes::Bytes;
use crate::tpm::error::TpmError;
use crate::tpm::ids::{alg, handle};
use crate::tpm::public::{Public, PublicFault, Unique, without_length};
use crate::tpm::{Blobs, Loaded, Tpm, templates};
use zeroize::Zeroizing;

/// Why the TPM gives no proof.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error("cannot open TPM at \"{path}\": {why}")]
    Open { path: String, why: TpmError },
    #[error("cannot load DevID key on TPM: {0}")]
    DevIdPublic(PublicFault),
    #[error("cannot load DevID key on TPM: it fixes no scheme and hash to sign with")]
    NoScheme,
    #[error("{what}: {why}")]
    Tpm { what: &'static str, why: TpmError },
    #[error("unable to get endorsement certificate: what is at NV index 0x01c00002 is no certificate")]
    EndorsementCertificate,
    #[error("no random numbers to be had")]
    Random,
}

/// What makes an error of the TPM one that says what was wanted of it.
fn to(what: &'static str) -> impl Fn(TpmError) -> SessionError {
    move |why| SessionError::Tpm { what, why }
}

/// The three keys, loaded: removed from the TPM when this is dropped.
pub(super) struct Session {
    tpm: Tpm,
    passwords: Passwords,
    devid: Loaded,
    devid_hash: u16,
    ak: Loaded,
    ak_public: Vec<u8>,
    ak_password: Zeroizing<[u8; 32]>,
    agent_key: Option<AgentKey>,
    ek: Loaded,
    ek_public: Vec<u8>,
}

impl Session {
    /// Loads the DevID key below a storage root key of its own kind, makes an attestation key, and the endorsement key
    /// anew from its seed.
    pub(super) fn open(
        credentials: &Credentials,
        passwords: &Passwords,
        agent_key: Option<&Blobs>,
    ) -> Result<Self, SessionError> {
        let path = &credentials.device;
        let tpm =
            Tpm::open(path).map_err(|why| SessionError::Open { path: path.display().to_string(), why })?;
        let public = Public::parse_file(&credentials.public).map_err(SessionError::DevIdPublic)?;
        let devid_hash = public.scheme.ok_or(SessionError::NoScheme)?.hash;
        let blobs =
            Blobs { private: without_length(&credentials.private).to_vec(), public: public.raw().to_vec() };
        let kind = match public.unique {
            Unique::Rsa { .. } => alg::RSA,
            Unique::Ecc { .. } => alg::ECC,
        };
        let to_load = to("cannot load DevID key on TPM");
        let root = |kind| {
            let owner = passwords.owner_hierarchy.as_bytes();
            tpm.create_primary(handle::OWNER, owner, &templates::storage_root(kind)).map(|(loaded, _)| loaded)
        };
        // root keys are removed at once: a TPM without a resource manager has room for three keys
        let mut ak_password = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(ak_password.as_mut()).map_err(|_| SessionError::Random)?;
        let to_make = to("cannot create attestation key");
        let to_certify = to("cannot certify the agent's key, which must be in the same TPM");
        let (ak, ak_public) = {
            let root = root(alg::RSA).map_err(&to_make)?;
            let made = tpm.create(&root, ak_password.as_ref(), &templates::attestation_key());
            let made = made.map_err(&to_make)?;
            (tpm.load(&root, &made).map_err(to("cannot load attestation key"))?, made.public)
        };
        let agent_key = match agent_key {
            Some(blobs) => {
                let loaded = tpm.load(&root(alg::ECC).map_err(&to_certify)?, blobs).map_err(&to_certify)?;
                let signer = (&ak, ak_password.as_slice());
                let (certified, signature) = tpm.certify((&loaded, &[]), signer).map_err(&to_certify)?;
                let public = Bytes(blobs.public.clone());
                Some(AgentKey { public, certified: Bytes(certified), signature: Bytes(signature) })
            }
            None => None,
        };
        let devid = tpm.load(&root(kind).map_err(&to_load)?, &blobs).map_err(&to_load)?;
        let endorsement = passwords.endorsement_hierarchy.as_bytes();
        let (ek, ek_public) = tpm
            .create_primary(handle::ENDORSEMENT, endorsement, &templates::endorsement_key())
            .map_err(to("cannot create endorsement key"))?;
        let passwords = passwords.clone();
        Ok(Self { tpm, passwords, devid, devid_hash, ak, ak_public, ak_password, agent_key, ek, ek_public })
    }

    /// All that the server wants to see at first.
    pub(super) fn payload(&self, credentials: &Credentials) -> Result<Payload, SessionError> {
        let stored = self.tpm.nv_read(handle::EK_CERTIFICATE_RSA);
        let stored = stored.map_err(to("unable to get endorsement certificate"))?;
        let ek_cert = first_der(&stored).ok_or(SessionError::EndorsementCertificate)?;
        let devid = (&self.devid, self.passwords.devid.as_bytes());
        let (certified, signature) = self
            .tpm
            .certify(devid, (&self.ak, self.ak_password.as_ref()))
            .map_err(to("unable to certify DevID key"))?;
        let public = Public::parse_file(&credentials.public).map_err(SessionError::DevIdPublic)?;
        Ok(Payload {
            devid_cert: Some(credentials.chain.iter().cloned().map(Bytes).collect()),
            devid_pub: Bytes(public.raw().to_vec()),
            ek_cert: Bytes(ek_cert.to_vec()),
            ek_pub: Bytes(self.ek_public.clone()),
            ak_pub: Bytes(self.ak_public.clone()),
            certified_devid: Bytes(certified),
            certification_signature: Bytes(signature),
            agent_key: self.agent_key.clone(),
        })
    }

    /// The signature of the DevID key over the server's nonce, as X.509 has it.
    pub(super) fn sign(&self, nonce: &[u8]) -> Result<Vec<u8>, SessionError> {
        let wrong = to("unable to solve proof of possession challenge");
        let (digest, ticket) = self.tpm.hash(nonce, self.devid_hash).map_err(&wrong)?;
        let devid = (&self.devid, self.passwords.devid.as_bytes());
        let signature = self.tpm.sign(devid, &digest, None, &ticket).map_err(&wrong)?;
        signature.to_usual().ok_or_else(|| wrong(TpmError::Answer("TPM2_Sign")))
    }

    /// The secret that the server wrapped.
    pub(super) fn activate(&self, asked: &CredActivation) -> Result<Vec<u8>, SessionError> {
        let endorsement = self.passwords.endorsement_hierarchy.as_bytes();
        self.tpm
            .activate_credential(
                (&self.ak, self.ak_password.as_ref()),
                (&self.ek, endorsement),
                &asked.credential.0,
                &asked.secret.0,
            )
            .map_err(to("unable to solve proof of residency challenge"))
    }
}

/// The first value in DER: some makers leave other bytes behind their certificates.
fn first_der(stored: &[u8]) -> Option<&[u8]> {
    use der::{Reader as _, SliceReader};
    let mut reader = SliceReader::new(stored).ok()?;
    reader.tlv_bytes().ok()
}
