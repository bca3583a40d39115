//! What is signed with the authorities, and for whom. Each function demands the value that proves the right to it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{Attested, UnixTime};
use spiffe::SpiffeId;
use spiffe::jwt::{self, JwtSvidClaims};
use spiffe::key::{PublicKey, SigAlg};
use spiffe::wit::{ConfirmationKey, WitClaims, WitIssuer};
use spiffe::x509::{CaTemplate, Certificate, Csr, DistinguishedName, IssueError, LeafTemplate, X509Issuer};

use super::error::SignError;
use super::handle::Authorities;
use super::jwt::JwtKey;
use super::kind::Kind;
use super::settings::WorkloadSubjects;
use super::wit::WitKey;
use super::x509::BACKDATE;
use crate::authz::{AdminGrant, AuthorizedAgent, DownstreamGrant, EntryGrant};
use crate::metrics::{SIGN_JWT_SVID, SIGN_WIT_SVID, SIGN_X509_CA, SIGN_X509_SVID};
use crate::signing::Class;

/// Life of WIT-SVIDs whose entry does not say (SPIRE 1.16).
const WIT_SVID_TTL: Duration = Duration::from_secs(60 * 60);

/// An agent asks for the X.509-SVID of an entry.
pub struct NewX509 {
    /// Its right to it.
    pub grant: EntryGrant,
    /// The request that brings the key; all else in it is ignored.
    pub csr: Vec<u8>,
}

/// An administrator asks for an X.509-SVID.
pub struct MintX509 {
    /// The request that was checked and brings the key.
    pub csr: Csr,
    /// The identity.
    pub id: SpiffeId,
    /// DNS names; the first becomes the common name.
    pub dns_names: Vec<String>,
    /// How long; `None` for the default.
    pub ttl: Option<Duration>,
}

/// An administrator asks for a JWT-SVID.
pub struct MintJwt {
    /// The identity.
    pub id: SpiffeId,
    /// For whom.
    pub audience: Vec<String>,
    /// How long; `None` for the default.
    pub ttl: Option<Duration>,
}

/// An administrator asks for a WIT-SVID.
pub struct MintWit {
    /// The identity.
    pub id: SpiffeId,
    /// The key that it is bound to.
    pub key: WorkloadKey,
    /// How long; `None` for the default.
    pub ttl: Option<Duration>,
}

/// A public key as it came, to be read on a signing thread.
#[derive(Debug)]
pub struct WorkloadKey {
    /// A SubjectPublicKeyInfo in DER.
    pub spki: Vec<u8>,
    /// The JWS algorithm by which its holder proves to have it.
    pub algorithm: String,
}

impl WorkloadKey {
    fn read(self) -> Result<ConfirmationKey, SignError> {
        let key = PublicKey::from_spki_der(&self.spki).map_err(SignError::MalformedKey)?;
        let unfit = SignError::Algorithm { key: name_of(&key), algorithm: self.algorithm.clone() };
        let alg = SigAlg::from_jws(&self.algorithm);
        alg.and_then(|alg| ConfirmationKey::new(key, alg).ok()).ok_or(unfit)
    }
}

/// How SPIRE calls a key in a refusal.
fn name_of(key: &PublicKey) -> &'static str {
    match key.curve() {
        Some("P-256") => "ec-p256",
        Some("P-384") => "ec-p384",
        Some(_) => "ec-p521",
        None => "RSA",
    }
}

/// A workload's X.509-SVID that was signed, as bytes: nobody here reads it again.
#[derive(Clone, Debug)]
pub struct IssuedX509 {
    id: SpiffeId,
    leaf: Vec<u8>,
    issuer: Arc<X509Issuer>,
    expires_at: SystemTime,
}

impl IssuedX509 {
    /// Its identity.
    pub fn id(&self) -> &SpiffeId {
        &self.id
    }

    /// The SVID as DER.
    pub fn leaf(&self) -> &[u8] {
        &self.leaf
    }

    /// The SVID, then the intermediates up to the bundle, each as DER.
    pub fn into_chain(self) -> Vec<Vec<u8>> {
        let intermediates = self.issuer.intermediates();
        std::iter::once(self.leaf).chain(intermediates.iter().map(|c| c.der().to_vec())).collect()
    }

    /// When it ends.
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }
}

/// An X.509-SVID of an agent, or of this server, that was signed.
#[derive(Clone, Debug)]
pub struct AgentSvid {
    id: SpiffeId,
    leaf: Certificate,
    chain: Vec<Certificate>,
}

impl AgentSvid {
    /// Its identity.
    pub fn id(&self) -> &SpiffeId {
        &self.id
    }

