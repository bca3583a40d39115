//! One writing transaction.

use std::sync::Arc;

use aws_lc_rs::rand;
use model::ports::LogError;
use model::{Agent, Change, Entry, EntryId, RowKey, Write, WriteFault};
use spiffe::SpiffeId;

use super::line::Line;
use super::{lookup, rows};
use crate::code::{agent_bytes, bundle_bytes, entry_bytes, footprint_bytes, likeness, relationship_bytes};
use crate::ledger::{Ledger, Needs, Step, Table};

/// Does the writes that can be done, all in one transaction. On an error the line must be hung up.
pub(super) async fn commit(
    line: &mut Line,
    writes: Vec<Write>,
) -> Result<Vec<Result<Vec<Change>, WriteFault>>, LogError> {
    let needs = Needs::of(&writes);
    // Takes the sequence row, as far as SQLite has locks.
    line.say("BEGIN IMMEDIATE").await?;
    let head = lookup::head(line).await?.number;
    let mut ledger = Ledger::after(head);
    lookup::learn(line, &needs, &mut ledger).await?;
    let verdicts = ledger.judge(writes);
    let tags = tags(ledger.steps().len())?;
    if ledger.is_unchanged() {
        line.say("ROLLBACK").await?;
    } else {
        store(line, &ledger, head, &tags).await?;
        line.say("COMMIT").await?;
    }
    Ok(ledger.answers(verdicts, &tags))
}

/// Random numbers, one for each change; 0 means "before the first change" and is not among them.
fn tags(count: usize) -> Result<Vec<u64>, LogError> {
    let mut bytes = vec![0; count * 8];
    rand::fill(&mut bytes)
        .map_err(|_| LogError::Unavailable("this machine gives no random numbers".to_owned()))?;
    let tag = |eight: &[u8; 8]| u64::from_ne_bytes(*eight).max(1);
    Ok(bytes.as_chunks().0.iter().map(tag).collect())
}

async fn store(line: &mut Line, ledger: &Ledger, head: u64, tags: &[u64]) -> Result<(), LogError> {
    // Old rows go before new ones come, so that unique names may move between rows of one batch. Bundles come before
    // the entries that federate with them and go after.
    delete_entries(line, &ledger.entries).await?;
    put_bundles(line, ledger).await?;
    insert_entries(line, &ledger.entries).await?;
    delete_bundles(line, ledger).await?;
    store_agents(line, &ledger.agents).await?;
    store_tokens(line, ledger).await?;
    store_journals(line, ledger).await?;
    store_relationships(line, ledger).await?;
    append(line, ledger.steps(), head, tags).await
}

async fn delete_entries(line: &mut Line, entries: &Table<EntryId, Arc<Entry>>) -> Result<(), LogError> {
    for old in entries.edits().filter_map(|edit| edit.stored) {
        line.run(sqlx::query("DELETE FROM entry WHERE ord = ?").bind(old.ord.cast_signed())).await?;
    }
    Ok(())
}

async fn insert_entries(line: &mut Line, entries: &Table<EntryId, Arc<Entry>>) -> Result<(), LogError> {
    let mut new: Vec<&Arc<Entry>> = entries.edits().filter_map(|edit| edit.now).collect();
    new.sort_by_key(|entry| entry.ord);
    rows::insert(
        line,
        "INSERT INTO entry (ord, id, likeness, revision, data)",
        5,
        "",
        &new,
        |statement, entry| {
            statement
                .bind(entry.ord.cast_signed())
                .bind(entry.id.as_str().to_owned())
                .bind(likeness(entry).to_vec())
                .bind(entry.revision)
                .bind(entry_bytes(entry))
        },
    )
    .await?;
    let mut federates: Vec<(&str, u64)> =
        new.iter().flat_map(|e| e.federates_with.iter().map(|td| (td.as_str(), e.ord))).collect();
    federates.sort_unstable();
    federates.dedup();
    rows::insert(
        line,
        "INSERT INTO federates (trust_domain, entry)",
        2,
        "",
        &federates,
        |statement, (td, ord)| statement.bind((*td).to_owned()).bind(ord.cast_signed()),
    )
    .await
}

async fn put_bundles(line: &mut Line, ledger: &Ledger) -> Result<(), LogError> {
    let put: Vec<_> = ledger.bundles.edits().filter_map(|edit| edit.now).collect();
    let tail = " ON CONFLICT (trust_domain) DO UPDATE SET sequence = excluded.sequence, data = excluded.data";
    rows::insert(
        line,
        "INSERT INTO bundle (trust_domain, sequence, data)",
        3,
        tail,
        &put,
        |statement, bundle| {
            statement
                .bind(bundle.trust_domain().as_str().to_owned())
                .bind(bundle.sequence.cast_signed())
                .bind(bundle_bytes(bundle))
        },
    )
    .await
}

