use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};

use super::certificate::{Certificate, CertificateError, MAX_CERTIFICATE, decimal};
use super::leaf_form::{KEY_ID_HEAD, LEAF_EXTENSIONS, WORKLOADS};
use super::name::{CaSubject, DistinguishedName};
use super::oid;
use super::path::{PathFault, permits};
use super::tlv::{
    BOOLEAN_TRUE, DNS_NAME, INTEGER, OCTET_STRING, SEQUENCE, URI_NAME, bit_string, extension, nested, time,
    tlv,
};
use super::uri_constraints::UriConstraints;
use crate::key::{PublicKey, SigAlg, SignError, Signer};
use crate::{SpiffeId, TrustDomain};

/// Why a certificate was not issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum IssueError {
    #[error("{id} is not of trust domain {trust_domain}, for which this authority signs")]
    ForeignTrustDomain { id: SpiffeId, trust_domain: TrustDomain },
    #[error(
        "{0} has no path: it names a trust domain, and a workload's SVID cannot be for it (X509-SVID §3.1)"
    )]
    NoPath(SpiffeId),
    #[error(
        "trust domain {0} has an empty label (a dot first, last or doubled), and Go cannot read certificates that name it"
    )]
    EmptyLabel(TrustDomain),
    #[error("{0:?} cannot be a DNS name of a certificate: it is empty or not ASCII")]
    DnsName(String),
    #[error("the certificate would be {0} bytes long; at most 65,536 are accepted")]
    TooLarge(usize),
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
    #[error(
        "{0:?} cannot constrain the hosts of URIs; write a host name, or one with a dot before it for all below"
    )]
    Constraint(String),
    #[error("the URI constraints keep out {0}, for which the authority is to sign")]
    ConstrainedAway(TrustDomain),
    #[error("nobody would accept the certificate: it {0}")]
    Constrained(#[source] PathFault),
    #[error("nobody would accept what the certificate is for: {subject} {fault}")]
    TooDeep { subject: String, fault: PathFault },
    #[error("a serial number of {0} bytes is none: 1 to 20 are")]
    Serial(usize),
    #[error("what was issued cannot be read back")]
    ReadBack(#[source] CertificateError),
    #[error("the revocation list that was issued cannot be read back")]
    ListReadBack(#[source] super::crl::CrlError),
}

/// A signing certificate with its key: what leaves are signed with.
pub struct X509Issuer {
    ca: Certificate,
    intermediates: Vec<Certificate>,
    /// Itself and those above it, one signed by the next, as far as they are known.
    path: Vec<Certificate>,
    signer: Arc<dyn Signer>,
    trust_domain: TrustDomain,
    authority_key_id: Vec<u8>,
    /// It as an extension of what is signed.
    authority_extension: Vec<u8>,
}

impl X509Issuer {
    /// The authority `ca`, whose key `signer` is. `upstream_chain` holds the intermediates between it and a root, the
    /// nearest first; itself may be the first of them, as SPIRE records it.
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
        if !id.path().is_empty() {
            return Err(not("its SPIFFE ID has a path, as only workloads' have (X509-SVID §3.2)"));
        }
        if signer.public().spki_der() != ca.spki() {
            return Err(IssueError::OtherKey);
        }
        let authority_key_id =
            ca.subject_key_id().map_or_else(|| signer.public().key_id().to_vec(), <[u8]>::to_vec);
        let path = path_from(&ca, &upstream_chain);
        let mut intermediates: Vec<_> = upstream_chain.into_iter().filter(|above| *above != ca).collect();
        let root = ca.subject_der() == ca.issuer_der();
        if !root || !intermediates.is_empty() {
            intermediates.insert(0, ca.clone());
        }
        let authority_extension = self::authority_key_id(&authority_key_id);
        let trust_domain = id.trust_domain();
        Ok(Self { trust_domain, ca, intermediates, path, signer, authority_key_id, authority_extension })
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
        self.intermediates.clone()
    }

    /// The last certificate that goes with what it signs, whose issuer is the root; itself if it is a root.
    pub fn topmost(&self) -> &Certificate {
        self.intermediates.last().unwrap_or(&self.ca)
    }

    /// `leaf` with the intermediates that a peer needs.
    pub fn chain_for(&self, leaf: Certificate) -> Vec<Certificate> {
        std::iter::once(leaf).chain(self.intermediates()).collect()
    }

    /// The identifier of its key, as what it signs names it.
    pub(super) fn key_id(&self) -> &[u8] {
        &self.authority_key_id
    }

    /// When it ends: nothing it signs lives longer.
    pub fn not_after(&self) -> SystemTime {
        self.ca.not_after()
    }

    /// Signs something else with the authority's key, such as a revocation list.
    pub fn signer(&self) -> &Arc<dyn Signer> {
        &self.signer
    }

    /// Whether the path above lets through a certificate with these names, under which, and under this authority, stand so
    /// many further ones: what is known to be refused is not issued.
    fn admits(&self, subject: &[u8], uri: &str, dns: &[String], further: usize) -> Result<(), IssueError> {
        let mut below = further;
        for certificate in &self.path {
            permits(certificate, subject, uri, dns).map_err(IssueError::Constrained)?;
            if let Some(allowed) = certificate.path_len().filter(|allowed| below > *allowed as usize) {
                let fault = PathFault::PathLength { allowed, found: below };
                return Err(IssueError::TooDeep { subject: certificate.subject().to_owned(), fault });
            }
            below += usize::from(!certificate.self_issued());
        }
        Ok(())
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

/// `ca` and what signed it, by their names.
fn path_from(ca: &Certificate, upstream: &[Certificate]) -> Vec<Certificate> {
    let mut path = vec![ca.clone()];
    for above in upstream.iter().filter(|above| *above != ca) {
        if path.last().is_none_or(|below| below.issuer_der() != above.subject_der()) {
            break;
        }
        path.push(above.clone());
    }
    path
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
    /// That of workloads if `None`.
    subject: Option<DistinguishedName>,
    unique_id: bool,
}

impl LeafTemplate {
    /// An SVID for `id` on `key`, valid from `not_before` to `not_after`.
    pub fn new(id: SpiffeId, key: PublicKey, not_before: SystemTime, not_after: SystemTime) -> Self {
        Self { id, key, not_before, not_after, dns: Vec::new(), subject: None, unique_id: false }
    }

    /// With DNS names; the first is the common name too.
    pub fn dns(mut self, names: &[String]) -> Self {
        self.dns = names.to_vec();
        self
    }

    /// With other countries and organizations than `C=US, O=SPIRE`.
    pub fn subject(self, country: Vec<String>, organization: Vec<String>) -> Self {
        self.named(DistinguishedName { country, organization, ..DistinguishedName::default() })
    }

    /// With another subject than `C=US, O=SPIRE`. The first DNS name still becomes its common name (SPIRE 1.16).
    pub fn named(mut self, subject: DistinguishedName) -> Self {
        self.subject = Some(subject);
        self
    }

    /// With a unique identifier (`2.5.4.45`) in its subject, so that no two identities share one (RFC 5280 §4.1.2.6):
    /// the first half of the SHA-256 of the SPIFFE ID, in hexadecimal. SPIRE's `CredentialComposer "uniqueid"`.
    pub fn with_unique_id(mut self) -> Self {
        self.unique_id = true;
        self
    }

    /// Signs it. It ends no later than its authority.
    pub fn issue(&self, issuer: &X509Issuer) -> Result<Certificate, IssueError> {
        issuer.sign(&self.to_be_signed(issuer)?)
    }

    /// As [`Self::issue`], without parsing what was just written: the hot path.
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
        self.check_names(&issuer.trust_domain)?;
        let (subject, nameless) = self.subject_der();
        issuer.admits(&subject, self.id.as_str(), &self.dns, 0)?;
        let key_id = [KEY_ID_HEAD, &self.key.key_id()].concat();
        let names = san_extension(Some(self.id.as_str()), &self.dns, nameless);
        let extensions = [LEAF_EXTENSIONS, &key_id, &issuer.authority_extension, &names];
        tbs(&Tbs {
            serial: &random_serial()?,
            alg: SigAlg::for_x509(issuer.signer.public()),
            issuer: issuer.ca.subject_der(),
            not_before: self.not_before,
            not_after: self.not_after.min(issuer.not_after()),
            subject: &subject,
            spki: self.key.spki_der(),
            extensions: &extensions,
        })
    }

    /// The subject, and whether it says nothing: then the alternative name is what counts, and critical (RFC 5280
    /// §4.2.1.6).
    fn subject_der(&self) -> (Cow<'static, [u8]>, bool) {
        let plain = self.dns.is_empty() && !self.unique_id;
        let mut subject = match &self.subject {
            None if plain => return (Cow::Borrowed(WORKLOADS), false),
            None => DistinguishedName::of_workloads(),
            Some(subject) => subject.clone(),
        };
        if let Some(first) = self.dns.first() {
            subject.common_name.clone_from(first);
        }
        if self.unique_id {
            subject.unique_id = unique_id(&self.id);
        }
        let der = subject.to_der();
        // What only has types that are not written is empty as well.
        let nameless = der == [SEQUENCE, 0];
        (Cow::Owned(der), nameless)
    }

    fn check_names(&self, trust_domain: &TrustDomain) -> Result<(), IssueError> {
        if self.id.path().is_empty() {
            return Err(IssueError::NoPath(self.id.clone()));
        }
        labelled(trust_domain)?;
        match self.dns.iter().find(|name| name.is_empty() || !name.is_ascii()) {
            Some(bad) => Err(IssueError::DnsName(bad.clone())),
            None => Ok(()),
        }
    }
}

/// What tells the subjects of two identities apart (SPIRE 1.16).
fn unique_id(id: &SpiffeId) -> String {
    let hash = digest(&SHA256, id.as_str().as_bytes());
    hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Go's X.509 refuses URIs whose host has an empty label, which the SPIFFE standard allows.
fn labelled(trust_domain: &TrustDomain) -> Result<(), IssueError> {
    match trust_domain.as_str().split('.').any(str::is_empty) {
        true => Err(IssueError::EmptyLabel(trust_domain.clone())),
        false => Ok(()),
    }
}

/// The parts of a signing certificate before it is signed (X509-SVID §3.2, §4; SPIRE 1.16's form).
#[derive(Clone, Debug)]
pub struct CaTemplate {
    trust_domain: TrustDomain,
    subject: DistinguishedName,
    not_before: SystemTime,
    not_after: SystemTime,
    path_len: Option<u8>,
    constraints: UriConstraints,
}

impl CaTemplate {
    /// An authority of `trust_domain`, valid from `not_before` to `not_after`.
    pub fn new(
        trust_domain: TrustDomain,
        subject: CaSubject,
        not_before: SystemTime,
        not_after: SystemTime,
    ) -> Self {
        Self::named(trust_domain, (&subject).into(), not_before, not_after)
    }

    /// The same with a whole distinguished name, such as the one of a signing request. It gets the certificate's serial
    /// number, if it has none.
    pub fn named(
        trust_domain: TrustDomain,
        subject: DistinguishedName,
        not_before: SystemTime,
        not_after: SystemTime,
    ) -> Self {
        let (path_len, constraints) = (None, UriConstraints::new());
        Self { trust_domain, subject, not_before, not_after, path_len, constraints }
    }

    /// With at most so many intermediates below it (X509-SVID §4.1); as many as they like by default, as SPIRE has it.
    pub fn path_len(mut self, intermediates: u8) -> Self {
        self.path_len = Some(intermediates);
        self
    }

    /// With URI name constraints (X509-SVID §4.2). Not every peer can verify what is signed below: see
    /// [`UriConstraints`].
    pub fn constrain(mut self, constraints: UriConstraints) -> Self {
        self.constraints = constraints;
        self
    }

    /// An authority for a server that stands below the one of `issuer`: named after it, and `OU=DOWNSTREAM-n` where n
    /// counts the authorities above (SPIRE 1.16).
    pub fn downstream_of(issuer: &X509Issuer, not_before: SystemTime, not_after: SystemTime) -> Self {
        let mut subject = issuer.ca.subject_name();
        subject.organizational_unit = vec![format!("DOWNSTREAM-{}", issuer.intermediates.len() + 1)];
        Self::named(issuer.trust_domain.clone(), subject, not_before, not_after)
    }

    /// Signs it with its own key: a root.
    pub fn self_sign(&self, signer: &dyn Signer) -> Result<Certificate, IssueError> {
        let serial = random_serial()?;
        let subject = self.subject_der(&serial);
        let alg = SigAlg::for_x509(signer.public());
        // What signs itself names no other key as its authority's, as Go has it.
        let tbs =
            self.tbs(&Above { alg, name: &subject, key_id: None }, &serial, signer.public(), self.not_after)?;
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
        let above = Above {
            alg: SigAlg::for_x509(issuer.signer.public()),
            name: issuer.ca.subject_der(),
            key_id: Some(&issuer.authority_key_id),
        };
        let not_after = self.not_after.min(issuer.not_after());
        let serial = random_serial()?;
        issuer.admits(&self.subject_der(&serial), self.trust_domain.id().as_str(), &[], 1)?;
        issuer.sign(&self.tbs(&above, &serial, key, not_after)?)
    }

    /// Signs it with an authority of whatever PKI, which need not name a trust domain: an intermediate on `key`, which ends
    /// no later than `parent`. `signer` is the key of `parent`.
    pub fn issue_under(
        &self,
        key: &PublicKey,
        parent: &Certificate,
        signer: &dyn Signer,
    ) -> Result<Certificate, IssueError> {
        if !parent.is_ca() || !parent.may_sign_certificates() {
            return Err(IssueError::NotAnAuthority("it may not sign certificates".to_owned()));
        }
        if signer.public().spki_der() != parent.spki() {
            return Err(IssueError::OtherKey);
        }
        let alg = SigAlg::for_x509(signer.public());
        let above = Above { alg, name: parent.subject_der(), key_id: parent.subject_key_id() };
        let tbs = self.tbs(&above, &random_serial()?, key, self.not_after.min(parent.not_after()))?;
        let signature = signer.sign(alg, &tbs).map_err(IssueError::Sign)?;
        Certificate::parse(assemble(&tbs, alg, &signature)).map_err(IssueError::ReadBack)
    }

    /// The subject, with the certificate's serial number so that no two authorities share a name.
    fn subject_der(&self, serial: &[u8]) -> Vec<u8> {
        let mut subject = self.subject.clone();
        if subject.serial_number.is_empty() {
            subject.serial_number = decimal(serial);
        }
        subject.to_der()
    }

    fn tbs(
        &self,
        above: &Above<'_>,
        serial: &[u8],
        key: &PublicKey,
        not_after: SystemTime,
    ) -> Result<Vec<u8>, IssueError> {
        labelled(&self.trust_domain)?;
        let path_len = self.path_len.map_or_else(Vec::new, |length| positive(&[length]));
        let mut extensions = vec![
            // keyCertSign, cRLSign
            extension(oid::KEY_USAGE, true, &[0x03, 0x02, 0x01, 0x06]),
            extension(oid::BASIC_CONSTRAINTS, true, &tlv(SEQUENCE, &[BOOLEAN_TRUE, &path_len])),
            extension(oid::SUBJECT_KEY_ID, false, &tlv(OCTET_STRING, &[&key.key_id()])),
        ];
        extensions.extend(above.key_id.map(authority_key_id));
        extensions.push(san_extension(Some(self.trust_domain.id().as_str()), &[], false));
        extensions.extend(self.constraints.extension(&self.trust_domain)?);
        let extensions: Vec<&[u8]> = extensions.iter().map(Vec::as_slice).collect();
        tbs(&Tbs {
            serial,
            alg: above.alg,
            issuer: above.name,
            not_before: self.not_before,
            not_after,
            subject: &self.subject_der(serial),
            spki: key.spki_der(),
            extensions: &extensions,
        })
    }
}

/// Who signs.
struct Above<'a> {
    alg: SigAlg,
    name: &'a [u8],
    key_id: Option<&'a [u8]>,
}

struct Tbs<'a> {
    serial: &'a [u8],
    alg: SigAlg,
    issuer: &'a [u8],
    not_before: SystemTime,
    not_after: SystemTime,
    subject: &'a [u8],
    spki: &'a [u8],
    extensions: &'a [&'a [u8]],
}

