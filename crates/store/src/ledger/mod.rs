//! Judges a batch of writes in memory, on the rows that it needs, while the sequence row is held.
//!
//! Each write stands or falls alone: what a refused one had done so far is undone before the next is looked at, so a
//! refusal leaves no trace and uses no number.

mod agents;
mod bundles;
mod entries;
mod needs;
mod relationships;
mod table;
mod tokens;

use std::ops::Range;
use std::sync::Arc;

use model::{
    Agent, Change, Cursor, Entry, EntryId, Footprint, Journal, Relationship, Row, RowKey, UnixTime, Write,
    WriteFault,
};
use spiffe::bundle::Bundle;
use spiffe::{SpiffeId, TrustDomain};

use crate::code::{Hash, likeness};
pub(crate) use needs::Needs;
pub(crate) use table::Table;

/// The rows that a batch is about: as stored, and as it leaves them.
#[derive(Default)]
pub(crate) struct Ledger {
    /// The number of the last change before this batch.
    head: u64,
    pub(crate) entries: Table<EntryId, Arc<Entry>>,
    /// Who has which likeness; follows `entries`.
    likenesses: Table<Hash, EntryId>,
    pub(crate) agents: Table<SpiffeId, Arc<Agent>>,
    pub(crate) bundles: Table<TrustDomain, Arc<Bundle>>,
    pub(crate) tokens: Table<Hash, UnixTime>,
    pub(crate) journals: Table<String, Arc<Journal>>,
    pub(crate) relationships: Table<TrustDomain, Arc<Relationship>>,
    /// Tokens that the write under judgement wanted to spend and that had expired.
    spoilt: Vec<Hash>,
    steps: Vec<Step>,
}

/// A change without its place in the history.
pub(crate) struct Step {
    pub(crate) key: RowKey,
    pub(crate) was: Option<Footprint>,
    pub(crate) is: Option<Footprint>,
    /// The row as this step leaves it, which a later one of the same batch may change again.
    row: Option<Row>,
}

/// Where the steps of each write lie, or why it was refused.
pub(crate) type Verdicts = Vec<Result<Range<usize>, WriteFault>>;

impl Ledger {
    /// A ledger that continues after change `head`. What is stored must be [`Ledger::know`]n before it judges.
    pub(crate) fn after(head: u64) -> Self {
        Self { head, ..Self::default() }
    }

    /// Learns a stored entry.
    pub(crate) fn know_entry(&mut self, entry: Entry) {
        self.likenesses.know(likeness(&entry), entry.id.clone());
        self.entries.know(entry.id.clone(), Arc::new(entry));
    }

    /// Judges all of them, in order.
    pub(crate) fn judge(&mut self, writes: Vec<Write>) -> Verdicts {
        writes.into_iter().map(|write| self.whole(|ledger| ledger.write(write))).collect()
    }

    /// The steps taken by the writes that were not refused.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether there is anything to store: a token may go without a step.
    pub(crate) fn is_unchanged(&self) -> bool {
        self.steps.is_empty() && self.tokens.edits().next().is_none()
    }

    /// The answers to the callers, the n-th step being the change with the n-th of these tags.
    pub(crate) fn answers(&self, verdicts: Verdicts, tags: &[u64]) -> Vec<Result<Vec<Change>, WriteFault>> {
        let mut places = (self.head + 1..).zip(tags).map(|(number, tag)| Cursor { number, tag: *tag });
        let mut changes: Vec<Option<Change>> =
            self.steps.iter().map(|s| Some(Self::change(s, places.next()?))).collect();
        let mut take = |range: Range<usize>| -> Vec<Change> {
            changes.get_mut(range).into_iter().flatten().filter_map(Option::take).collect()
        };
        verdicts.into_iter().map(|verdict| verdict.map(&mut take)).collect()
    }

    fn change(step: &Step, cursor: Cursor) -> Change {
        let Step { key, was, is, row } = step;
        Change { cursor, key: key.clone(), was: was.clone(), is: is.clone(), row: row.clone() }
    }

