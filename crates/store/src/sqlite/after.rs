//! The changes after a cursor, with the rows that they name.

use std::collections::HashMap;
use std::sync::Arc;

use model::ports::LogError;
use model::{Change, Changes, Cursor, EntryId, Row, RowKey};
use spiffe::{SpiffeId, TrustDomain};
use sqlx::sqlite::SqliteRow;

use super::failure::unreadable;
use super::line::Line;
use super::lookup::{self, column, number};
use crate::code::footprint_of;

/// Where a reader's cursor lies in this history.
enum Standing {
    AtHead,
    Behind,
    Compacted,
    Forked,
}

pub(super) async fn after(line: &mut Line, cursor: Cursor, limit: usize) -> Result<Changes, LogError> {
    line.say("BEGIN").await?;
    let found = match standing(line, cursor).await? {
        Standing::AtHead => Changes::Next(Vec::new()),
        Standing::Behind => Changes::Next(next(line, cursor.number, limit).await?),
        Standing::Compacted => Changes::Compacted,
        Standing::Forked => Changes::Forked,
    };
    line.say("COMMIT").await?;
    Ok(found)
}

async fn standing(line: &mut Line, cursor: Cursor) -> Result<Standing, LogError> {
    let head = lookup::head(line).await?;
    if cursor == head {
        return Ok(Standing::AtHead);
    }
    if cursor.number >= head.number {
        return Ok(Standing::Forked);
    }
    // Before the first change there is no row to hold the tag against; the first one must still be there.
    let (there, tag) = if cursor.number == 0 { (1, Some(0)) } else { (cursor.number, None) };
    let sql = "SELECT tag FROM change WHERE number = ?";
    let Some(row) = line.first(sqlx::query(sql).bind(there.cast_signed())).await? else {
        return Ok(Standing::Compacted);
    };
    let tag = match tag {
        Some(tag) => tag,
        None => number(line, &row, 0)?,
    };
    Ok(if tag == cursor.tag { Standing::Behind } else { Standing::Forked })
}

async fn next(line: &mut Line, after: u64, limit: usize) -> Result<Vec<Change>, LogError> {
    let sql = "SELECT number, tag, kind, name, was, now FROM change WHERE number > ? ORDER BY number LIMIT ?";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = line.all(sqlx::query(sql).bind(after.cast_signed()).bind(limit)).await?;
    let mut changes: Vec<Change> = rows.iter().map(|row| change(line, row)).collect::<Result<_, _>>()?;
    let found = named(line, &changes).await?;
    for change in &mut changes {
        change.row = found.get(&change.key).cloned();
    }
    Ok(changes)
}

fn change(line: &Line, row: &SqliteRow) -> Result<Change, LogError> {
    let footprint = |index| {
        let bytes: Option<&[u8]> = column(line, row, index)?;
        bytes.map(footprint_of).transpose().map_err(|error| unreadable("change", &error))
    };
    Ok(Change {
        cursor: Cursor { number: number(line, row, 0)?, tag: number(line, row, 1)? },
        key: key(column(line, row, 2)?, column(line, row, 3)?)?,
        was: footprint(4)?,
        is: footprint(5)?,
        row: None,
    })
}

/// What a change is about: see `commit::kind_and_name`.
fn key(kind: i64, name: &str) -> Result<RowKey, LogError> {
    let wrong = |why: &dyn std::fmt::Display| LogError::Corrupt(format!("a change of {name:?}: {why}"));
    match kind {
        1 => EntryId::parse(name).map(RowKey::Entry).map_err(|why| wrong(&why)),
        2 => SpiffeId::parse(name).map(RowKey::Agent).map_err(|why| wrong(&why)),
        3 => TrustDomain::parse(name).map(RowKey::Bundle).map_err(|why| wrong(&why)),
        4 => Ok(RowKey::Token),
        5 => Ok(RowKey::Journal(name.to_owned())),
        6 => TrustDomain::parse(name).map(RowKey::Relationship).map_err(|why| wrong(&why)),
        _ => Err(wrong(&format!("kind {kind} is not known"))),
    }
}

/// The rows that the changes name and that are still there.
async fn named(line: &mut Line, changes: &[Change]) -> Result<HashMap<RowKey, Row>, LogError> {
    let (mut entries, mut agents, mut bundles, mut journals, mut relationships) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut seen = std::collections::HashSet::new();
    for key in changes.iter().map(|change| &change.key).filter(|key| seen.insert(*key)) {
        match key {
            RowKey::Entry(id) => entries.push(id.as_str()),
            RowKey::Agent(id) => agents.push(id.as_str()),
            RowKey::Bundle(td) => bundles.push(td.as_str()),
            RowKey::Journal(id) => journals.push(id.as_str()),
            RowKey::Relationship(td) => relationships.push(td.as_str()),
            RowKey::Token => {}
        }
    }
    let mut found = HashMap::new();
    for entry in lookup::entries(line, entries.into_iter()).await? {
        found.insert(RowKey::Entry(entry.id.clone()), Row::Entry(Arc::new(entry)));
    }
    for agent in lookup::agents(line, agents.into_iter()).await? {
        found.insert(RowKey::Agent(agent.id.clone()), Row::Agent(Arc::new(agent)));
    }
    for bundle in lookup::bundles(line, bundles.into_iter()).await? {
        found.insert(RowKey::Bundle(bundle.trust_domain().clone()), Row::Bundle(Arc::new(bundle)));
    }
    for journal in lookup::journals(line, journals.into_iter()).await? {
        found.insert(RowKey::Journal(journal.id.clone()), Row::Journal(Arc::new(journal)));
    }
    for row in lookup::relationships(line, relationships.into_iter()).await? {
        found.insert(RowKey::Relationship(row.trust_domain.clone()), Row::Relationship(Arc::new(row)));
    }
    Ok(found)
}