fn tbs(parts: &Tbs<'_>) -> Result<Vec<u8>, IssueError> {
    if parts.not_after < parts.not_before {
        return Err(IssueError::Period);
    }
    let moment = |at| time(at).map_err(|e| IssueError::Time(e.to_string()));
    let whole = tlv(
        SEQUENCE,
        &[
            // version 3
            &[0xa0, 0x03, 0x02, 0x01, 0x02],
            &positive(parts.serial),
            signature_algorithm(parts.alg),
            parts.issuer,
            &tlv(SEQUENCE, &[&moment(parts.not_before)?, &moment(parts.not_after)?]),
            parts.subject,
            parts.spki,
            &nested(&[0xa3, SEQUENCE], parts.extensions),
        ],
    );
    // Room for the largest signature, so that whoever reads it does not refuse it.
    match whole.len() > MAX_CERTIFICATE - 2048 {
        true => Err(IssueError::TooLarge(whole.len())),
        false => Ok(whole),
    }
}

/// Puts a signature to the bytes that were signed.
pub fn assemble(tbs: &[u8], alg: SigAlg, signature: &[u8]) -> Vec<u8> {
    tlv(SEQUENCE, &[tbs, signature_algorithm(alg), &bit_string(signature)])
}

pub(super) fn signature_algorithm(alg: SigAlg) -> &'static [u8] {
    oid::algorithm(alg)
}

