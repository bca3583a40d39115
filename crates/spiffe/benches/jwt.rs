//! What a JWT-SVID costs, next to the bare cryptography in it.
//!
//! `cargo bench -p bonafide-spiffe --bench jwt`

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use spiffe::bundle::{Bundle, JwtAuthority};
use spiffe::jwt::{self, JwtSvid, JwtSvidClaims};
use spiffe::key::{KeyType, PrivateKey, SigAlg, Signer};
use spiffe::{SpiffeId, TrustDomain};

const ALG: SigAlg = SigAlg::EcdsaP256Sha256;

fn jwt(c: &mut Criterion) {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let td = TrustDomain::parse("example.org").unwrap();
    let signer = PrivateKey::generate(KeyType::EcP256).unwrap();
    let mut bundle = Bundle::new(td.clone());
    let public_key = signer.public().clone();
    bundle
        .push_jwt(JwtAuthority { key_id: "k".into(), public_key, expires_at: None, tainted: false })
        .unwrap();
    let claims = JwtSvidClaims {
        subject: SpiffeId::new(&td, "/ns/default/sa/web").unwrap(),
        audience: vec!["spiffe://example.org/db".into()],
        issued_at: now,
        expires_at: now + Duration::from_secs(3600),
        issuer: None,
        jti: None,
    };
    let token = jwt::sign(&claims, "k", &signer).unwrap();
    let message = token.rsplit_once('.').unwrap().0.as_bytes();
    let signature = signer.sign(ALG, message).unwrap();

    let mut group = c.benchmark_group("jwt");
    group.throughput(Throughput::Elements(1));
    group.bench_function("bare sign", |b| b.iter(|| signer.sign(ALG, black_box(message)).unwrap()));
    group.bench_function("sign", |b| b.iter(|| jwt::sign(&claims, "k", &signer).unwrap()));
    group.bench_function("bare verify", |b| {
        b.iter(|| signer.public().verify(ALG, black_box(message), &signature).unwrap());
    });
    group.bench_function("verify", |b| {
        b.iter(|| JwtSvid::verify(&token, &bundle, &["spiffe://example.org/db"], now).unwrap());
    });
    group.finish();
}

criterion_group!(benches, jwt);
criterion_main!(benches);
