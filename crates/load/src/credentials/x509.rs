//! Certificates, requests and chains.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use spiffe::bundle::{Bundle, X509Authority};
use spiffe::key::{KeyType, PrivateKey, SigAlg, Signer};
use spiffe::x509::{CaSubject, CaTemplate, Certificate, Csr, LeafTemplate, X509Issuer, X509Svid};
use spiffe::{SpiffeId, TrustDomain};

use super::Pair;
use crate::fault::Fault;

const ALG: SigAlg = SigAlg::EcdsaP256Sha256;
const HOUR: Duration = Duration::from_secs(3600);

/// A moment; no clock is needed.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

pub(super) struct World {
    root: X509Issuer,
    bundle: Bundle,
    workload: PrivateKey,
    request: Vec<u8>,
    id: SpiffeId,
    /// What is signed of a leaf, and a signature of the workload's over it.
    message: Vec<u8>,
    signature: Vec<u8>,
    /// A leaf by the root.
    one: Vec<Vec<u8>>,
    /// A leaf by an intermediate, and that.
    two: Vec<Vec<u8>>,
}

impl World {
    pub(super) fn new() -> Result<Self, Fault> {
        let td = TrustDomain::parse("example.org").map_err(Fault::credentials)?;
        let key = || PrivateKey::generate(KeyType::EcP256).map_err(Fault::credentials);
        let template = || CaTemplate::new(td.clone(), CaSubject::default(), now(), now() + 24 * HOUR);
        let (top, below, workload) = (Arc::new(key()?), Arc::new(key()?), key()?);
        let ca = template().self_sign(&*top).map_err(Fault::credentials)?;
        let mut bundle = Bundle::new(td.clone());
        let authority = X509Authority { certificate: ca.clone(), tainted: false };
        bundle.push_x509(authority).map_err(Fault::credentials)?;
        let root = X509Issuer::new(ca, vec![], top).map_err(Fault::credentials)?;
        let ca = template().issue(below.public(), &root).map_err(Fault::credentials)?;
        let issuer = X509Issuer::new(ca, vec![], below).map_err(Fault::credentials)?;

        let id = SpiffeId::new(&td, "/ns/default/sa/web").map_err(Fault::credentials)?;
        let leaf = LeafTemplate::new(id.clone(), workload.public().clone(), now(), now() + HOUR);
        let chain = |issuer: &X509Issuer| -> Result<Vec<Vec<u8>>, Fault> {
            let leaf = leaf.issue(issuer).map_err(Fault::credentials)?;
            Ok(issuer.chain_for(leaf).iter().map(|one| one.der().to_vec()).collect())
        };
        let message = leaf.to_be_signed(&root).map_err(Fault::credentials)?;
        Ok(Self {
            one: chain(&root)?,
            two: chain(&issuer)?,
            request: Csr::build(&workload, None, &[]).map_err(Fault::credentials)?,
            signature: workload.sign(ALG, &message).map_err(Fault::credentials)?,
            message,
            root,
            bundle,
            workload,
            id,
        })
    }

    pub(super) fn pairs(&self) -> Vec<Pair<'_>> {
        vec![
            Pair::new("issue a leaf", || self.issue(self.workload.public()), || self.sign()),
            Pair::new("issue a leaf and parse it", || self.issue_and_parse(), || self.sign()),
            Pair::new("issue a leaf for a request", || self.answer(), || self.check_and_sign()),
            Pair::new("check a request", || drop(black_box(Csr::parse(&self.request).ok())), || self.check()),
            Pair::new("parse and verify a leaf", || self.verify(&self.one), || self.check()),
            Pair::new(
                "parse and verify a leaf and an intermediate",
                || self.verify(&self.two),
                || {
                    self.check();
                    self.check();
                },
            ),
            Pair::alone("parse a leaf and find its URI", || self.find()),
            Pair::alone("the same, checked as an SVID", || self.svid()),
        ]
    }

    // What fails is measured as what it is: all of it was done once in `new`.

    fn leaf(&self, key: &spiffe::key::PublicKey) -> LeafTemplate {
        LeafTemplate::new(self.id.clone(), key.clone(), now(), now() + HOUR)
    }

    fn issue(&self, key: &spiffe::key::PublicKey) {
        drop(black_box(self.leaf(key).issue_der(&self.root).ok()));
    }

    fn issue_and_parse(&self) {
        drop(black_box(self.leaf(self.workload.public()).issue(&self.root).ok()));
    }

    fn answer(&self) {
        if let Ok(csr) = Csr::parse(black_box(&self.request)) {
            self.issue(csr.public_key());
        }
    }

    fn sign(&self) {
        drop(black_box(self.root.signer().sign(ALG, black_box(&self.message)).ok()));
    }

    fn check(&self) {
        let _ = black_box(self.workload.public().verify(ALG, black_box(&self.message), &self.signature));
    }

    fn check_and_sign(&self) {
        self.check();
        self.sign();
    }

    fn verify(&self, chain: &[Vec<u8>]) {
        let svid = X509Svid::parse_chain(black_box(chain).iter().map(Vec::as_slice));
        drop(black_box(svid.map(|svid| svid.verify(&self.bundle, now()))));
    }

    fn find(&self) {
        let leaf = self.one.first().map(Vec::as_slice).unwrap_or_default();
        let parsed = Certificate::parse(black_box(leaf));
        let _ = black_box(parsed.as_ref().map(Certificate::uri));
    }

    fn svid(&self) {
        drop(black_box(X509Svid::parse_chain(black_box(&self.one).iter().map(Vec::as_slice)).ok()));
    }
}