/// The subject alternative name of DNS names and a URI, in Go's order.
pub(super) fn san_extension(uri: Option<&str>, dns: &[String], critical: bool) -> Vec<u8> {
    if let (Some(uri), []) = (uri, dns) {
        return extension(oid::SUBJECT_ALT_NAME, critical, &nested(&[SEQUENCE, URI_NAME], &[uri.as_bytes()]));
    }
    let mut names: Vec<Vec<u8>> = dns.iter().map(|name| tlv(DNS_NAME, &[name.as_bytes()])).collect();
    names.extend(uri.map(|uri| tlv(URI_NAME, &[uri.as_bytes()])));
    let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    extension(oid::SUBJECT_ALT_NAME, critical, &tlv(SEQUENCE, &names))
}

pub(super) fn authority_key_id(id: &[u8]) -> Vec<u8> {
    extension(oid::AUTHORITY_KEY_ID, false, &tlv(SEQUENCE, &[&tlv(0x80, &[id])]))
}

/// A random number of 128 bits, not zero.
fn random_serial() -> Result<[u8; 16], IssueError> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| IssueError::Random)?;
    match bytes.iter().all(|byte| *byte == 0) {
        true => Err(IssueError::Random),
        false => Ok(bytes),
    }
}

/// A positive INTEGER in DER's shortest form.
pub(super) fn positive(number: &[u8]) -> Vec<u8> {
    let skip = number.iter().take_while(|byte| **byte == 0).count();
    let digits = number.get(skip..).unwrap_or_default();
    let sign: &[u8] = if digits.first().is_none_or(|byte| byte & 0x80 != 0) { &[0] } else { &[] };
    tlv(INTEGER, &[sign, digits])
}
