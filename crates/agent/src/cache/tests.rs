use std::time::{Duration, SystemTime};

use super::testing::{Ca, example, selectors, wire};
use super::*;

const TTL: Duration = Duration::from_secs(1000);

struct Rig {
    cache: Arc<Cache>,
    ca: Ca,
    now: SystemTime,
}

impl Rig {
    fn new(x509: usize) -> Self {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let limits = Limits { x509, jwt: 10, target: None };
        let rig = Self { cache: Arc::new(Cache::new(example(), &limits)), ca: Ca::new("one", now), now };
        rig.cache.apply(Difference { bundles: vec![rig.ca.bundle(false)], ..Difference::default() });
        rig
    }

    fn put(&self, entries: Vec<types::Entry>) {
        self.cache.apply(Difference { entries, ..Difference::default() });
    }

    /// Issues what is asked for, and says for which entries.
    fn issue(&self, urgency: Urgency) -> Vec<String> {
        let asked = self.cache.take(urgency, 100, self.now);
        let answer =
            |asked: &Asked| (asked.entry.clone(), Ok(self.ca.issue(&asked.entry.spiffe_id, self.now, TTL)));
        self.cache.settle(asked.iter().map(answer).collect(), self.now);
        asked.iter().map(|asked| asked.entry.id.to_string()).collect()
    }
}

#[tokio::test]
async fn an_entry_that_somebody_waits_for_is_urgent_and_the_others_are_routine() {
    let rig = Rig::new(10);
    rig.put(vec![wire("a", "/a", &["u:1"], 0), wire("b", "/b", &["u:2"], 0)]);
    let mut stream = rig.cache.subscribe(&selectors(&["u:2", "g:1"]));
    assert!(stream.next().await.waiting);
    assert_eq!(rig.issue(Urgency::Urgent), ["b"]);
    let update = stream.next().await;
    assert_eq!((update.identities.len(), update.waiting), (1, false));
    assert_eq!(rig.issue(Urgency::Routine), ["a"]);
    assert!(rig.issue(Urgency::Urgent).is_empty() && rig.issue(Urgency::Routine).is_empty());
}

#[tokio::test]
async fn the_same_selectors_share_a_view_and_its_encoded_answers() {
    let rig = Rig::new(10);
    rig.put(vec![wire("a", "/a", &["u:1"], 0)]);
    rig.issue(Urgency::Routine);
    let has = selectors(&["u:1"]);
    let (mut one, mut two) = (rig.cache.subscribe(&has), rig.cache.subscribe(&has));
    let (one, two) = (one.next().await, two.next().await);
    assert!(Arc::ptr_eq(&one, &two));
    assert_eq!(one.x509().as_ptr(), two.x509().as_ptr());
}

#[tokio::test]
async fn a_change_elsewhere_does_not_wake_a_stream() {
    let rig = Rig::new(10);
    rig.put(vec![wire("a", "/a", &["u:1"], 0)]);
    rig.issue(Urgency::Routine);
    let mut stream = rig.cache.subscribe(&selectors(&["u:1"]));
    stream.next().await;
    rig.put(vec![wire("b", "/b", &["u:2"], 0), wire("a", "/a", &["u:1"], 0)]);
    rig.issue(Urgency::Routine);
    assert!(tokio::time::timeout(Duration::from_millis(20), stream.next()).await.is_err());
}

#[test]
fn svids_beyond_the_limit_go_the_longest_unused_first_but_not_those_in_use() {
    let rig = Rig::new(2);
    let entries = ["a", "b", "c", "d"].map(|id| wire(id, &format!("/{id}"), &[&format!("u:{id}")], 0));
    rig.put(entries.to_vec());
    assert_eq!(rig.issue(Urgency::Routine), ["a", "b"], "no more than the limit is fetched beforehand");
    let streams = ["b", "c", "d"].map(|id| rig.cache.subscribe(&selectors(&[&format!("u:{id}")])));
    assert_eq!(rig.issue(Urgency::Urgent), ["c", "d"]);
    assert_eq!(rig.cache.x509_svids(), 3, "what streams need stays, whatever the limit");
    drop(streams);
    assert_eq!(rig.cache.x509_svids(), 2);
}

