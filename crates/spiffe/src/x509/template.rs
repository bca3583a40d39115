use std::sync::Arc;
use std::time::SystemTime;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

use super::certificate::{Certificate, CertificateError};
use super::name::{CaSubject, name};
use super::oid;
use super::tlv::{INTEGER, OCTET_STRING, SEQUENCE, bit_string, extension, time, tlv};
use crate::key::{PublicKey, SigAlg, SignError, Signer};
use crate::{SpiffeId, TrustDomain};

/// Why a certificate was not issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum IssueError {
    #[error("{id} is not of trust domain {trust_domain}, for which this authority signs")]
    ForeignTrustDomain { id: SpiffeId, trust_domain: TrustDomain },
    #[error("the certificate would end before it starts")]
    Period,
    #[error("a moment cannot be written in a certificate: {0}")]
    Time(String),
    #[error("no random serial number could be made")]
    Random,
    #[error("the authority did not sign")]
    Sign(#[source] SignError),
    #[error("the authority's certificate is no CA of a trust domain: {0}")]
    NotAnAuthority(String),
    #[error("the authority's key is not the one of its certificate")]
    OtherKey,
    #[error("what was issued cannot be read back")]
    ReadBack(#[source] CertificateError),
}

/// A signing certificate with its key: what leaves are signed with.
pub struct X509Issuer {
    ca: Certificate,
    upstream_chain: Vec<Certificate>,
    signer: Arc<dyn Signer>,
    trust_domain: TrustDomain,
    authority_key_id: Vec<u8>,
}

impl X509Issuer {
    /// The authority `ca`, whose key `signer` is. `upstream_chain` holds the intermediates between it and a root, the
    /// nearest first; empty if it is a root itself.
    pub fn new(
        ca: Certificate,
        upstream_chain: Vec<Certificate>,
        signer: Arc<dyn Signer>,
    ) -> Result<Self, IssueError> {
        let not = |why: &str| IssueError::NotAnAuthority(why.to_owned());
        if !ca.is_ca() || !ca.signs_certificates() {
            return Err(not("it may not sign certificates"));
        }
        let [uri] = ca.uri_sans() else { return Err(not("it has no single URI")) };
        let id = SpiffeId::parse(uri).map_err(|e| not(&e.to_string()))?;
        if signer.public().spki_der() != ca.spki() {
            return Err(IssueError::OtherKey);
        }
        let authority_key_id =
            ca.subject_key_id().map_or_else(|| signer.public().key_id().to_vec(), <[u8]>::to_vec);
        Ok(Self { trust_domain: id.trust_domain(), ca, upstream_chain, signer, authority_key_id })
    }

    /// The trust domain for which it signs.
    pub fn trust_domain(&self) -> &TrustDomain {
        &self.trust_domain
    }

    /// The signing certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.ca
    }

    /// The intermediates that go with what it signs: itself and those above, or none if it is a root.
    pub fn intermediates(&self) -> Vec<Certificate> {
        match self.upstream_chain.is_empty() {
            true => Vec::new(),
            false => std::iter::once(self.ca.clone()).chain(self.upstream_chain.iter().cloned()).collect(),
        }
    }

    /// `leaf` with the intermediates that a peer needs.
    pub fn chain_for(&self, leaf: Certificate) -> Vec<Certificate> {
        std::iter::once(leaf).chain(self.intermediates()).collect()
    }

    /// When it ends: nothing it signs lives longer.
    pub fn not_after(&self) -> SystemTime {
        self.ca.not_after()
    }

    /// Signs something else with the authority's key, such as a revocation list.
    pub fn signer(&self) -> &Arc<dyn Signer> {
        &self.signer
    }

    fn sign(&self, tbs: &[u8]) -> Result<Certificate, IssueError> {
        let alg = SigAlg::for_x509(self.signer.public());
        let signature = self.signer.sign(alg, tbs).map_err(IssueError::Sign)?;
        Certificate::parse(assemble(tbs, alg, &signature)).map_err(IssueError::ReadBack)
    }

    fn sign_der(&self, tbs: &[u8]) -> Result<Vec<u8>, IssueError> {
        let alg = SigAlg::for_x509(self.signer.public());
        let signature = self.signer.sign(alg, tbs).map_err(IssueError::Sign)?;
        Ok(assemble(tbs, alg, &signature))
    }
}

impl std::fmt::Debug for X509Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("X509Issuer").field("ca", &self.ca).finish_non_exhaustive()
    }
}

