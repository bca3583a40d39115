//! A server that is killed at any moment loses nothing that it has acknowledged, and leaves nothing to repair.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::ports::ChangeLog;
use model::{Changes, Cursor, Entry, EntryId, Selector, Snapshot, UnixTime, Write, WriteFault};
use spiffe::{SpiffeId, TrustDomain};
use sqlx::{Connection, Row, SqliteConnection};
use store::sqlite::{Options, SqliteLog};

const KILLS: u32 = 200;
/// The database is begun anew after this many, so that its beginning is hit too.
const KILLS_OF_ONE: u32 = 25;
/// Tells the test binary that it is the child, and which database it writes.
const DATABASE: &str = "BONAFIDE_KILLED_DATABASE";

fn entry(name: &str) -> Entry {
    let td = TrustDomain::parse("example.org").unwrap();
    Entry {
        id: EntryId::parse(name).unwrap(),
        ord: 0,
        spiffe_id: SpiffeId::new(&td, &format!("/{name}")).unwrap(),
        parent_id: SpiffeId::new(&td, "/spire/agent/x509pop/node").unwrap(),
        selectors: std::iter::once(Selector::parse("unix:uid:1000").unwrap()).collect(),
        x509_svid_ttl: 0,
        jwt_svid_ttl: 0,
        federates_with: Vec::new(),
        admin: false,
        downstream: false,
        expires_at: None,
        dns_names: Vec::new(),
        revision: 0,
        store_svid: false,
        hint: "x".repeat(500),
        created_at: UnixTime(0),
        additional: None,
    }
}

async fn open(path: &Path) -> SqliteLog {
    SqliteLog::open(path.to_str().unwrap(), Options::default()).await.unwrap()
}

/// A batch after change `head`: pairs that are made together or not at all, and a write that is refused.
fn batch(head: u64) -> Vec<Write> {
    let pair = |n: u64| {
        let one = |half: &str| Write::CreateEntry(entry(&format!("{}-{half}", head + 2 * n)));
        Write::All(vec![one("a"), one("b")])
    };
    let mut writes: Vec<Write> = (0..head % 20 + 1).map(pair).collect();
    writes.push(Write::All(vec![Write::CreateEntry(entry("undone")), Write::DeleteEntry(entry("none").id)]));
    writes
}

/// The child's part: not a test of its own, it returns at once unless the parent below has started it.
#[tokio::test]
async fn a_child_writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(DATABASE) else { return };
    let log = open(Path::new(&path)).await;
    let mut head = log.head().await.unwrap();
    loop {
        let mut answers = log.commit(batch(head.number)).await.unwrap();
        assert_eq!(answers.pop().unwrap().unwrap_err(), WriteFault::NotFound("entry"));
        head = answers.pop().unwrap().unwrap().last().unwrap().cursor;
        println!("\nacknowledged {} {}", head.number, head.tag);
    }
}

fn start(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_child_writes_until_it_is_killed", "--nocapture"])
        .env(DATABASE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills the child after a while; returns what it had acknowledged.
fn kill_after(mut child: Child, wait: Duration) -> Vec<Cursor> {
    std::thread::sleep(wait);
    assert!(child.try_wait().unwrap().is_none(), "the child ended by itself");
    child.kill().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let acknowledged = lines.filter_map(|line| {
        let mut words = line.strip_prefix("acknowledged ")?.split(' ');
        Some(Cursor { number: words.next()?.parse().ok()?, tag: words.next()?.parse().ok()? })
    });
    // A line that was cut short may be a shorter number; its tag tells.
    let acknowledged = acknowledged.collect();
    child.wait().unwrap();
    acknowledged
}

async fn check(path: &Path, acknowledged: &[Cursor], followed: &mut Snapshot) {
    let log = open(path).await;
    let Changes::Next(changes) = log.after(followed.cursor(), usize::MAX).await.unwrap() else {
        panic!("the history that was read before the kill is not that of afterwards");
    };
    for change in &changes {
        followed.apply(change).expect("numbers have no gap");
    }
    for cursor in acknowledged {
        let found = changes.iter().find(|change| change.cursor.number == cursor.number);
        assert_eq!(found.map(|change| change.cursor), Some(*cursor), "an acknowledged write is lost");
    }
    assert_eq!(followed.cursor().number % 2, 0, "half a pair is there");
    let mut loaded = Snapshot::empty();
    let cursor = log.load(&mut |row| loaded.put(row)).await.unwrap();
    assert_eq!(cursor, followed.cursor());
    let ids =
        |snapshot: &Snapshot| snapshot.entries_after(0).map(|e| (e.ord, e.id.clone())).collect::<Vec<_>>();
    assert_eq!(ids(&loaded), ids(followed));
    assert_eq!(loaded.entry_count() as u64, cursor.number, "each change made one entry");
    let mut raw = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    let verdict: String = sqlx::query("PRAGMA integrity_check").fetch_one(&mut raw).await.unwrap().get(0);
    assert_eq!(verdict, "ok");
    let strays = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut raw).await.unwrap();
    assert!(strays.is_empty());
}

/// Random enough to hit every moment; the seed is told when the test fails.
struct Moments(u64);

impl Moments {
    fn next(&mut self) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // Mostly while it writes, sometimes while it starts.
        Duration::from_micros(match self.0 % 8 {
            0 => self.0 / 8 % 20_000,
            _ => 20_000 + self.0 / 8 % 120_000,
        })
    }
}

#[tokio::test]
async fn two_hundred_kills_lose_nothing_acknowledged() {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64 | 1;
    println!("seed {seed}");
    let mut moments = Moments(seed);
    let directory = tempfile::tempdir().unwrap();
    let (mut path, mut followed, mut acknowledged) = (directory.path().to_owned(), Snapshot::empty(), 0);
    for kill in 0..KILLS {
        if kill % KILLS_OF_ONE == 0 {
            path = directory.path().join(format!("{kill}.sqlite3"));
            followed = Snapshot::empty();
        }
        let cursors = kill_after(start(&path), moments.next());
        check(&path, &cursors, &mut followed).await;
        acknowledged += cursors.len();
    }
    println!("{acknowledged} commits were acknowledged");
    assert!(acknowledged > KILLS as usize, "the children hardly wrote: {acknowledged} commits");
}