#[test]
fn an_svid_is_renewed_near_half_its_life_and_only_then() {
    let mut rig = Rig::new(10);
    rig.put(vec![wire("a", "/a", &["u:1"], 0)]);
    rig.issue(Urgency::Routine);
    rig.now += TTL.mul_f64(0.44);
    assert!(rig.issue(Urgency::Routine).is_empty());
    rig.now += TTL.mul_f64(0.12);
    assert_eq!(rig.issue(Urgency::Routine), ["a"]);
    rig.now += TTL.mul_f64(0.9);
    assert_eq!(rig.issue(Urgency::Urgent), ["a"], "near its end it goes first");
}

#[test]
fn what_could_not_be_asked_for_is_asked_for_again() {
    let rig = Rig::new(10);
    rig.put(vec![wire("a", "/a", &["u:1"], 0)]);
    let asked = rig.cache.take(Urgency::Routine, 100, rig.now);
    assert!(rig.cache.take(Urgency::Routine, 100, rig.now).is_empty(), "it is asked for once");
    rig.cache.give_back(&asked.iter().map(|asked| asked.entry.clone()).collect::<Vec<_>>());
    assert_eq!(rig.issue(Urgency::Routine), ["a"]);
}

#[tokio::test]
async fn a_refused_entry_is_tried_again_later_and_holds_up_nothing() {
    let mut rig = Rig::new(10);
    rig.put(vec![wire("a", "/a", &["u:1"], 0)]);
    let mut stream = rig.cache.subscribe(&selectors(&["u:1"]));
    let asked = rig.cache.take(Urgency::Urgent, 100, rig.now);
    let refused = IssueFault::Refused { code: 3, message: "no".to_owned() };
    rig.cache.settle(vec![(asked[0].entry.clone(), Err(refused))], rig.now);
    let update = stream.next().await;
    assert_eq!((update.matching, update.waiting, update.identities.len()), (1, false, 0));
    assert!(rig.issue(Urgency::Urgent).is_empty());
    rig.now += Duration::from_secs(5);
    assert_eq!(rig.issue(Urgency::Urgent), ["a"]);
}

#[tokio::test]
async fn an_entry_whose_spiffe_id_changed_gives_up_the_old_svid_at_once() {
    let rig = Rig::new(10);
    rig.put(vec![wire("a", "/a", &["u:1"], 0)]);
    rig.issue(Urgency::Routine);
    let mut stream = rig.cache.subscribe(&selectors(&["u:1"]));
    assert_eq!(stream.next().await.identities.len(), 1);
    rig.put(vec![wire("a", "/other", &["u:1"], 1)]);
    assert!(stream.next().await.identities.is_empty());
    rig.issue(Urgency::Urgent);
    assert_eq!(stream.next().await.identities[0].held.id().path(), "/other");
}

#[tokio::test]
async fn an_answer_for_an_older_revision_is_used_and_replaced() {
    let rig = Rig::new(10);
    rig.put(vec![wire("a", "/a", &["u:1"], 0)]);
    let asked = rig.cache.take(Urgency::Routine, 1, rig.now);
    rig.put(vec![wire("a", "/a", &["u:1"], 1)]);
    let held = rig.ca.issue(&asked[0].entry.spiffe_id, rig.now, TTL);
    rig.cache.settle(vec![(asked[0].entry.clone(), Ok(held))], rig.now);
    assert_eq!(rig.cache.x509_svids(), 1);
    assert_eq!(rig.issue(Urgency::Routine), ["a"]);
}