    /// The SVID.
    pub fn leaf(&self) -> &Certificate {
        &self.leaf
    }

    /// The SVID, then the intermediates up to the bundle.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// When it ends.
    pub fn expires_at(&self) -> SystemTime {
        self.leaf.not_after()
    }

    /// Its serial number in decimal.
    pub fn serial(&self) -> String {
        self.leaf.serial_decimal()
    }
}

/// A JWT-SVID or a WIT-SVID that was signed.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// Its identity.
    pub id: SpiffeId,
    /// The token in compact form.
    pub token: String,
    /// When it was made.
    pub issued_at: SystemTime,
    /// When it ends.
    pub expires_at: SystemTime,
}

impl Authorities {
    /// Signs X.509-SVIDs of entries. Each item is queued, checked and signed by itself; the answers come together, in
    /// order. The whole batch is refused if the queue cannot take it.
    pub async fn sign_x509_batch(
        &self,
        class: Class,
        batch: Vec<NewX509>,
    ) -> Result<Vec<Result<IssuedX509, SignError>>, SignError> {
        let issuer = self.x509()?;
        let subjects = self.settings().workload_subjects;
        let tasks = batch.into_iter().map(|item| {
            let NewX509 { grant, csr } = item;
            let leaf =
                self.leaf(&issuer, seconds(grant.entry().x509_svid_ttl), self.settings().x509_svid_ttl);
            move || {
                let entry = grant.entry();
                let key = parse(&csr)?.public_key().clone();
                leaf?.sign(entry.spiffe_id.clone(), key, &entry.dns_names, subjects)
            }
        });
        Ok(self.pool().run_all(class, tasks.collect()).await?)
    }

    /// Signs the first X.509-SVID of a node for which an attestor has just vouched.
    pub async fn sign_agent_svid(&self, proof: &Attested, csr: Vec<u8>) -> Result<AgentSvid, SignError> {
        self.agent_svid(Class::Waiting, proof.agent_id().clone(), csr).await
    }

    /// Signs the next X.509-SVID of an agent that has one.
    pub async fn renew_agent_svid(
        &self,
        proof: &AuthorizedAgent,
        csr: Vec<u8>,
    ) -> Result<AgentSvid, SignError> {
        self.agent_svid(Class::Expiring, proof.id().clone(), csr).await
    }

    /// Signs an X.509-SVID that an administrator orders.
    pub async fn mint_x509(&self, _: &AdminGrant, order: MintX509) -> Result<IssuedX509, SignError> {
        let leaf = self.leaf(&self.x509()?, order.ttl, self.settings().x509_svid_ttl)?;
        let subjects = self.settings().workload_subjects;
        let sign = move || {
            // An administrator may choose the subject; agents may not (SPIRE 1.16).
            let subject = Some(order.csr.subject()).filter(|subject| !subject.is_empty()).cloned();
            leaf.sign_named(order.id, order.csr.public_key().clone(), &order.dns_names, subject, subjects)
        };
        self.pool().run(Class::Waiting, sign).await?
    }

    /// Signs the CA of a downstream server of this trust domain: the CA, then the intermediates up to the bundle.
    /// `None` for the lifetime of this server's own authorities; it ends no later than the one that signs.
    pub async fn sign_downstream_ca(
        &self,
        _: &DownstreamGrant,
        csr: Vec<u8>,
        ttl: Option<Duration>,
    ) -> Result<Vec<Certificate>, SignError> {
        let ca = self.leaf(&self.x509()?, ttl, self.settings().ca_ttl)?;
        self.pool().run(Class::Waiting, move || ca.sign_downstream(parse(&csr)?.public_key())).await?
    }

    /// Reads a certificate signing request and checks its signature, on a signing thread.
    pub async fn read_csr(&self, _: &AdminGrant, csr: Vec<u8>) -> Result<Csr, SignError> {
        self.pool().run(Class::Waiting, move || parse(&csr)).await?
    }

    /// Signs the JWT-SVID of an entry.
    pub async fn sign_jwt(
        &self,
        grant: &EntryGrant,
        audience: Vec<String>,
    ) -> Result<IssuedToken, SignError> {
        let entry = grant.entry();
        let jti = match entry.additional.is_some_and(|a| a.jwt_svid_include_jti) {
            true => Some(URL_SAFE_NO_PAD.encode(uuid::Uuid::new_v4().as_bytes())),
            false => None,
        };
        self.jwt_svid(entry.spiffe_id.clone(), audience, seconds(entry.jwt_svid_ttl), jti).await
    }

