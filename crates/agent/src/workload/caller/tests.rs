use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use super::*;

/// A process that looks as the test says.
struct Process(Mutex<Option<&'static str>>);

impl Peer for Process {
    fn pid(&self) -> i32 {
        7
    }
    fn uid(&self) -> u32 {
        0
    }
    fn gid(&self) -> u32 {
        0
    }
    fn check(&self) -> Result<(), AttestError> {
        Ok(())
    }
    fn print(&self) -> Option<Print> {
        self.0.lock().unwrap().map(|text| Print::of(text.as_bytes().to_vec()))
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Works,
    Fails,
    Hangs,
    Forgets,
}

struct Attestor {
    name: &'static str,
    way: Mutex<Way>,
    asked: AtomicUsize,
}

#[async_trait]
impl WorkloadAttestor for Attestor {
    fn name(&self) -> &'static str {
        self.name
    }
    async fn attest(&self, _: &dyn Peer) -> Result<Selectors, AttestError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let way = *self.way.lock().unwrap();
        match way {
            Way::Works | Way::Forgets => Ok([Selector::new(self.name, "it").unwrap()].into_iter().collect()),
            Way::Fails => Err(AttestError::Failed("it is broken".to_owned())),
            Way::Hangs => std::future::pending().await,
        }
    }
    fn patience(&self) -> Duration {
        Duration::from_millis(50)
    }
    fn lasting(&self) -> bool {
        *self.way.lock().unwrap() != Way::Forgets
    }
}

fn attestor(name: &'static str, way: Way) -> Arc<Attestor> {
    Arc::new(Attestor { name, way: Mutex::new(way), asked: AtomicUsize::default() })
}

fn attestation(attestors: &[&Arc<Attestor>]) -> Attestation {
    Attestation::new(attestors.iter().map(|one| Arc::clone(one) as Arc<dyn WorkloadAttestor>).collect())
}

fn caller(looks: Option<&'static str>) -> (Caller, Arc<Process>) {
    let process = Arc::new(Process(Mutex::new(looks)));
    (Caller(process.clone()), process)
}

fn asked(attestor: &Attestor) -> usize {
    attestor.asked.load(Ordering::Relaxed)
}

#[tokio::test]
async fn attestors_are_asked_once_for_each_program_that_a_process_runs() {
    let one = attestor("one", Way::Works);
    let attestation = attestation(&[&one]);
    let (caller, process) = caller(Some("sh"));
    for _ in 0..5 {
        assert_eq!(attestation.attest(&caller).await.unwrap().len(), 1);
    }
    assert_eq!(asked(&one), 1);
    *process.0.lock().unwrap() = Some("python");
    attestation.attest(&caller).await.unwrap();
    assert_eq!(asked(&one), 2);
}

#[tokio::test]
async fn a_process_that_cannot_be_looked_at_is_asked_about_each_time() {
    let one = attestor("one", Way::Works);
    let attestation = attestation(&[&one]);
    let (caller, _) = caller(None);
    attestation.attest(&caller).await.unwrap();
    attestation.attest(&caller).await.unwrap();
    assert_eq!(asked(&one), 2);
}

#[tokio::test]
async fn an_attestor_that_fails_takes_no_other_down_and_is_asked_again() {
    let (good, bad) = (attestor("good", Way::Works), attestor("bad", Way::Fails));
    let attestation = attestation(&[&good, &bad]);
    let (caller, _) = caller(Some("sh"));
    let found = attestation.attest(&caller).await.unwrap();
    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["good:it"]);
    assert_eq!(found.failed, ["bad"]);
    *bad.way.lock().unwrap() = Way::Works;
    let found = attestation.attest(&caller).await.unwrap();
    assert_eq!((found.len(), found.failed.len()), (2, 0));
    attestation.attest(&caller).await.unwrap();
    assert_eq!((asked(&good), asked(&bad)), (1, 2));
}

#[tokio::test]
async fn an_attestor_that_hangs_is_waited_for_no_longer_than_its_patience() {
    let (good, slow) = (attestor("good", Way::Works), attestor("slow", Way::Hangs));
    let attestation = attestation(&[&slow, &good]);
    let found = attestation.attest(&caller(Some("sh")).0).await.unwrap();
    assert_eq!((found.len(), found.failed), (1, vec!["slow"]));
}

#[tokio::test]
async fn if_all_fail_there_is_no_answer_and_all_are_named() {
    let (one, two) = (attestor("one", Way::Fails), attestor("two", Way::Fails));
    let unknown = attestation(&[&one, &two]).attest(&caller(Some("sh")).0).await.unwrap_err();
    assert_eq!(unknown.failed, ["one", "two"]);
    assert_eq!(unknown.to_string(), "it is broken");
}

#[tokio::test]
async fn answers_that_do_not_last_are_asked_for_again_and_only_these() {
    let (lasting, fleeting) = (attestor("a", Way::Works), attestor("b", Way::Forgets));
    let attestation = attestation(&[&lasting, &fleeting]);
    let (caller, _) = caller(Some("sh"));
    for _ in 0..3 {
        assert_eq!(attestation.attest(&caller).await.unwrap().len(), 2);
    }
    assert_eq!((asked(&lasting), asked(&fleeting)), (1, 3));
}
