//! What a WIT-SVID and its proof cost, each beside the bare cryptography in it.
//!
//! `cargo bench -p bonafide-spiffe --bench wit`

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use spiffe::bundle::Bundle;
use spiffe::key::{KeyType, PrivateKey, SigAlg, Signer};
use spiffe::proof::http::{Channel, Request};
use spiffe::proof::http_signature::{HttpSignatureProver, HttpSignatureVerifier};
use spiffe::proof::wpt::{WptBinding, WptProver, WptVerifier};
use spiffe::proof::{Audiences, DangerAcceptReplays, HeldWit, ProofVerifier, Prover, authenticate};
use spiffe::wit::{ConfirmationKey, Lifespan, Wit, WitClaims, WitIssuer};
use spiffe::{SpiffeId, TrustDomain};

const ALG: SigAlg = SigAlg::EcdsaP256Sha256;
const AUDIENCE: &str = "https://shop.example.org/orders";

fn wit(c: &mut Criterion) {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let td = TrustDomain::parse("example.org").unwrap();
    let signer = Arc::new(PrivateKey::generate(KeyType::EcP256).unwrap());
    let own = Arc::new(PrivateKey::generate(KeyType::EcP256).unwrap());
    let issuer = WitIssuer::named(td.clone(), "w".into(), signer.clone()).unwrap();
    let mut bundle = Bundle::new(td.clone());
    bundle.push_wit(issuer.authority()).unwrap();
    let claims = WitClaims {
        subject: SpiffeId::new(&td, "/ns/default/sa/web").unwrap(),
        confirmation: ConfirmationKey::usual(own.public().clone()).unwrap(),
        expires_at: now + Duration::from_secs(3600),
        not_before: None,
        issued_at: Some(now),
        issuer: None,
        jti: None,
    };
    let token = issuer.issue(&claims).unwrap();
    let message = token.rsplit_once('.').unwrap().0.as_bytes();
    let signature = signer.sign(ALG, message).unwrap();

    let mut group = c.benchmark_group("wit");
    group.throughput(Throughput::Elements(1));
    group.bench_function("bare sign", |b| b.iter(|| signer.sign(ALG, black_box(message)).unwrap()));
    group.bench_function("sign", |b| b.iter(|| issuer.issue(&claims).unwrap()));
    group.bench_function("bare verify", |b| {
        b.iter(|| signer.public().verify(ALG, black_box(message), &signature).unwrap());
    });
    group.bench_function("parse", |b| b.iter(|| Wit::parse_unverified(black_box(&token)).unwrap()));
    group.bench_function("verify", |b| {
        b.iter(|| Wit::verify(&token, &bundle, Lifespan::AsIssued, now).unwrap());
    });
    group.bench_function("bare verify twice", |b| {
        b.iter(|| {
            signer.public().verify(ALG, black_box(message), &signature).unwrap();
            signer.public().verify(ALG, black_box(message), &signature).unwrap();
        });
    });
    let held = HeldWit::new(&token, own).unwrap();
    let request =
        Request { method: "GET", target: "/orders?all", fields: &[], body: b"", channel: Channel::Tls };
    let audiences = Audiences::default().origin("https://shop.example.org").unwrap();
    let used = Arc::new(DangerAcceptReplays);
    let wpt = WptVerifier::new(WptBinding::ProofTokenField, audiences.clone(), used.clone());
    let signatures = HttpSignatureVerifier::new(audiences, used);
    let wpt_prover = WptProver::new(WptBinding::ProofTokenField);
    let both: [(&str, &dyn Prover, &dyn ProofVerifier); 2] = [
        ("a proof token", &wpt_prover, &wpt),
        ("a message signature", &HttpSignatureProver::default(), &signatures),
    ];
    for (name, prover, verifier) in both {
        let added = prover.present(&held, &request, AUDIENCE, now).unwrap();
        let fields: Vec<(&str, &str)> = added.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let request = Request { fields: &fields, ..request };
        group.bench_function(format!("authenticate by {name}"), |b| {
            b.iter(|| authenticate(&request, &bundle, Lifespan::AsIssued, verifier, now).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, wit);
criterion_main!(benches);
