//! Tests of the snapshot and the graph, on random registries of few names, so that names meet often.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use proptest::prelude::*;
use spiffe::bundle::Bundle;
use spiffe::endpoint::{BundleUrl, EndpointProfile};

use super::*;
use crate::graph::{agents_reaching, authorized_entries, below, concerned, may_use};
use crate::{Selectors, UnixTime};

/// One step of a random history, in numbers that [`World`] makes names of.
#[derive(Clone, Copy, Debug)]
enum Step {
    PutEntry { name: u8, id: u8, parent: u8, selectors: u8 },
    DeleteEntry(u8),
    PutAgent { name: u8, selectors: u8 },
    DeleteAgent(u8),
    PutBundle(u8, u64),
    DeleteBundle(u8),
    PutJournal(u8, u8),
    DeleteJournal(u8),
    PutRelationship(u8, u8),
    DeleteRelationship(u8),
    SpendToken,
}

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let put_entry = (0..8u8, 0..9u8, 0..9u8, 0..16u8)
        .prop_map(|(name, id, parent, selectors)| Step::PutEntry { name, id, parent, selectors });
    let put_agent = (0..3u8, 0..16u8).prop_map(|(name, selectors)| Step::PutAgent { name, selectors });
    let step = prop_oneof![
        8 => put_entry,
        2 => (0..8u8).prop_map(Step::DeleteEntry),
        3 => put_agent,
        1 => (0..3u8).prop_map(Step::DeleteAgent),
        1 => (0..2u8, any::<u64>()).prop_map(|(td, sequence)| Step::PutBundle(td, sequence)),
        1 => (0..2u8).prop_map(Step::DeleteBundle),
        1 => (0..2u8, any::<u8>()).prop_map(|(name, data)| Step::PutJournal(name, data)),
        1 => (0..2u8).prop_map(Step::DeleteJournal),
        1 => (0..2u8, any::<u8>()).prop_map(|(td, url)| Step::PutRelationship(td, url)),
        1 => (0..2u8).prop_map(Step::DeleteRelationship),
        1 => Just(Step::SpendToken),
    ];
    prop::collection::vec(step, 1..most)
}

/// SPIFFE IDs: 0 to 2 are agents, 3 is the server, the others are workloads or aliases.
fn id(n: u8) -> SpiffeId {
    let path = match n {
        0..=2 => format!("/spire/agent/test/{n}"),
        3 => "/spire/server".to_owned(),
        _ => format!("/workload/{n}"),
    };
    SpiffeId::new(&td(0), &path).unwrap()
}

fn td(n: u8) -> TrustDomain {
    TrustDomain::parse(&format!("domain{n}.test")).unwrap()
}

/// The set whose members are the bits of `n`.
fn selectors(n: u8) -> Selectors {
    (0..4)
        .filter(|bit| n & (1 << bit) != 0)
        .map(|bit| Selector::new("bit", &bit.to_string()).unwrap())
        .collect()
}

fn entry_id(n: u8) -> EntryId {
    EntryId::parse(&format!("entry-{n}")).unwrap()
}

fn entry(name: u8, spiffe_id: u8, parent: u8, wanted: u8) -> Entry {
    Entry {
        id: entry_id(name),
        ord: 0,
        spiffe_id: id(spiffe_id),
        parent_id: id(parent),
        selectors: selectors(wanted),
        x509_svid_ttl: 0,
        jwt_svid_ttl: 0,
        federates_with: Vec::new(),
        admin: false,
        downstream: false,
        expires_at: None,
        dns_names: Vec::new(),
        revision: 0,
        store_svid: false,
        hint: String::new(),
        created_at: UnixTime(0),
        additional: None,
    }
}

fn agent(name: u8, has: u8) -> Agent {
    Agent {
        id: id(name),
        ord: 0,
        attestation_type: "test".to_owned(),
        serial: "1".to_owned(),
        expires_at: UnixTime(0),
        new_serial: String::new(),
        new_expires_at: None,
        selectors: selectors(has),
        can_reattest: true,
        version: String::new(),
        revision: 0,
    }
}

/// The tables as a database would have them.
#[derive(Default)]
struct World {
    number: u64,
    rows: BTreeMap<String, Row>,
}

