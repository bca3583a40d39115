use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use model::ports::{ChangeLog, LogError};
use model::{Change, Changes, Cursor, DissociateMode, Expect, Row, RowKey, Snapshot, Write, WriteFault};

/// A change log in memory that can be told to fail.
pub(crate) struct MemoryLog {
    state: Mutex<(Snapshot, Vec<Change>)>,
    /// Commits that still succeed.
    commits_left: AtomicU64,
    statements: AtomicU64,
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self {
            state: Mutex::new((Snapshot::empty(), Vec::new())),
            commits_left: AtomicU64::new(u64::MAX),
            statements: AtomicU64::new(0),
        }
    }
}

#[allow(dead_code)] // benches do not make it fail
impl MemoryLog {
    /// Lets `commits` more succeed and fails all that follow.
    pub(crate) fn fail_after(&self, commits: u64) {
        self.commits_left.store(commits, Ordering::SeqCst);
    }

    /// Lets all succeed again.
    pub(crate) fn heal(&self) {
        self.fail_after(u64::MAX);
    }
}

fn write_one(now: &mut Snapshot, done: &mut Vec<Change>, write: Write) -> Result<(), WriteFault> {
    let (key, row) = match write {
        Write::All(writes) => {
            for write in writes {
                write_one(now, done, write)?;
            }
            return Ok(());
        }
        Write::PutBundle { bundle, expect } => {
            let stored = now.bundle(bundle.trust_domain()).map(|b| b.sequence);
            match (expect, stored) {
                (Expect::Absent, Some(_)) => return Err(WriteFault::Exists("bundle")),
                (Expect::Revision(_), None) => return Err(WriteFault::NotFound("bundle")),
                (Expect::Revision(was), Some(is)) if was != is => return Err(WriteFault::Conflict("bundle")),
                _ => (RowKey::Bundle(bundle.trust_domain().clone()), Some(Row::Bundle(bundle.into()))),
            }
        }
        Write::DeleteBundle { trust_domain, mode } => {
            now.bundle(&trust_domain).ok_or(WriteFault::NotFound("bundle"))?;
            let users = now.entries_after(0).filter(|e| e.federates_with.contains(&trust_domain)).count();
            if mode == DissociateMode::Restrict && users > 0 {
                return Err(WriteFault::BundleInUse(users as u64));
            }
            (RowKey::Bundle(trust_domain), None)
        }
        Write::PutJournal(journal) => {
            (RowKey::Journal(journal.id.clone()), Some(Row::Journal(journal.into())))
        }
        Write::PutRelationship { mut relationship, .. } => {
            let td = relationship.trust_domain.clone();
            relationship.ord = now.relationship(&td).map_or(now.cursor().number + 1, |old| old.ord);
            (RowKey::Relationship(td), Some(Row::Relationship(relationship.into())))
        }
        Write::DeleteJournal(id) => (RowKey::Journal(id), None),
        Write::CreateEntry(mut entry) => {
            entry.ord = now.cursor().number + 1;
            (RowKey::Entry(entry.id.clone()), Some(Row::Entry(entry.into())))
        }
        Write::PutAgent { mut agent, .. } => {
            agent.ord = now.agent(&agent.id).map_or(now.cursor().number + 1, |old| old.ord);
            (RowKey::Agent(agent.id.clone()), Some(Row::Agent(agent.into())))
        }
        other => unreachable!("this double does not do {other:?}"),
    };
    let number = now.cursor().number + 1;
    let change = Change { cursor: Cursor { number, tag: number }, key, was: None, is: None, row };
    now.apply(&change).unwrap();
    done.push(change);
    Ok(())
}

#[async_trait]
impl ChangeLog for MemoryLog {
    async fn commit(&self, writes: Vec<Write>) -> Result<Vec<Result<Vec<Change>, WriteFault>>, LogError> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let spend = |left: u64| if left == u64::MAX { Some(left) } else { left.checked_sub(1) };
        if self.commits_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, spend).is_err() {
            return Err(LogError::Unavailable("the test took the database away".to_owned()));
        }
        let mut state = self.state.lock().unwrap();
        let mut answers = Vec::new();
        for write in writes {
            let (mut now, mut done) = (state.0.clone(), Vec::new());
            answers.push(write_one(&mut now, &mut done, write).map(|()| {
                state.0 = now;
                state.1.extend(done.iter().cloned());
                done
            }));
        }
        Ok(answers)
    }

    async fn load(&self, sink: &mut (dyn FnMut(Row) + Send)) -> Result<Cursor, LogError> {
        let state = self.state.lock().unwrap();
        state.0.entries_after(0).for_each(|row| sink(Row::Entry(row.clone())));
        state.0.agents_after(0).for_each(|row| sink(Row::Agent(row.clone())));
        state.0.bundles().for_each(|row| sink(Row::Bundle(row.clone())));
        state.0.journals().for_each(|row| sink(Row::Journal(row.clone())));
        state.0.relationships().for_each(|row| sink(Row::Relationship(row.clone())));
        Ok(state.0.cursor())
    }

    async fn after(&self, cursor: Cursor, limit: usize) -> Result<Changes, LogError> {
        let state = self.state.lock().unwrap();
        Ok(Changes::Next(
            state.1.iter().filter(|c| c.cursor.number > cursor.number).take(limit).cloned().collect(),
        ))
    }

    async fn forget(&self, _before: u64) -> Result<(), LogError> {
        Ok(())
    }

    async fn head(&self) -> Result<Cursor, LogError> {
        Ok(self.state.lock().unwrap().0.cursor())
    }

    fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }
}