    /// Signs a JWT-SVID that an administrator orders.
    pub async fn mint_jwt(&self, _: &AdminGrant, order: MintJwt) -> Result<IssuedToken, SignError> {
        self.jwt_svid(order.id, order.audience, order.ttl, None).await
    }

    /// Signs WIT-SVIDs of entries, each bound to the key beside it; the answers come in order. Like SPIRE's, they live as
    /// long as the entry's X.509-SVIDs. The whole batch is refused if the queue cannot take it.
    pub async fn sign_wit_batch(
        &self,
        class: Class,
        batch: Vec<(EntryGrant, WorkloadKey)>,
    ) -> Result<Vec<Result<IssuedToken, SignError>>, SignError> {
        let key = self.wit()?;
        let tasks = batch.into_iter().map(|(grant, confirmation)| {
            let entry = grant.entry();
            self.wit_task(&key, entry.spiffe_id.clone(), confirmation, seconds(entry.x509_svid_ttl))
        });
        Ok(self.pool().run_all(class, tasks.collect()).await?)
    }

    /// Signs a WIT-SVID that an administrator orders.
    pub async fn mint_wit(&self, _: &AdminGrant, order: MintWit) -> Result<IssuedToken, SignError> {
        let key = self.wit()?;
        self.pool().run(Class::Waiting, self.wit_task(&key, order.id, order.key, order.ttl)).await?
    }

    /// What a signing thread does for a WIT-SVID that lives from now on.
    fn wit_task(
        &self,
        key: &Arc<WitKey>,
        subject: SpiffeId,
        confirmation: WorkloadKey,
        ttl: Option<Duration>,
    ) -> impl FnOnce() -> Result<IssuedToken, SignError> + Send + 'static {
        let issued_at = self.desk.clock.now();
        let expires_at = capped(issued_at, ttl.unwrap_or(WIT_SVID_TTL), key.not_after());
        let issuer = self.settings().wit_svids.as_ref().and_then(|wit| wit.issuer.clone());
        let (key, trust_domain) = (key.clone(), self.trust_domain().clone());
        move || {
            let confirmation = confirmation.read()?;
            let claims = WitClaims {
                subject,
                confirmation,
                expires_at: expires_at?,
                not_before: None,
                issued_at: Some(issued_at),
                issuer,
                jti: None,
            };
            let token = WitIssuer::named(trust_domain, key.id().to_owned(), key.signer().clone())
                .and_then(|issuer| issuer.issue(&claims))
                .map_err(|e| SignError::Failed(e.to_string()))?;
            SIGN_WIT_SVID.add(1, &[]);
            Ok(issued(claims.subject, token, issued_at, claims.expires_at))
        }
    }

    /// Signs something and throws it away: whether this server can.
    pub async fn check(&self) -> Result<(), SignError> {
        let issuer = self.x509()?;
        let leaf = self.leaf(&issuer, None, self.settings().x509_svid_ttl)?;
        let id = SpiffeId::new(self.trust_domain(), "/for/health/check/only")
            .map_err(|e| SignError::Failed(e.to_string()))?;
        let key = issuer.certificate().public_key().clone();
        self.pool()
            .run(Class::Expiring, move || leaf.sign(id, key, &[], WorkloadSubjects::Alike))
            .await?
            .map(|_| ())
    }

    async fn agent_svid(&self, class: Class, id: SpiffeId, csr: Vec<u8>) -> Result<AgentSvid, SignError> {
        let leaf = self.leaf(&self.x509()?, None, self.settings().agent_svid_ttl)?;
        self.pool().run(class, move || leaf.sign_own(id, parse(&csr)?.public_key().clone())).await?
    }

    async fn jwt_svid(
        &self,
        subject: SpiffeId,
        audience: Vec<String>,
        ttl: Option<Duration>,
        jti: Option<String>,
    ) -> Result<IssuedToken, SignError> {
        let key = self.jwt()?;
        let issued_at = self.desk.clock.now();
        let expires_at = capped(issued_at, ttl.unwrap_or(self.settings().jwt_svid_ttl), key.not_after())?;
        let claims = JwtSvidClaims {
            subject,
            audience: audience.into_iter().filter(|one| !one.is_empty()).collect(),
            issued_at,
            expires_at,
            issuer: self.settings().jwt_issuer.clone(),
            jti,
        };
        self.pool().run(Class::Waiting, move || sign_claims(&key, claims)).await?
    }

    fn leaf(
        &self,
        issuer: &Arc<X509Issuer>,
        ttl: Option<Duration>,
        default: Duration,
    ) -> Result<Leaf, SignError> {
        Leaf::new(issuer.clone(), self.desk.clock.now(), ttl.unwrap_or(default))
    }
}