    /// The row as it stands.
    fn row(&self, key: &RowKey) -> Option<Row> {
        match key {
            RowKey::Entry(id) => self.entries.get(id).cloned().map(Row::Entry),
            RowKey::Agent(id) => self.agents.get(id).cloned().map(Row::Agent),
            RowKey::Bundle(td) => self.bundles.get(td).cloned().map(Row::Bundle),
            RowKey::Journal(id) => self.journals.get(id).cloned().map(Row::Journal),
            RowKey::Relationship(td) => self.relationships.get(td).cloned().map(Row::Relationship),
            RowKey::Token => None,
        }
    }

    /// Does it whole or not at all.
    fn whole(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<(), WriteFault>,
    ) -> Result<Range<usize>, WriteFault> {
        let marks = self.marks();
        let start = self.steps.len();
        match act(self) {
            Ok(()) => Ok(start..self.steps.len()),
            Err(fault) => {
                self.undo_to(marks);
                self.steps.truncate(start);
                // An expired token goes although its spender is refused.
                for spoilt in std::mem::take(&mut self.spoilt) {
                    self.tokens.set(spoilt, None);
                }
                Err(fault)
            }
        }
    }

    fn marks(&self) -> [usize; 7] {
        [
            self.entries.mark(),
            self.likenesses.mark(),
            self.agents.mark(),
            self.bundles.mark(),
            self.tokens.mark(),
            self.journals.mark(),
            self.relationships.mark(),
        ]
    }

    fn undo_to(
        &mut self,
        [entries, likenesses, agents, bundles, tokens, journals, relationships]: [usize; 7],
    ) {
        self.entries.undo_to(entries);
        self.likenesses.undo_to(likenesses);
        self.agents.undo_to(agents);
        self.bundles.undo_to(bundles);
        self.tokens.undo_to(tokens);
        self.journals.undo_to(journals);
        self.relationships.undo_to(relationships);
    }

    fn write(&mut self, write: Write) -> Result<(), WriteFault> {
        match write {
            Write::CreateEntry(entry) => self.create_entry(entry),
            Write::UpdateEntry { entry, was } => self.update_entry(entry, was),
            Write::DeleteEntry(id) => self.delete_entry(&id),
            Write::PutAgent { agent, expect } => self.put_agent(agent, expect),
            Write::DeleteAgent(id) => self.delete_agent(&id),
            Write::PutBundle { bundle, expect } => self.put_bundle(bundle, expect),
            Write::DeleteBundle { trust_domain, mode } => self.delete_bundle(trust_domain, mode),
            Write::CreateToken(token) => self.create_token(&token),
            Write::SpendToken { value, now } => self.spend_token(&value, now),
            Write::SweepTokens(now) => self.sweep_tokens(now),
            Write::PutJournal(journal) => self.put_journal(journal),
            Write::DeleteJournal(id) => self.delete_journal(id),
            Write::PutRelationship { relationship, expect } => self.put_relationship(relationship, expect),
            Write::DeleteRelationship(td) => self.delete_relationship(td),
            Write::All(writes) => writes.into_iter().try_for_each(|write| self.write(write)),
        }
    }

    fn put_journal(&mut self, journal: Journal) -> Result<(), WriteFault> {
        let id = journal.id.clone();
        let was = self.journals.get(&id).map(|_| Footprint::default());
        self.journals.set(id.clone(), Some(Arc::new(journal)));
        self.step(RowKey::Journal(id), was, Some(Footprint::default()));
        Ok(())
    }

    fn delete_journal(&mut self, id: String) -> Result<(), WriteFault> {
        if !self.journals.has(&id) {
            return Err(WriteFault::NotFound("journal"));
        }
        self.journals.set(id.clone(), None);
        self.step(RowKey::Journal(id), Some(Footprint::default()), None);
        Ok(())
    }

    /// The number that the next change will have.
    fn next(&self) -> u64 {
        self.head + 1 + self.steps.len() as u64
    }

    /// Notes a step that has been taken.
    fn step(&mut self, key: RowKey, was: Option<Footprint>, is: Option<Footprint>) {
        let row = self.row(&key);
        self.steps.push(Step { key, was, is, row });
    }
}
