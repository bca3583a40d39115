//! How fast the log is written and loaded. `cargo bench -p bonafide-store`; set `TMPDIR` to the disk in question.

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use model::ports::ChangeLog;
use model::{Cursor, Entry, EntryId, Selector, Snapshot, UnixTime, Write};
use spiffe::{SpiffeId, TrustDomain};
use store::sqlite::{Options, SqliteLog};
use tokio::runtime::Runtime;

const BATCHES: [u64; 3] = [1, 50, 500];
const ENTRIES: u64 = 100_000;

fn entry(n: u64) -> Entry {
    let td = TrustDomain::parse("example.org").expect("a name");
    Entry {
        // Spread over the index, as random ids are.
        id: EntryId::parse(&format!(
            "{:032x}",
            u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
        ))
        .expect("an id"),
        ord: 0,
        spiffe_id: SpiffeId::new(&td, &format!("/ns/team-{}/sa/service-{n}", n % 100)).expect("an ID"),
        parent_id: SpiffeId::new(&td, &format!("/spire/agent/x509pop/node-{}", n / 100)).expect("an ID"),
        selectors: ["k8s:ns:team", "k8s:sa:service", "unix:uid:1000"]
            .iter()
            .map(|text| Selector::parse(text).expect("a selector"))
            .collect(),
        x509_svid_ttl: 3600,
        jwt_svid_ttl: 300,
        federates_with: Vec::new(),
        admin: false,
        downstream: false,
        expires_at: None,
        dns_names: vec![format!("service-{n}.team.svc")],
        revision: 0,
        store_svid: false,
        hint: String::new(),
        created_at: UnixTime(1_700_000_000),
        additional: None,
    }
}

async fn open(directory: &tempfile::TempDir) -> SqliteLog {
    let path = directory.path().join("datastore.sqlite3");
    SqliteLog::open(path.to_str().expect("a readable path"), Options::default())
        .await
        .expect("a new database")
}

async fn create(log: &SqliteLog, range: std::ops::Range<u64>) {
    let writes = range.map(|n| Write::CreateEntry(entry(n))).collect();
    let answers = log.commit(writes).await.expect("the log works");
    assert!(answers.iter().all(Result::is_ok));
}

fn writing(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let mut group = criterion.benchmark_group("create entries");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    for batch in BATCHES {
        let directory = tempfile::tempdir().expect("a directory");
        let log = runtime.block_on(open(&directory));
        let mut next = 0;
        group.throughput(Throughput::Elements(batch));
        group.bench_function(format!("in batches of {batch}"), |bencher| {
            bencher.iter_custom(|rounds| {
                let from = next;
                next += rounds * batch;
                runtime.block_on(async {
                    let start = Instant::now();
                    for n in 0..rounds {
                        create(&log, from + n * batch..from + (n + 1) * batch).await;
                    }
                    start.elapsed()
                })
            });
        });
    }
    group.finish();
}

fn reading(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let directory = tempfile::tempdir().expect("a directory");
    let log = runtime.block_on(async {
        let log = open(&directory).await;
        for n in 0..ENTRIES / 1000 {
            create(&log, n * 1000..(n + 1) * 1000).await;
        }
        log
    });
    let mut group = criterion.benchmark_group("100,000 entries");
    group.sample_size(10).measurement_time(Duration::from_secs(5)).throughput(Throughput::Elements(ENTRIES));
    group.bench_function("load", |bencher| {
        bencher.iter(|| {
            let mut rows = Vec::with_capacity(100_000);
            runtime.block_on(log.load(&mut |row| rows.push(row))).expect("the log works");
            assert_eq!(rows.len() as u64, ENTRIES);
            rows
        });
    });
    group.bench_function("load into a snapshot", |bencher| {
        bencher.iter(|| {
            let mut snapshot = Snapshot::empty();
            runtime.block_on(log.load(&mut |row| snapshot.put(row))).expect("the log works");
            snapshot
        });
    });
    group.throughput(Throughput::Elements(1000));
    group.bench_function("a page of 1,000 changes", |bencher| {
        let one = runtime.block_on(async { log.after(Cursor::default(), 1).await.expect("the log works") });
        let model::Changes::Next(one) = one else { panic!("{one:?}") };
        let cursor = one.first().expect("a change").cursor;
        bencher.iter(|| runtime.block_on(log.after(cursor, 1000)).expect("the log works"));
    });
    group.bench_function("head", |bencher| {
        bencher.iter(|| runtime.block_on(log.head()).expect("the log works"));
    });
    group.finish();
}

criterion_group!(benches, writing, reading);
criterion_main!(benches);
