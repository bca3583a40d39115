//! All rows, as of one moment.

use std::sync::Arc;

use futures_util::StreamExt;
use model::ports::LogError;
use model::{Cursor, Journal, Row};

use super::failure::unreadable;
use super::line::Line;
use super::lookup;
use crate::code::{CodeError, EntryReader, agent_of, bundle_of, relationship_of};

pub(super) async fn load(line: &mut Line, sink: &mut (dyn FnMut(Row) + Send)) -> Result<Cursor, LogError> {
    // One read transaction: all statements see the same moment, and the writer goes on meanwhile.
    line.say("BEGIN").await?;
    let cursor = lookup::head(line).await?;
    let mut entries = EntryReader::default();
    table(line, "entry", "SELECT data FROM entry ORDER BY ord", sink, |data| {
        Ok(Row::Entry(Arc::new(entries.read(data)?)))
    })
    .await?;
    table(line, "agent", "SELECT data FROM agent ORDER BY ord", sink, |data| {
        Ok(Row::Agent(Arc::new(agent_of(data)?)))
    })
    .await?;
    table(line, "bundle", "SELECT data FROM bundle", sink, |data| {
        Ok(Row::Bundle(Arc::new(bundle_of(data)?)))
    })
    .await?;
    table(line, "relationship", "SELECT data FROM relationship", sink, |data| {
        Ok(Row::Relationship(Arc::new(relationship_of(data)?)))
    })
    .await?;
    for row in line.all(sqlx::query("SELECT data, id FROM journal")).await? {
        let journal: Journal = lookup::journal(line, &row)?;
        sink(Row::Journal(Arc::new(journal)));
    }
    line.say("COMMIT").await?;
    Ok(cursor)
}

/// The rows of one table, by their column `data`.
async fn table(
    line: &mut Line,
    name: &'static str,
    sql: &'static str,
    sink: &mut (dyn FnMut(Row) + Send),
    mut read: impl FnMut(&[u8]) -> Result<Row, CodeError>,
) -> Result<(), LogError> {
    let place = line.place().to_owned();
    let mut rows = line.stream(sql);
    while let Some(row) = rows.next().await {
        let row = row?;
        let data = sqlx::Row::try_get(&row, 0).map_err(|error| super::failure::log_error(&place, error))?;
        sink(read(data).map_err(|error| unreadable(name, &error))?);
    }
    Ok(())
}
