//! What certificates, requests and chains cost, each beside the bare cryptography in it.
//!
//! `cargo bench -p bonafide-spiffe --bench x509`

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use spiffe::bundle::{Bundle, X509Authority};
use spiffe::key::{KeyType, PrivateKey, SigAlg, Signer};
use spiffe::x509::{
    CaSubject, CaTemplate, Certificate, Crl, CrlTemplate, Csr, LeafTemplate, Reason, Revoked, X509Issuer,
    X509Svid,
};
use spiffe::{SpiffeId, TrustDomain};

const ALG: SigAlg = SigAlg::EcdsaP256Sha256;
const HOUR: Duration = Duration::from_secs(3600);

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

struct World {
    root: X509Issuer,
    /// Below it.
    issuer: X509Issuer,
    bundle: Bundle,
    workload: PrivateKey,
    request: Vec<u8>,
    id: SpiffeId,
}

impl World {
    fn new() -> Self {
        let td = TrustDomain::parse("example.org").unwrap();
        let key = || Arc::new(PrivateKey::generate(KeyType::EcP256).unwrap());
        let template = || CaTemplate::new(td.clone(), CaSubject::default(), now(), now() + 24 * HOUR);
        let (top, below) = (key(), key());
        let ca = template().self_sign(&*top).unwrap();
        let mut bundle = Bundle::new(td.clone());
        bundle.push_x509(X509Authority { certificate: ca.clone(), tainted: false }).unwrap();
        let root = X509Issuer::new(ca, vec![], top).unwrap();
        let ca = template().issue(below.public(), &root).unwrap();
        let issuer = X509Issuer::new(ca, vec![], below).unwrap();
        let workload = PrivateKey::generate(KeyType::EcP256).unwrap();
        let request = Csr::build(&workload, None, &[]).unwrap();
        let id = SpiffeId::new(&td, "/ns/default/sa/web").unwrap();
        Self { root, issuer, bundle, workload, request, id }
    }

    fn template(&self) -> LeafTemplate {
        LeafTemplate::new(self.id.clone(), self.workload.public().clone(), now(), now() + HOUR)
    }

    fn chain(&self, issuer: &X509Issuer) -> Vec<Vec<u8>> {
        let chain = issuer.chain_for(self.template().issue(issuer).unwrap());
        chain.iter().map(|certificate| certificate.der().to_vec()).collect()
    }
}

fn issue(c: &mut Criterion) {
    let world = World::new();
    let signer = world.root.signer();
    let message = world.template().to_be_signed(&world.root).unwrap();
    let signature = world.workload.sign(ALG, &message).unwrap();
    let check = || world.workload.public().verify(ALG, black_box(&message), &signature).unwrap();
    let mut group = c.benchmark_group("issue");
    group.throughput(Throughput::Elements(1));
    group.bench_function("bare sign", |b| b.iter(|| signer.sign(ALG, black_box(&message)).unwrap()));
    group.bench_function("leaf", |b| b.iter(|| world.template().issue_der(&world.root).unwrap()));
    group.bench_function("leaf, and parse it", |b| b.iter(|| world.template().issue(&world.root).unwrap()));
    group.bench_function("bare verify and sign", |b| {
        b.iter(|| {
            check();
            signer.sign(ALG, black_box(&message)).unwrap()
        });
    });
    group.bench_function("leaf from a request", |b| {
        b.iter(|| {
            let csr = Csr::parse(black_box(&world.request)).unwrap();
            LeafTemplate::new(world.id.clone(), csr.public_key().clone(), now(), now() + HOUR)
                .issue_der(&world.root)
                .unwrap()
        });
    });
    group.bench_function("request", |b| b.iter(|| Csr::build(&world.workload, None, &[]).unwrap()));
    group.bench_function("key", |b| b.iter(|| PrivateKey::generate(KeyType::EcP256).unwrap()));
    group.finish();
}

fn verify(c: &mut Criterion) {
    let world = World::new();
    let message = world.template().to_be_signed(&world.root).unwrap();
    let signature = world.workload.sign(ALG, &message).unwrap();
    let check = || world.workload.public().verify(ALG, black_box(&message), &signature).unwrap();
    let (one, two) = (world.chain(&world.root), world.chain(&world.issuer));
    let whole = |chain: &[Vec<u8>]| {
        let svid = X509Svid::parse_chain(chain.iter().map(Vec::as_slice)).unwrap();
        svid.verify(&world.bundle, now()).unwrap()
    };
    let mut group = c.benchmark_group("verify");
    group.throughput(Throughput::Elements(1));
    group.bench_function("bare verify", |b| b.iter(check));
    group.bench_function("request", |b| b.iter(|| Csr::parse(black_box(&world.request)).unwrap()));
    group.bench_function("parse and verify a leaf", |b| b.iter(|| whole(black_box(&one))));
    group.bench_function("two bare verifies", |b| {
        b.iter(|| {
            check();
            check();
        });
    });
    group
        .bench_function("parse and verify a leaf and an intermediate", |b| b.iter(|| whole(black_box(&two))));
    group.finish();
}

fn parse(c: &mut Criterion) {
    let world = World::new();
    let leaf = world.chain(&world.root).remove(0);
    let mut crl = CrlTemplate::new(1, now(), now() + HOUR);
    for n in 0..1_000_u32 {
        let serial = [&[1], &n.to_be_bytes()[..]].concat();
        crl = crl.revoke(Revoked { serial, at: now(), reason: Reason::KeyCompromise });
    }
    let crl = crl.issue(&world.root).unwrap().der().to_vec();
    let mut group = c.benchmark_group("parse");
    group.throughput(Throughput::Elements(1));
    group.bench_function("leaf", |b| b.iter(|| Certificate::parse(black_box(&leaf[..])).unwrap()));
    group.bench_function("leaf, and its SPIFFE ID", |b| {
        b.iter(|| X509Svid::parse_chain([black_box(&leaf[..])]).unwrap());
    });
    group.bench_function("revocation list of 1,000", |b| b.iter(|| Crl::parse(black_box(&crl[..])).unwrap()));
    group.finish();
}

criterion_group!(benches, issue, verify, parse);
criterion_main!(benches);