#[test]
fn the_digest_follows_every_entry_even_one_that_cannot_be_read() {
    let rig = Rig::new(10);
    let mut expected = SetDigest::EMPTY;
    rig.put(vec![wire("a", "/a", &["u:1"], 0), wire("bad", "/b", &[], 4)]);
    expected.add("a", 0);
    expected.add("bad", 4);
    assert_eq!(rig.cache.digest(), expected);
    rig.put(vec![wire("a", "/a", &["u:1"], 1), wire("bad", "/b", &["u:1"], 5)]);
    rig.cache.replace(vec![wire("bad", "/b", &["u:1"], 5)], vec![rig.ca.bundle(false)]);
    let mut expected = SetDigest::EMPTY;
    expected.add("bad", 5);
    assert_eq!(rig.cache.digest(), expected);
    rig.cache.apply(Difference { deleted: vec!["bad".to_owned()], ..Difference::default() });
    assert_eq!(rig.cache.digest(), SetDigest::EMPTY);
}

#[test]
fn entries_for_stores_go_to_no_workload() {
    let rig = Rig::new(10);
    rig.put(vec![types::Entry { store_svid: true, ..wire("a", "/a", &["u:1"], 0) }]);
    assert!(rig.cache.matching(&selectors(&["u:1"])).is_empty());
    assert!(rig.issue(Urgency::Routine).is_empty());
}

#[test]
fn an_entry_that_opted_out_is_not_fetched_beforehand() {
    let rig = Rig::new(10);
    let out = types::entry::AdditionalAttributes { disable_x509_svid_prefetch: true, ..Default::default() };
    rig.put(vec![types::Entry { additional_attributes: Some(out), ..wire("a", "/a", &["u:1"], 0) }]);
    assert!(rig.issue(Urgency::Routine).is_empty());
    let _stream = rig.cache.subscribe(&selectors(&["u:1"]));
    assert_eq!(rig.issue(Urgency::Urgent), ["a"]);
}

#[test]
fn each_tainted_authority_is_dealt_with_once() {
    let rig = Rig::new(10);
    rig.put(vec![wire("a", "/a", &["u:1"], 0)]);
    rig.issue(Urgency::Routine);
    let taint = |sequence| {
        let mut bundle = rig.ca.bundle(true);
        bundle
            .push_x509(Ca::new(&format!("{sequence}"), rig.now).bundle(false).x509_authorities()[0].clone())
            .unwrap();
        rig.cache.apply(Difference { bundles: vec![bundle], ..Difference::default() });
    };
    taint(1);
    assert_eq!(rig.issue(Urgency::Routine), ["a"]);
    taint(2);
    assert!(rig.issue(Urgency::Routine).is_empty());
}

#[test]
fn what_a_tainted_authority_signed_and_comes_late_is_replaced_a_second_later() {
    let mut rig = Rig::new(10);
    rig.cache.apply(Difference { bundles: vec![rig.ca.bundle(true)], ..Difference::default() });
    rig.put(vec![wire("a", "/a", &["u:1"], 0)]);
    assert_eq!(rig.issue(Urgency::Routine), ["a"]);
    assert!(rig.issue(Urgency::Routine).is_empty(), "not at once, or it would spin");
    rig.now += Duration::from_secs(2);
    assert_eq!(rig.issue(Urgency::Routine), ["a"]);
    rig.ca = Ca::new("sound", rig.now);
    rig.now += Duration::from_secs(2);
    assert_eq!(rig.issue(Urgency::Routine), ["a"]);
    rig.now += Duration::from_secs(2);
    assert!(rig.issue(Urgency::Routine).is_empty(), "a sound one stays");
}

#[tokio::test]
async fn a_view_goes_with_its_last_stream() {
    let rig = Rig::new(10);
    rig.put(vec![wire("a", "/a", &["u:1"], 0)]);
    let has = selectors(&["u:1"]);
    let (one, two) = (rig.cache.subscribe(&has), rig.cache.subscribe(&has));
    drop(one);
    drop(two);
    // Nobody waits any more: it is routine again.
    rig.put(vec![wire("a", "/a", &["u:1"], 1)]);
    assert!(rig.cache.subscribe(&has).next().await.has_identity());
}
