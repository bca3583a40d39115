//! Rows by name.

use std::fmt::Write as _;

use model::ports::LogError;
use model::{Agent, Cursor, Entry, Journal, Relationship, UnixTime};
use spiffe::bundle::Bundle;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{AssertSqlSafe, Decode, Encode, Row, Type};

use super::failure::unreadable;
use super::line::Line;
use crate::code::{EntryReader, Hash, agent_of, bundle_of, relationship_of};
use crate::ledger::{Ledger, Needs};

/// The most names of one statement.
const MOST: usize = 256;

/// Where the log stands.
pub(super) async fn head(line: &mut Line) -> Result<Cursor, LogError> {
    let Some(row) = line.first(sqlx::query("SELECT number, tag FROM sequence")).await? else {
        return Err(LogError::Corrupt(format!("{}: table sequence is empty", line.place())));
    };
    Ok(Cursor { number: number(line, &row, 0)?, tag: number(line, &row, 1)? })
}

/// Reads what a batch must know.
pub(super) async fn learn(line: &mut Line, needs: &Needs, ledger: &mut Ledger) -> Result<(), LogError> {
    for entry in entries(line, needs.entries.iter().map(|id| id.as_str())).await? {
        ledger.know_entry(entry);
    }
    for entry in similar(line, &needs.likenesses).await? {
        ledger.know_entry(entry);
    }
    for td in &needs.federating {
        for entry in federating(line, td.as_str()).await? {
            ledger.know_entry(entry);
        }
    }
    for agent in agents(line, needs.agents.iter().map(|id| id.as_str())).await? {
        ledger.agents.know(agent.id.clone(), agent.into());
    }
    for bundle in bundles(line, needs.bundles.iter().map(|td| td.as_str())).await? {
        ledger.bundles.know(bundle.trust_domain().clone(), bundle.into());
    }
    for (hash, ends) in tokens(line, needs).await? {
        ledger.tokens.know(hash, ends);
    }
    for journal in journals(line, needs.journals.iter().map(String::as_str)).await? {
        ledger.journals.know(journal.id.clone(), journal.into());
    }
    for row in relationships(line, needs.relationships.iter().map(|td| td.as_str())).await? {
        ledger.relationships.know(row.trust_domain.clone(), row.into());
    }
    Ok(())
}

pub(super) async fn entries<'a>(
    line: &mut Line,
    ids: impl Iterator<Item = &'a str>,
) -> Result<Vec<Entry>, LogError> {
    let rows = by_names(line, "SELECT data FROM entry WHERE id IN ", ids).await?;
    entries_of(line, rows)
}

pub(super) async fn agents<'a>(
    line: &mut Line,
    ids: impl Iterator<Item = &'a str>,
) -> Result<Vec<Agent>, LogError> {
    let rows = by_names(line, "SELECT data FROM agent WHERE id IN ", ids).await?;
    rows.iter().map(|row| agent_of(data(line, row)?).map_err(|error| unreadable("agent", &error))).collect()
}

pub(super) async fn bundles<'a>(
    line: &mut Line,
    names: impl Iterator<Item = &'a str>,
) -> Result<Vec<Bundle>, LogError> {
    let rows = by_names(line, "SELECT data FROM bundle WHERE trust_domain IN ", names).await?;
    rows.iter().map(|row| bundle_of(data(line, row)?).map_err(|error| unreadable("bundle", &error))).collect()
}

pub(super) async fn journals<'a>(
    line: &mut Line,
    ids: impl Iterator<Item = &'a str>,
) -> Result<Vec<Journal>, LogError> {
    let rows = by_names(line, "SELECT data, id FROM journal WHERE id IN ", ids).await?;
    rows.iter().map(|row| journal(line, row)).collect()
}

pub(super) async fn relationships<'a>(
    line: &mut Line,
    names: impl Iterator<Item = &'a str>,
) -> Result<Vec<Relationship>, LogError> {
    let rows = by_names(line, "SELECT data FROM relationship WHERE trust_domain IN ", names).await?;
    let read = |row| relationship_of(data(line, row)?).map_err(|error| unreadable("relationship", &error));
    rows.iter().map(read).collect()
}