impl World {
    /// Does a step; returns the number and the key of its change. Rows are looked up when changes are read.
    fn step(&mut self, step: Step) -> (u64, RowKey) {
        self.number += 1;
        let (key, row) = match step {
            Step::PutEntry { name, id, parent, selectors } => {
                let mut entry = entry(name, id, parent, selectors);
                entry.ord = self.ord(&RowKey::Entry(entry.id.clone()));
                (RowKey::Entry(entry.id.clone()), Some(Row::Entry(entry.into())))
            }
            Step::PutAgent { name, selectors } => {
                let mut agent = agent(name, selectors);
                agent.ord = self.ord(&RowKey::Agent(agent.id.clone()));
                (RowKey::Agent(agent.id.clone()), Some(Row::Agent(agent.into())))
            }
            Step::PutBundle(name, sequence) => {
                let mut bundle = Bundle::new(td(name));
                bundle.sequence = sequence;
                (RowKey::Bundle(td(name)), Some(Row::Bundle(bundle.into())))
            }
            Step::PutJournal(name, data) => {
                let journal = Journal { id: name.to_string(), data: vec![data] };
                (RowKey::Journal(name.to_string()), Some(Row::Journal(journal.into())))
            }
            Step::PutRelationship(name, url) => {
                let relationship = Relationship {
                    trust_domain: td(name),
                    ord: 0,
                    endpoint_url: BundleUrl::parse(&format!("https://bundle.test/{url}")).unwrap(),
                    profile: EndpointProfile::HttpsWeb,
                    revision: 0,
                };
                (RowKey::Relationship(td(name)), Some(Row::Relationship(relationship.into())))
            }
            Step::DeleteEntry(name) => (RowKey::Entry(entry_id(name)), None),
            Step::DeleteAgent(name) => (RowKey::Agent(id(name)), None),
            Step::DeleteBundle(name) => (RowKey::Bundle(td(name)), None),
            Step::DeleteJournal(name) => (RowKey::Journal(name.to_string()), None),
            Step::DeleteRelationship(name) => (RowKey::Relationship(td(name)), None),
            Step::SpendToken => (RowKey::Token, None),
        };
        match row {
            Some(row) => self.rows.insert(name(&key), row),
            None => self.rows.remove(&name(&key)),
        };
        (self.number, key)
    }

    fn ord(&self, key: &RowKey) -> u64 {
        match self.rows.get(&name(key)) {
            Some(Row::Entry(old)) => old.ord,
            Some(Row::Agent(old)) => old.ord,
            _ => self.number,
        }
    }

    fn change(&self, number: u64, key: &RowKey) -> Change {
        let row = self.rows.get(&name(key)).cloned();
        Change { cursor: cursor(number), key: key.clone(), was: None, is: None, row }
    }

    fn load(&self) -> Snapshot {
        let mut snapshot = Snapshot::empty();
        self.rows.values().for_each(|row| snapshot.put(row.clone()));
        snapshot.at(cursor(self.number))
    }
}

fn name(key: &RowKey) -> String {
    format!("{key:?}")
}

fn cursor(number: u64) -> Cursor {
    Cursor { number, tag: number.wrapping_mul(0x9e37_79b9_7f4a_7c15) }
}

fn world(steps: &[Step]) -> Snapshot {
    let mut world = World::default();
    for step in steps {
        world.step(*step);
    }
    world.load()
}

/// Every table and every index.
fn assert_same(one: &Snapshot, other: &Snapshot) {
    assert_eq!(one.cursor, other.cursor);
    assert_eq!(one.entries, other.entries);
    assert_eq!(one.entry_ords, other.entry_ords);
    assert_eq!(one.by_spiffe_id, other.by_spiffe_id);
    assert_eq!(one.by_parent, other.by_parent);
    assert_eq!(one.aliases_by_selector, other.aliases_by_selector);
    assert_eq!(one.agents, other.agents);
    assert_eq!(one.agent_ords, other.agent_ords);
    assert_eq!(one.agents_by_selector, other.agents_by_selector);
    assert_eq!(one.bundles, other.bundles);
    assert_eq!(one.journals, other.journals);
    assert_eq!(one.relationships, other.relationships);
}

