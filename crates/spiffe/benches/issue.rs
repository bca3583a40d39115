//! What an X.509-SVID and a JWT-SVID cost, next to the bare cryptography in them.
//!
//! `cargo bench -p bonafide-spiffe --bench issue`

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use spiffe::bundle::{Bundle, JwtAuthority, X509Authority};
use spiffe::jwt::{self, JwtSvid, JwtSvidClaims};
use spiffe::key::{KeyType, PrivateKey, SigAlg, Signer};
use spiffe::x509::{CaSubject, CaTemplate, Certificate, Csr, LeafTemplate, X509Issuer, X509Svid};
use spiffe::{SpiffeId, TrustDomain};

const ALG: SigAlg = SigAlg::EcdsaP256Sha256;

struct World {
    issuer: X509Issuer,
    bundle: Bundle,
    signer: Arc<PrivateKey>,
    workload: PrivateKey,
    request: Vec<u8>,
    id: SpiffeId,
    now: SystemTime,
    until: SystemTime,
}

impl World {
    fn new() -> Self {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let until = now + Duration::from_secs(3600);
        let td = TrustDomain::parse("example.org").unwrap();
        let signer = Arc::new(PrivateKey::generate(KeyType::EcP256).unwrap());
        let ca = CaTemplate::new(td.clone(), CaSubject::default(), now, until).self_sign(&*signer).unwrap();
        let mut bundle = Bundle::new(td.clone());
        bundle.push_x509(X509Authority { certificate: ca.clone(), tainted: false }).unwrap();
        let public_key = signer.public().clone();
        bundle
            .push_jwt(JwtAuthority { key_id: "k".into(), public_key, expires_at: None, tainted: false })
            .unwrap();
        let workload = PrivateKey::generate(KeyType::EcP256).unwrap();
        Self {
            issuer: X509Issuer::new(ca, vec![], signer.clone()).unwrap(),
            bundle,
            signer,
            request: Csr::build(&workload, None, &[]).unwrap(),
            workload,
            id: SpiffeId::new(&td, "/ns/default/sa/web").unwrap(),
            now,
            until,
        }
    }

    fn issue(&self) -> Vec<u8> {
        let csr = Csr::parse(&self.request).unwrap();
        LeafTemplate::new(self.id.clone(), csr.public_key().clone(), self.now, self.until)
            .issue_der(&self.issuer)
            .unwrap()
    }

    fn claims(&self) -> JwtSvidClaims {
        JwtSvidClaims {
            subject: self.id.clone(),
            audience: vec!["spiffe://example.org/db".into()],
            issued_at: self.now,
            expires_at: self.until,
            issuer: None,
            jti: None,
        }
    }
}

fn x509(c: &mut Criterion) {
    let world = World::new();
    let message = [7; 500];
    let signature = world.workload.sign(ALG, &message).unwrap();
    let leaf = world.issue();
    let svid = X509Svid::parse_chain([leaf.clone()]).unwrap();

    let mut group = c.benchmark_group("x509");
    group.throughput(Throughput::Elements(1));
    group.bench_function("bare verify and sign", |b| {
        b.iter(|| {
            world.workload.public().verify(ALG, &message, &signature).unwrap();
            world.signer.sign(ALG, &message).unwrap()
        });
    });
    group.bench_function("issue from a request", |b| b.iter(|| world.issue()));
    group.bench_function("check a request", |b| b.iter(|| Csr::parse(black_box(&world.request)).unwrap()));
    let key = world.workload.public();
    group.bench_function("issue", |b| {
        b.iter(|| {
            LeafTemplate::new(world.id.clone(), key.clone(), world.now, world.until)
                .issue_der(&world.issuer)
                .unwrap()
        });
    });
    group.bench_function("bare sign", |b| b.iter(|| world.signer.sign(ALG, &message).unwrap()));
    group.bench_function("parse", |b| b.iter(|| Certificate::parse(black_box(leaf.clone())).unwrap()));
    group.bench_function("verify a chain", |b| b.iter(|| svid.verify(&world.bundle, world.now).unwrap()));
    group.bench_function("make a key", |b| b.iter(|| PrivateKey::generate(KeyType::EcP256).unwrap()));
    group.finish();
}

fn jwt(c: &mut Criterion) {
    let world = World::new();
    let claims = world.claims();
    let token = jwt::sign(&claims, "k", &*world.signer).unwrap();
    let mut group = c.benchmark_group("jwt");
    group.throughput(Throughput::Elements(1));
    group.bench_function("sign", |b| b.iter(|| jwt::sign(&claims, "k", &*world.signer).unwrap()));
    group.bench_function("verify", |b| {
        b.iter(|| JwtSvid::verify(&token, &world.bundle, &["spiffe://example.org/db"], world.now).unwrap());
    });
    group.finish();
}

criterion_group!(benches, x509, jwt);
criterion_main!(benches);