/// The parts of an X.509-SVID before it is signed (X509-SVID §3, §4; SPIRE 1.16's form).
#[derive(Clone, Debug)]
pub struct LeafTemplate {
    id: SpiffeId,
    key: PublicKey,
    not_before: SystemTime,
    not_after: SystemTime,
    dns: Vec<String>,
    subject: Option<(Vec<String>, Vec<String>)>,
}

impl LeafTemplate {
    /// An SVID for `id` on `key`, valid from `not_before` to `not_after`.
    pub fn new(id: SpiffeId, key: PublicKey, not_before: SystemTime, not_after: SystemTime) -> Self {
        Self { id, key, not_before, not_after, dns: Vec::new(), subject: None }
    }

    /// With DNS names; the first is the common name too.
    pub fn dns(mut self, names: &[String]) -> Self {
        self.dns = names.to_vec();
        self
    }

    /// With other countries and organizations than `C=US, O=SPIRE`.
    pub fn subject(mut self, country: Vec<String>, organization: Vec<String>) -> Self {
        self.subject = Some((country, organization));
        self
    }

    /// Signs it. It ends no later than its authority.
    pub fn issue(&self, issuer: &X509Issuer) -> Result<Certificate, IssueError> {
        issuer.sign(&self.to_be_signed(issuer)?)
    }

    /// As [`Self::issue`], without parsing what was just written: the hot path. Returns the DER, the serial number
    /// in it, and when it ends.
    pub fn issue_der(&self, issuer: &X509Issuer) -> Result<Vec<u8>, IssueError> {
        issuer.sign_der(&self.to_be_signed(issuer)?)
    }

    /// The bytes to be signed: for signers that are elsewhere. [`assemble`] puts the signature to them.
    pub fn to_be_signed(&self, issuer: &X509Issuer) -> Result<Vec<u8>, IssueError> {
        if !self.id.member_of(&issuer.trust_domain) {
            return Err(IssueError::ForeignTrustDomain {
                id: self.id.clone(),
                trust_domain: issuer.trust_domain.clone(),
            });
        }
        let common_name = self.dns.first().map_or("", String::as_str);
        let subject = match &self.subject {
            Some((country, organization)) => name(&strs(country), &strs(organization), common_name, ""),
            None => name(&["US"], &["SPIRE"], common_name, ""),
        };
        let extensions = [
            // digitalSignature, keyEncipherment, keyAgreement
            extension(oid::KEY_USAGE, true, &[0x03, 0x02, 0x03, 0xa8]),
            extension(oid::EXT_KEY_USAGE, false, oid::SERVER_AND_CLIENT_AUTH),
            extension(oid::BASIC_CONSTRAINTS, true, &[0x30, 0x00]),
            extension(oid::SUBJECT_KEY_ID, false, &tlv(OCTET_STRING, &[&self.key.key_id()])),
            authority_key_id(&issuer.authority_key_id),
            san_extension(Some(self.id.as_str()), &self.dns),
        ];
        tbs(&Tbs {
            alg: SigAlg::for_x509(issuer.signer.public()),
            issuer: issuer.ca.subject_der(),
            not_before: self.not_before,
            not_after: self.not_after.min(issuer.not_after()),
            subject: &subject,
            spki: self.key.spki_der(),
            extensions: &extensions,
        })
    }
}

/// The parts of a signing certificate before it is signed (X509-SVID §3.2, §4; SPIRE 1.16's form).
#[derive(Clone, Debug)]
pub struct CaTemplate {
    trust_domain: TrustDomain,
    subject: CaSubject,
    not_before: SystemTime,
    not_after: SystemTime,
}

impl CaTemplate {
    /// An authority of `trust_domain`, valid from `not_before` to `not_after`.
    pub fn new(
        trust_domain: TrustDomain,
        subject: CaSubject,
        not_before: SystemTime,
        not_after: SystemTime,
    ) -> Self {
        Self { trust_domain, subject, not_before, not_after }
    }

    /// Signs it with its own key: a root.
    pub fn self_sign(&self, signer: &dyn Signer) -> Result<Certificate, IssueError> {
        let subject = self.subject_der()?;
        let alg = SigAlg::for_x509(signer.public());
        let key_id = signer.public().key_id();
        let tbs = self.tbs(alg, &subject, &subject, signer.public(), &key_id, self.not_after)?;
        let signature = signer.sign(alg, &tbs).map_err(IssueError::Sign)?;
        Certificate::parse(assemble(&tbs, alg, &signature)).map_err(IssueError::ReadBack)
    }

