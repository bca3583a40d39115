//! Host certificates of OpenSSH (`PROTOCOL.certkeys`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

use super::public_key::{PublicKey, PublicKeyFault, Signature};
use super::read::{CutShort, Reader};

/// What the type of a certificate has behind that of its key.
const SUFFIX: &[u8] = b"-cert-v01@openssh.com";
/// A host's certificate, not a user's.
const HOST: u32 = 2;
/// How many names, options and extensions a certificate may have: OpenSSH allows 256 names.
const MAX_PARTS: usize = 256;
/// The only critical option that is known: it says whence users may log in, and nothing of hosts.
const SOURCE_ADDRESS: &str = "source-address";

/// Why bytes are no certificate, or one that is not to be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// It ends too early.
    #[error("it is cut short")]
    CutShort,
    /// A key in it cannot be used.
    #[error(transparent)]
    Key(#[from] PublicKeyFault),
    /// It is a bare key.
    #[error("it is a public key, not a certificate")]
    NoCertificate,
    /// There is more behind it, or behind its signature.
    #[error("there is something behind it")]
    Trailing,
    /// What must be text is none.
    #[error("a name in it is not text")]
    NotText,
    /// More than 256 of a kind.
    #[error("it has more than 256 principals, options or extensions")]
    TooMany,
    /// Options must be sorted.
    #[error("its options are not in order")]
    Order,
    /// It says whom it is for nowhere.
    #[error("cert has no valid principals")]
    NoPrincipals,
    /// It is a user's.
    #[error("it is of type {0}, not a host's")]
    NotHost(u32),
    /// It was signed by a key that is not among the authorities.
    #[error("no authorities for hostname: {0}")]
    Authority(String),
    /// It wants something that is not known here.
    #[error("unsupported critical option \"{0}\" in certificate")]
    CriticalOption(String),
    /// Its time has not come.
    #[error("cert is not yet valid")]
    NotYet,
    /// Its time is over.
    #[error("cert has expired")]
    Expired,
    /// Its signature is not that of its authority.
    #[error("certificate signature does not verify")]
    Signature,
    /// The first name is not one.
    #[error("the principal \"{0}\" is not a host name")]
    HostName(String),
}

impl From<CutShort> for CertificateFault {
    fn from(_: CutShort) -> Self {
        Self::CutShort
    }
}

/// A certificate as it stands there. Nothing about it is proven yet.
#[derive(Debug, Clone)]
pub(super) struct Certificate {
    blob: Vec<u8>,
    /// How much of `blob` is signed.
    signed: usize,
    pub(super) key: PublicKey,
    pub(super) serial: u64,
    kind: u32,
    pub(super) key_id: String,
    pub(super) principals: Vec<String>,
    pub(super) valid_after: u64,
    pub(super) valid_before: u64,
    pub(super) critical_options: BTreeMap<String, String>,
    pub(super) extensions: BTreeMap<String, String>,
    authority: PublicKey,
    signature: Signature,
}

impl Certificate {
    pub(super) fn parse(blob: &[u8]) -> Result<Self, CertificateFault> {
        let mut reader = Reader::new(blob);
        let whole_type = reader.string()?;
        let key_type = whole_type.strip_suffix(SUFFIX).ok_or(CertificateFault::NoCertificate)?;
        let _nonce = reader.string()?;
        let key = PublicKey::parse_fields(key_type, &mut reader)?;
        let (serial, kind) = (reader.u64()?, reader.u32()?);
        let key_id = text(reader.string()?)?;
        let principals = principals(reader.string()?)?;
        let (valid_after, valid_before) = (reader.u64()?, reader.u64()?);
        let critical_options = options(reader.string()?)?;
        let extensions = options(reader.string()?)?;
        let _reserved = reader.string()?;
        let authority = PublicKey::parse(reader.string()?)?;
        let signed = blob.len().saturating_sub(reader.rest().len());
        let signature = Signature::parse(reader.string()?)?;
        if !reader.is_empty() {
            return Err(CertificateFault::Trailing);
        }
        Ok(Self {
            blob: blob.to_vec(),
            signed,
            key,
            serial,
            kind,
            key_id,
            principals,
            valid_after,
            valid_before,
            critical_options,
            extensions,
            authority,
            signature,
        })
    }

    /// As it was read.
    pub(super) fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// The name of the host that it is for: the first of its principals.
    pub(super) fn host(&self) -> Result<&str, CertificateFault> {
        let host = self.principals.first().ok_or(CertificateFault::NoPrincipals)?;
        match host.contains([':', '[', ']']) {
            true => Err(CertificateFault::HostName(host.clone())),
            false => Ok(host),
        }
    }

    /// Whether it is a host's, and one of these authorities (by their blobs) has signed it for this time. The checks are
    /// those of Go's `CertChecker.CheckHostKey`, in its order.
    pub(super) fn check(
        &self,
        authorities: &BTreeSet<Vec<u8>>,
        now: SystemTime,
    ) -> Result<(), CertificateFault> {
        if self.kind != HOST {
            return Err(CertificateFault::NotHost(self.kind));
        }
        if !authorities.contains(&self.authority.blob()) {
            return Err(CertificateFault::Authority(format!("{}:22", self.host()?)));
        }
        if let Some(option) = self.critical_options.keys().find(|option| *option != SOURCE_ADDRESS) {
            return Err(CertificateFault::CriticalOption(option.clone()));
        }
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if now < self.valid_after {
            return Err(CertificateFault::NotYet);
        }
        if now >= self.valid_before {
            return Err(CertificateFault::Expired);
        }
        let signed = self.blob.get(..self.signed).unwrap_or_default();
        self.authority.verifies(signed, &self.signature).then_some(()).ok_or(CertificateFault::Signature)
    }

    /// SHA-256 of it in the alphabet of base64 for URLs, without padding.
    pub(super) fn fingerprint(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, &self.blob))
    }
}

fn text(bytes: &[u8]) -> Result<String, CertificateFault> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| CertificateFault::NotText)
}

fn principals(bytes: &[u8]) -> Result<Vec<String>, CertificateFault> {
    let mut reader = Reader::new(bytes);
    let mut principals = Vec::new();
    while !reader.is_empty() {
        principals.push(text(reader.string()?)?);
        if principals.len() > MAX_PARTS {
            return Err(CertificateFault::TooMany);
        }
    }
    Ok(principals)
}

/// Names with their values, sorted; a value that is there is a string within a string.
fn options(bytes: &[u8]) -> Result<BTreeMap<String, String>, CertificateFault> {
    let mut reader = Reader::new(bytes);
    let mut options = BTreeMap::<String, String>::new();
    while !reader.is_empty() {
        let (name, data) = (text(reader.string()?)?, reader.string()?);
        if options.last_key_value().is_some_and(|(last, _)| *last >= name) {
            return Err(CertificateFault::Order);
        }
        let value = match data.is_empty() {
            true => String::new(),
            false => {
                let mut inner = Reader::new(data);
                let value = String::from_utf8_lossy(inner.string()?).into_owned();
                if !inner.is_empty() {
                    return Err(CertificateFault::Trailing);
                }
                value
            }
        };
        options.insert(name, value);
        if options.len() > MAX_PARTS {
            return Err(CertificateFault::TooMany);
        }
    }
    Ok(options)
}