/// An X.509-SVID about to be signed.
pub(super) struct Leaf {
    issuer: Arc<X509Issuer>,
    not_before: SystemTime,
    not_after: SystemTime,
}

impl Leaf {
    /// One that lives from `now` for `ttl`, or until its issuer ends.
    pub(super) fn new(issuer: Arc<X509Issuer>, now: SystemTime, ttl: Duration) -> Result<Self, SignError> {
        let not_after = capped(now, ttl, issuer.not_after())?;
        let not_before = now.checked_sub(BACKDATE).unwrap_or(now);
        Ok(Self { issuer, not_before, not_after })
    }

    /// Signs it for a workload.
    fn sign(
        self,
        id: SpiffeId,
        key: PublicKey,
        dns_names: &[String],
        subjects: WorkloadSubjects,
    ) -> Result<IssuedX509, SignError> {
        self.sign_named(id, key, dns_names, None, subjects)
    }

    fn sign_named(
        self,
        id: SpiffeId,
        key: PublicKey,
        dns_names: &[String],
        subject: Option<DistinguishedName>,
        subjects: WorkloadSubjects,
    ) -> Result<IssuedX509, SignError> {
        let mut template = LeafTemplate::new(id.clone(), key, self.not_before, self.not_after).dns(dns_names);
        if let Some(subject) = subject {
            template = template.named(subject);
        }
        if subjects == WorkloadSubjects::Unique {
            template = template.with_unique_id();
        }
        let leaf = template.issue_der(&self.issuer).map_err(failed)?;
        SIGN_X509_SVID.add(1, &[]);
        // Certificates count whole seconds.
        let expires_at = UnixTime::of(self.not_after).system_time();
        Ok(IssuedX509 { id, leaf, issuer: self.issuer, expires_at })
    }

    /// Signs an authority below this one for so long.
    fn sign_downstream(self, key: &PublicKey) -> Result<Vec<Certificate>, SignError> {
        let template = CaTemplate::downstream_of(&self.issuer, self.not_before, self.not_after);
        let ca = template.issue(key, &self.issuer).map_err(failed)?;
        SIGN_X509_CA.add(1, &[]);
        Ok(self.issuer.chain_for(ca))
    }

    /// Signs it for a part of the system itself.
    pub(super) fn sign_own(self, id: SpiffeId, key: PublicKey) -> Result<AgentSvid, SignError> {
        let template = LeafTemplate::new(id.clone(), key, self.not_before, self.not_after);
        let leaf = template.issue(&self.issuer).map_err(failed)?;
        SIGN_X509_SVID.add(1, &[]);
        Ok(AgentSvid { id, chain: self.issuer.chain_for(leaf.clone()), leaf })
    }
}

/// A failure with its cause.
fn failed(error: IssueError) -> SignError {
    SignError::Failed(super::error::chain(&error))
}

fn sign_claims(key: &JwtKey, claims: JwtSvidClaims) -> Result<IssuedToken, SignError> {
    let token =
        jwt::sign(&claims, key.id(), &**key.signer()).map_err(|e| SignError::Failed(e.to_string()))?;
    SIGN_JWT_SVID.add(1, &[]);
    Ok(issued(claims.subject, token, claims.issued_at, claims.expires_at))
}

/// A token with its times as it tells them: in whole seconds.
fn issued(id: SpiffeId, token: String, issued_at: SystemTime, expires_at: SystemTime) -> IssuedToken {
    let whole = |at| UnixTime::of(at).system_time();
    IssuedToken { id, token, issued_at: whole(issued_at), expires_at: whole(expires_at) }
}

fn parse(csr: &[u8]) -> Result<Csr, SignError> {
    Csr::parse(csr).map_err(SignError::from)
}

/// The end of what begins at `now`: no later than its issuer's.
fn capped(now: SystemTime, ttl: Duration, issuer_ends: SystemTime) -> Result<SystemTime, SignError> {
    let wanted = now.checked_add(ttl).unwrap_or(issuer_ends);
    let end = wanted.min(issuer_ends);
    if end <= now { Err(SignError::AuthorityEnded(issuer_ends)) } else { Ok(end) }
}

/// A TTL of an entry or a request, where 0 (and nonsense) means the default.
pub(crate) fn seconds(ttl: i32) -> Option<Duration> {
    u64::try_from(ttl).ok().filter(|ttl| *ttl > 0).map(Duration::from_secs)
}