    /// Signs it with another authority of the same trust domain: an intermediate on `key`.
    pub fn issue(&self, key: &PublicKey, issuer: &X509Issuer) -> Result<Certificate, IssueError> {
        if self.trust_domain != issuer.trust_domain {
            return Err(IssueError::ForeignTrustDomain {
                id: self.trust_domain.id(),
                trust_domain: issuer.trust_domain.clone(),
            });
        }
        let alg = SigAlg::for_x509(issuer.signer.public());
        let not_after = self.not_after.min(issuer.not_after());
        let tbs = self.tbs(
            alg,
            issuer.ca.subject_der(),
            &self.subject_der()?,
            key,
            &issuer.authority_key_id,
            not_after,
        )?;
        issuer.sign(&tbs)
    }

    /// The subject, with a random serial number so that no two authorities share a name.
    fn subject_der(&self) -> Result<Vec<u8>, IssueError> {
        let serial = super::decimal(&random_serial()?);
        let subject = &self.subject;
        Ok(name(&strs(&subject.country), &strs(&subject.organization), &subject.common_name, &serial))
    }

    fn tbs(
        &self,
        alg: SigAlg,
        issuer: &[u8],
        subject: &[u8],
        key: &PublicKey,
        authority: &[u8],
        not_after: SystemTime,
    ) -> Result<Vec<u8>, IssueError> {
        let extensions = [
            // keyCertSign, cRLSign
            extension(oid::KEY_USAGE, true, &[0x03, 0x02, 0x01, 0x06]),
            extension(oid::BASIC_CONSTRAINTS, true, &[0x30, 0x03, 0x01, 0x01, 0xff]),
            extension(oid::SUBJECT_KEY_ID, false, &tlv(OCTET_STRING, &[&key.key_id()])),
            authority_key_id(authority),
            san_extension(Some(self.trust_domain.id().as_str()), &[]),
        ];
        tbs(&Tbs {
            alg,
            issuer,
            not_before: self.not_before,
            not_after,
            subject,
            spki: key.spki_der(),
            extensions: &extensions,
        })
    }
}

struct Tbs<'a> {
    alg: SigAlg,
    issuer: &'a [u8],
    not_before: SystemTime,
    not_after: SystemTime,
    subject: &'a [u8],
    spki: &'a [u8],
    extensions: &'a [Vec<u8>],
}

fn tbs(parts: &Tbs<'_>) -> Result<Vec<u8>, IssueError> {
    if parts.not_after < parts.not_before {
        return Err(IssueError::Period);
    }
    let moment = |at| time(at).map_err(|e| IssueError::Time(e.to_string()));
    let extensions: Vec<&[u8]> = parts.extensions.iter().map(Vec::as_slice).collect();
    Ok(tlv(
        SEQUENCE,
        &[
            // version 3
            &[0xa0, 0x03, 0x02, 0x01, 0x02],
            &tlv(INTEGER, &[&random_serial()?]),
            signature_algorithm(parts.alg),
            parts.issuer,
            &tlv(SEQUENCE, &[&moment(parts.not_before)?, &moment(parts.not_after)?]),
            parts.subject,
            parts.spki,
            &tlv(0xa3, &[&tlv(SEQUENCE, &extensions)]),
        ],
    ))
}

/// Puts a signature to the bytes that were signed.
pub fn assemble(tbs: &[u8], alg: SigAlg, signature: &[u8]) -> Vec<u8> {
    tlv(SEQUENCE, &[tbs, signature_algorithm(alg), &bit_string(signature)])
}

pub(super) fn signature_algorithm(alg: SigAlg) -> &'static [u8] {
    oid::algorithm(alg)
}

/// The subject alternative name of DNS names and a URI, in Go's order.
pub(super) fn san_extension(uri: Option<&str>, dns: &[String]) -> Vec<u8> {
    let mut names: Vec<Vec<u8>> = dns.iter().map(|name| tlv(0x82, &[name.as_bytes()])).collect();
    names.extend(uri.map(|uri| tlv(0x86, &[uri.as_bytes()])));
    let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    extension(oid::SUBJECT_ALT_NAME, false, &tlv(SEQUENCE, &names))
}

fn authority_key_id(id: &[u8]) -> Vec<u8> {
    extension(oid::AUTHORITY_KEY_ID, false, &tlv(SEQUENCE, &[&tlv(0x80, &[id])]))
}

/// 127 random bits as a positive DER INTEGER's content.
fn random_serial() -> Result<[u8; 16], IssueError> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| IssueError::Random)?;
    // Positive, and no leading zero byte to strip.
    bytes[0] = (bytes[0] & 0x7f) | 0x40;
    Ok(bytes)
}

fn strs(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}
