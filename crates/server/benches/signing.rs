//! What a batch of X.509-SVIDs costs, next to the bare cryptography in it.
//!
//! `cargo bench -p bonafide-server --bench signing`

#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use kit::clock::Clock;
use model::{Agent, Attested, Entry, EntryId, Expect, Selectors, UnixTime, Write};
use server::authority::{Authorities, AuthoritySettings, NewX509};
use server::authz::{Authorizer, EntryGrant, Limiter, Peer, RateLimits, grant_entry};
use server::registry::Registry;
use server::signing::{Class, SigningPool};
use spiffe::key::{KeyType, PrivateKey, SigAlg, Signer};
use spiffe::x509::{Csr, X509Svid};
use spiffe::{BundleSet, SpiffeId, TrustDomain};

#[path = "../src/testing/keys.rs"]
mod keys;
#[path = "../src/testing/log.rs"]
mod log;

const BATCH: usize = 500;

/// A server that has an agent with an entry.
struct Server {
    authorities: Authorities,
    grant: EntryGrant,
}

async fn server(key_type: KeyType, pool: SigningPool) -> Server {
    let (td, clock) = (TrustDomain::parse("example.org").unwrap(), Clock::system());
    let registry = Registry::open(Arc::new(log::MemoryLog::default()), Vec::new()).await.unwrap();
    let settings = AuthoritySettings { ca_key_type: key_type, ..AuthoritySettings::default() };
    let keys = Arc::new(keys::MemoryKeys::default());
    let authorities =
        Authorities::open(td.clone(), settings, registry.clone(), keys, None, pool, clock.clone())
            .await
            .unwrap();

    // The way of a real agent: attested, verified by its SVID, and granted its entry.
    let id = SpiffeId::new(&td, "/spire/agent/bench").unwrap();
    let proof = Attested::vouched_by("bench", id.clone(), Selectors::default(), true, clock.now());
    let svid = authorities.sign_agent_svid(&proof, csr()).await.unwrap();
    let agent = Agent {
        id: id.clone(),
        ord: 0,
        attestation_type: "bench".into(),
        serial: svid.serial(),
        expires_at: UnixTime::of(svid.expires_at()),
        new_serial: String::new(),
        new_expires_at: None,
        selectors: Selectors::default(),
        can_reattest: true,
        version: String::new(),
        revision: 0,
    };
    registry.write(Write::PutAgent { agent, expect: Expect::Absent }).await.unwrap();
    registry.write(Write::CreateEntry(entry(&td, id))).await.unwrap();
    let mut bundles = BundleSet::default();
    bundles.insert(registry.snapshot().bundle(&td).unwrap().clone());
    let verified = X509Svid::of(svid.chain().to_vec()).unwrap().verify(&bundles, clock.now()).unwrap();
    let authorizer = Authorizer {
        trust_domain: td,
        admin_ids: HashSet::new(),
        registry: registry.clone(),
        clock: clock.clone(),
        limiter: Arc::new(Limiter::new(RateLimits::default())),
        policy: None,
    };
    let peer = Peer::Remote { addr: ([127, 0, 0, 1], 1).into(), svid: Some(verified) };
    let caller = authorizer
        .authorize("/spire.api.server.svid.v1.SVID/BatchNewX509SVID", Arc::new(peer), None)
        .await
        .unwrap();
    let agent = caller.require_agent().unwrap();
    let grant = grant_entry(&agent, &registry.snapshot(), "bench", clock.now()).unwrap();
    Server { authorities, grant }
}

fn entry(td: &TrustDomain, parent_id: SpiffeId) -> Entry {
    Entry {
        id: EntryId::parse("bench").unwrap(),
        ord: 0,
        spiffe_id: SpiffeId::new(td, "/workload").unwrap(),
        parent_id,
        selectors: Selectors::default(),
        x509_svid_ttl: 3600,
        jwt_svid_ttl: 0,
        federates_with: Vec::new(),
        admin: false,
        downstream: false,
        expires_at: None,
        dns_names: vec!["workload.example.org".into()],
        revision: 0,
        store_svid: false,
        hint: String::new(),
        created_at: UnixTime::of(SystemTime::now()),
        additional: None,
    }
}

fn csr() -> Vec<u8> {
    Csr::build(&PrivateKey::generate(KeyType::EcP256).unwrap(), None, &[]).unwrap()
}

fn signing(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    for key_type in [KeyType::EcP256, KeyType::Rsa2048] {
        let mut group = c.benchmark_group(key_type.as_str());
        group.measurement_time(Duration::from_secs(5)).sample_size(20);

        // One thread: check one signature of a request, make one signature of a certificate.
        let (requester, ca) =
            (PrivateKey::generate(KeyType::EcP256).unwrap(), PrivateKey::generate(key_type).unwrap());
        let message = [7; 600];
        let signature = requester.sign(SigAlg::EcdsaP256Sha256, &message).unwrap();
        let alg = SigAlg::for_x509(ca.public());
        group.throughput(Throughput::Elements(1));
        group.bench_function("bare cryptography, one thread", |b| {
            b.iter(|| {
                requester.public().verify(SigAlg::EcdsaP256Sha256, &message, &signature).unwrap();
                ca.sign(alg, &message).unwrap()
            });
        });

        let request = csr();
        group.throughput(Throughput::Elements(BATCH as u64));
        let pools = [
            ("batch of 500, one thread", SigningPool::with(NonZeroUsize::MIN, BATCH)),
            ("batch of 500, all cores", SigningPool::start()),
        ];
        for (name, pool) in pools {
            let server = runtime.block_on(server(key_type, pool.unwrap()));
            let batch = || -> Vec<NewX509> {
                (0..BATCH).map(|_| NewX509 { grant: server.grant.clone(), csr: request.clone() }).collect()
            };
            group.bench_function(name, |b| {
                b.to_async(&runtime).iter_batched(
                    batch,
                    |batch| async {
                        server.authorities.sign_x509_batch(Class::Renewal, batch).await.unwrap()
                    },
                    BatchSize::LargeInput,
                );
            });
        }
        group.finish();
    }
}

criterion_group!(benches, signing);
criterion_main!(benches);