async fn delete_bundles(line: &mut Line, ledger: &Ledger) -> Result<(), LogError> {
    for gone in ledger.bundles.edits().filter(|edit| edit.now.is_none()) {
        line.run(sqlx::query("DELETE FROM bundle WHERE trust_domain = ?").bind(gone.key.as_str())).await?;
    }
    Ok(())
}

async fn store_agents(line: &mut Line, agents: &Table<SpiffeId, Arc<Agent>>) -> Result<(), LogError> {
    for old in agents.edits().filter_map(|edit| edit.stored) {
        line.run(sqlx::query("DELETE FROM agent WHERE ord = ?").bind(old.ord.cast_signed())).await?;
    }
    let mut new: Vec<&Arc<Agent>> = agents.edits().filter_map(|edit| edit.now).collect();
    new.sort_by_key(|agent| agent.ord);
    rows::insert(line, "INSERT INTO agent (ord, id, revision, data)", 4, "", &new, |statement, agent| {
        statement
            .bind(agent.ord.cast_signed())
            .bind(agent.id.as_str().to_owned())
            .bind(agent.revision)
            .bind(agent_bytes(agent))
    })
    .await
}

async fn store_tokens(line: &mut Line, ledger: &Ledger) -> Result<(), LogError> {
    for old in ledger.tokens.edits().filter(|edit| edit.stored.is_some()) {
        line.run(sqlx::query("DELETE FROM join_token WHERE hash = ?").bind(old.key.as_slice())).await?;
    }
    let new: Vec<_> = ledger.tokens.edits().filter_map(|edit| Some((*edit.key, *edit.now?))).collect();
    rows::insert(line, "INSERT INTO join_token (hash, ends)", 2, "", &new, |statement, (hash, ends)| {
        statement.bind(hash.to_vec()).bind(ends.0)
    })
    .await
}

async fn store_journals(line: &mut Line, ledger: &Ledger) -> Result<(), LogError> {
    for gone in ledger.journals.edits().filter(|edit| edit.now.is_none()) {
        line.run(sqlx::query("DELETE FROM journal WHERE id = ?").bind(gone.key.as_str())).await?;
    }
    let put: Vec<_> = ledger.journals.edits().filter_map(|edit| edit.now).collect();
    let tail = " ON CONFLICT (id) DO UPDATE SET data = excluded.data";
    rows::insert(line, "INSERT INTO journal (id, data)", 2, tail, &put, |statement, journal| {
        statement.bind(journal.id.clone()).bind(journal.data.clone())
    })
    .await
}

async fn store_relationships(line: &mut Line, ledger: &Ledger) -> Result<(), LogError> {
    for gone in ledger.relationships.edits().filter(|edit| edit.now.is_none()) {
        let delete = sqlx::query("DELETE FROM relationship WHERE trust_domain = ?");
        line.run(delete.bind(gone.key.as_str())).await?;
    }
    let put: Vec<_> = ledger.relationships.edits().filter_map(|edit| edit.now).collect();
    let tail = " ON CONFLICT (trust_domain) DO UPDATE SET data = excluded.data";
    rows::insert(line, "INSERT INTO relationship (trust_domain, data)", 2, tail, &put, |statement, row| {
        statement.bind(row.trust_domain.as_str().to_owned()).bind(relationship_bytes(row))
    })
    .await
}

/// Appends the changes and moves the sequence.
async fn append(line: &mut Line, steps: &[Step], head: u64, tags: &[u64]) -> Result<(), LogError> {
    let Some(last) = tags.last() else { return Ok(()) };
    let numbered: Vec<_> = (head + 1..).zip(tags).zip(steps).collect();
    let columns = "INSERT INTO change (number, tag, kind, name, was, now)";
    rows::insert(line, columns, 6, "", &numbered, |statement, ((number, tag), step)| {
        let (kind, name) = kind_and_name(&step.key);
        statement
            .bind(number.cast_signed())
            .bind(tag.cast_signed())
            .bind(kind)
            .bind(name.to_owned())
            .bind(step.was.as_ref().map(footprint_bytes))
            .bind(step.is.as_ref().map(footprint_bytes))
    })
    .await?;
    let number = head + steps.len() as u64;
    let sequence = sqlx::query("UPDATE sequence SET number = ?, tag = ?");
    line.run(sequence.bind(number.cast_signed()).bind(last.cast_signed())).await?;
    Ok(())
}

/// How a change names what it is about.
fn kind_and_name(key: &RowKey) -> (i64, &str) {
    match key {
        RowKey::Entry(id) => (1, id.as_str()),
        RowKey::Agent(id) => (2, id.as_str()),
        RowKey::Bundle(td) => (3, td.as_str()),
        RowKey::Token => (4, ""),
        RowKey::Journal(id) => (5, id),
        RowKey::Relationship(td) => (6, td.as_str()),
    }
}