fn ids(entries: &[Arc<Entry>]) -> BTreeSet<EntryId> {
    entries.iter().map(|entry| entry.id.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// However far behind a reader is: rows that are newer than the change that names them do no harm.
    #[test]
    fn following_the_changes_ends_where_a_load_does(steps in steps(60), page in 1..8usize) {
        let mut world = World::default();
        let mut followed = Snapshot::empty();
        for page in steps.chunks(page) {
            let made: Vec<_> = page.iter().map(|step| world.step(*step)).collect();
            let before = followed.clone();
            let shown = format!("{before:?}");
            for (number, key) in &made {
                followed.apply(&world.change(*number, key)).unwrap();
            }
            assert_same(&followed, &world.load());
            prop_assert_eq!(format!("{:?}", before), shown, "readers of the old snapshot are disturbed");
        }
    }

    #[test]
    fn the_ways_to_ask_who_may_use_what_agree(steps in steps(60)) {
        let snapshot = world(&steps);
        for agent in snapshot.agents_after(0) {
            let authorized = authorized_entries(&snapshot, agent);
            prop_assert_eq!(ids(&authorized).len(), authorized.len(), "an entry is found twice");
            let usable: Vec<_> =
                snapshot.entries_after(0).filter(|entry| may_use(&snapshot, agent, entry)).cloned().collect();
            prop_assert_eq!(ids(&authorized), ids(&usable), "of {}", agent.id);
        }
        for entry in snapshot.entries_after(0) {
            let users: HashSet<_> = snapshot
                .agents_after(0)
                .filter(|agent| may_use(&snapshot, agent, entry))
                .map(|agent| agent.id.clone())
                .collect();
            prop_assert_eq!(agents_reaching(&snapshot, &entry.parent_id), users, "of {:?}", entry);
        }
    }

    /// What comes or goes with an entry: only agents that it concerns notice, and only of entries at or below it.
    #[test]
    fn a_new_entry_changes_only_what_it_concerns(
        steps in steps(60), name in 0..8u8, spiffe_id in 0..9u8, parent in 0..9u8, wanted in 0..16u8,
    ) {
        let mut before = world(&steps);
        before.remove_entry(&entry_id(name));
        let added = Arc::new(Entry { ord: 1_000_000, ..entry(name, spiffe_id, parent, wanted) });
        let mut after = before.clone();
        after.put(Row::Entry(added.clone()));
        let concerned = concerned(&after, &added);
        let mut touched: BTreeSet<_> = below(&after, &added.spiffe_id).into_iter().collect();
        touched.insert(added.id.clone());
        for agent in after.agents_after(0) {
            let (had, has) = (ids(&authorized_entries(&before, agent)), ids(&authorized_entries(&after, agent)));
            prop_assert!(had.is_subset(&has));
            let news: BTreeSet<_> = has.difference(&had).cloned().collect();
            prop_assert!(news.is_empty() || concerned.contains(&agent.id), "{} was not told of {:?}", agent.id, news);
            prop_assert!(news.is_subset(&touched), "{:?} are not below", news);
        }
    }

    /// A key that is equal just when entries are similar.
    #[test]
    fn the_likeness_tells_similar_entries(a in (0..3u8, 0..3u8, 0..16u8), b in (0..3u8, 0..3u8, 0..16u8)) {
        let (a, b) = (entry(0, a.0, a.1, a.2), entry(1, b.0, b.1, b.2));
        prop_assert_eq!(a.is_similar(&b), a.likeness() == b.likeness());
    }
}

#[test]
fn a_selector_with_odd_characters_does_not_make_entries_alike() {
    let with = |all: &[(&str, &str)]| Entry {
        selectors: all.iter().map(|(kind, value)| Selector::new(kind, value).unwrap()).collect(),
        ..entry(0, 4, 0, 0)
    };
    let (one, two) = (with(&[("a", "1\0b:2")]), with(&[("a", "1"), ("b", "2")]));
    assert!(!one.is_similar(&two));
    assert_ne!(one.likeness(), two.likeness());
}

#[test]
fn a_change_that_is_not_the_next_is_refused() {
    let mut snapshot = Snapshot::empty();
    let change =
        |number| Change { cursor: cursor(number), key: RowKey::Token, was: None, is: None, row: None };
    assert_eq!(snapshot.apply(&change(2)), Err(ApplyError::Gap { at: 0, got: 2 }));
    assert_eq!(snapshot.apply(&change(1)), Ok(()));
    assert_eq!(snapshot.apply(&change(1)), Err(ApplyError::Gap { at: 1, got: 1 }));
    assert_eq!(snapshot.cursor(), cursor(1));
}

#[test]
fn entries_are_listed_in_order_of_creation() {
    let put = |name, id| Step::PutEntry { name, id, parent: 0, selectors: 1 };
    let snapshot = world(&[put(5, 4), put(1, 5), put(3, 4), put(1, 6)]);
    let names =
        |entries: Vec<&Arc<Entry>>| entries.iter().map(|e| e.id.as_str().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(snapshot.entries_after(0).collect()), ["entry-5", "entry-1", "entry-3"]);
    assert_eq!(names(snapshot.entries_after(1).collect()), ["entry-1", "entry-3"]);
    assert_eq!(names(snapshot.entries_of(&id(4)).collect()), ["entry-5", "entry-3"]);
    assert_eq!(names(snapshot.entries_of(&id(5)).collect()), [""; 0]);
    assert_eq!(snapshot.entry_count(), 3);
}

#[test]
fn an_alias_without_selectors_concerns_nobody() {
    let steps = [
        Step::PutAgent { name: 0, selectors: 0b1111 },
        Step::PutEntry { name: 0, id: 4, parent: 3, selectors: 0 },
        Step::PutEntry { name: 1, id: 5, parent: 4, selectors: 1 },
    ];
    let snapshot = world(&steps);
    let (agent, entry) = (snapshot.agent(&id(0)).unwrap(), snapshot.entry(&entry_id(1)).unwrap());
    assert!(!may_use(&snapshot, agent, entry));
    assert!(authorized_entries(&snapshot, agent).is_empty());
    assert!(agents_reaching(&snapshot, &entry.parent_id).is_empty());
}

#[test]
fn an_entry_that_gives_the_servers_id_opens_no_aliases() {
    let steps = [
        Step::PutAgent { name: 0, selectors: 0 },
        Step::PutEntry { name: 0, id: 3, parent: 0, selectors: 1 },
        Step::PutEntry { name: 1, id: 4, parent: 3, selectors: 2 },
        Step::PutEntry { name: 2, id: 5, parent: 4, selectors: 1 },
    ];
    let snapshot = world(&steps);
    let agent = snapshot.agent(&id(0)).unwrap();
    assert_eq!(ids(&authorized_entries(&snapshot, agent)), BTreeSet::from([entry_id(0)]));
}