/// A row of columns `data, id`.
pub(super) fn journal(line: &Line, row: &SqliteRow) -> Result<Journal, LogError> {
    Ok(Journal { id: column(line, row, 1)?, data: data(line, row)?.to_vec() })
}

async fn similar(
    line: &mut Line,
    likenesses: impl IntoIterator<Item = &Hash>,
) -> Result<Vec<Entry>, LogError> {
    let hashes = likenesses.into_iter().map(Hash::as_slice);
    let rows = by_names(line, "SELECT data FROM entry WHERE likeness IN ", hashes).await?;
    entries_of(line, rows)
}

async fn federating(line: &mut Line, td: &str) -> Result<Vec<Entry>, LogError> {
    let sql = "SELECT data FROM federates JOIN entry ON entry.ord = federates.entry WHERE trust_domain = ?";
    let rows = line.all(sqlx::query(sql).bind(td)).await?;
    entries_of(line, rows)
}

async fn tokens(line: &mut Line, needs: &Needs) -> Result<Vec<(Hash, UnixTime)>, LogError> {
    let hashes = needs.tokens.iter().map(Hash::as_slice);
    let mut rows = by_names(line, "SELECT hash, ends FROM join_token WHERE hash IN ", hashes).await?;
    if let Some(now) = needs.expired {
        let sql = "SELECT hash, ends FROM join_token WHERE ends < ?";
        rows.extend(line.all(sqlx::query(sql).bind(now.0)).await?);
    }
    rows.iter().map(|row| token(line, row)).collect()
}

fn token(line: &Line, row: &SqliteRow) -> Result<(Hash, UnixTime), LogError> {
    let hash = data(line, row)?.try_into();
    let hash = hash.map_err(|_| {
        LogError::Corrupt(format!("{}: a join token's hash has a wrong length", line.place()))
    })?;
    Ok((hash, UnixTime(column(line, row, 1)?)))
}

fn entries_of(line: &Line, rows: Vec<SqliteRow>) -> Result<Vec<Entry>, LogError> {
    let mut reader = EntryReader::default();
    rows.iter()
        .map(|row| reader.read(data(line, row)?).map_err(|error| unreadable("entry", &error)))
        .collect()
}

/// The rows of all these names. The number of placeholders is a power of two, the last name being repeated, so that
/// few different statements are prepared.
async fn by_names<'a, T>(
    line: &mut Line,
    select: &str,
    names: impl Iterator<Item = T>,
) -> Result<Vec<SqliteRow>, LogError>
where
    T: Encode<'a, Sqlite> + Type<Sqlite> + Copy,
{
    let names: Vec<T> = names.collect();
    let mut found = Vec::new();
    for chunk in names.chunks(MOST) {
        let Some(last) = chunk.last() else { continue };
        let count = chunk.len().next_power_of_two();
        let mut sql = String::with_capacity(select.len() + 2 * count + 2);
        sql.push_str(select);
        for place in 0..count {
            let _ = write!(sql, "{}?", if place == 0 { '(' } else { ',' });
        }
        sql.push(')');
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for name in chunk.iter().chain(std::iter::repeat(last)).take(count) {
            query = query.bind(*name);
        }
        found.append(&mut line.all(query).await?);
    }
    Ok(found)
}

/// The first column, as bytes.
pub(super) fn data<'r>(line: &Line, row: &'r SqliteRow) -> Result<&'r [u8], LogError> {
    row.try_get(0).map_err(|error| line.error(error))
}

pub(super) fn column<'r, T>(line: &Line, row: &'r SqliteRow, index: usize) -> Result<T, LogError>
where
    T: Decode<'r, Sqlite> + Type<Sqlite>,
{
    row.try_get(index).map_err(|error| line.error(error))
}

/// A number without a sign, which the column holds as one with.
pub(super) fn number(line: &Line, row: &SqliteRow, index: usize) -> Result<u64, LogError> {
    column::<i64>(line, row, index).map(i64::cast_unsigned)
}
