//! The tables and their versions. Steps go forward only; each is one transaction with the note that it was done.

use std::time::Duration;

use model::ports::LogError;
use sqlx::Row as _;

use super::Migration;
use super::line::Line;

/// Who made the database, as its table `schema` says.
const PROGRAM: &str = "bonafide";

/// The step to version n is the n-th.
const STEPS: &[&str] = &[include_str!("migrations/1.sql"), include_str!("migrations/2.sql")];

const SCHEMA: &str = "CREATE TABLE schema (program TEXT NOT NULL, version INTEGER NOT NULL) STRICT;
    INSERT INTO schema (program, version) VALUES ('bonafide', 0);";

/// What an existing file turns out to be.
enum Found {
    Nothing,
    Version(usize),
}

/// Makes the tables, or brings them up to date. A database of another program is left as it is.
pub(super) async fn bring_up(line: &mut Line, migration: Migration) -> Result<(), LogError> {
    loop {
        line.say("BEGIN IMMEDIATE").await?;
        let done = step(line, migration).await;
        line.say(if done.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
        if done? {
            return Ok(());
        }
    }
}

/// How often the switch to WAL mode is tried again.
const WAL_PAUSE: Duration = Duration::from_millis(10);

/// Readers must not wait for the writer. SQLite does not wait by itself for another connection to make way for this
/// switch, as when two servers make the database at the same time.
pub(super) async fn use_wal(line: &mut Line, patience: Duration) -> Result<(), LogError> {
    let mut tries = patience.as_millis() / WAL_PAUSE.as_millis();
    loop {
        match switch_to_wal(line).await {
            Err(LogError::Unavailable(_)) if tries > 0 => tries -= 1,
            done => return done,
        }
        tokio::time::sleep(WAL_PAUSE).await;
    }
}

async fn switch_to_wal(line: &mut Line) -> Result<(), LogError> {
    let row = line.first(sqlx::query("PRAGMA journal_mode = WAL")).await?;
    let mode: Option<String> = row.and_then(|row| row.try_get(0).ok());
    match mode.as_deref() {
        Some("wal") => Ok(()),
        mode => Err(LogError::Schema(format!(
            "{} cannot be put into WAL mode (it is in mode {:?}): its file system lacks shared memory or locks; put it \
             on another one",
            line.place(),
            mode.unwrap_or_default()
        ))),
    }
}

/// One step forward; true when there is none left.
async fn step(line: &mut Line, migration: Migration) -> Result<bool, LogError> {
    let version = match look(line).await? {
        Found::Nothing => {
            line.script(SCHEMA).await?;
            0
        }
        Found::Version(version) if version < STEPS.len() && migration == Migration::Refused => {
            return Err(LogError::Schema(format!(
                "{} has tables of version {version}, this program needs version {}, and it was told not to migrate: \
                 allow the migration once",
                line.place(),
                STEPS.len()
            )));
        }
        Found::Version(version) => version,
    };
    let Some(sql) = STEPS.get(version) else { return Ok(version == STEPS.len()) };
    line.script(sql).await?;
    let next = i64::try_from(version + 1).unwrap_or(i64::MAX);
    line.run(sqlx::query("UPDATE schema SET version = ?").bind(next)).await?;
    Ok(false)
}

async fn look(line: &mut Line) -> Result<Found, LogError> {
    let sql =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let mut tables = Vec::new();
    for row in line.all(sqlx::query(sql)).await? {
        tables.push(row.try_get::<String, _>(0).map_err(|error| line.error(error))?);
    }
    let has = |name: &str| tables.iter().any(|table| table == name);
    match () {
        () if tables.is_empty() => Ok(Found::Nothing),
        () if has("schema") => version(line).await,
        () if has("registered_entries") && has("migrations") => Err(LogError::Schema(format!(
            "{} is a database of SPIRE, whose tables are laid out differently: give another path, and create the entries \
             anew there; a later version of Bonafide will have a command that imports such a database",
            line.place()
        ))),
        () => Err(foreign(line)),
    }
}

async fn version(line: &mut Line) -> Result<Found, LogError> {
    // Another program's table of that name may have other columns.
    let columns = "SELECT count(*) FROM pragma_table_info('schema') WHERE name IN ('program', 'version')";
    let count = line.first(sqlx::query(columns)).await?.and_then(|row| row.try_get::<i64, _>(0).ok());
    if count != Some(2) {
        return Err(foreign(line));
    }
    let row = line.first(sqlx::query("SELECT program, version FROM schema")).await?;
    let found = row.and_then(|row| Some((row.try_get::<String, _>(0).ok()?, row.try_get::<i64, _>(1).ok()?)));
    let Some((program, version)) = found else { return Err(foreign(line)) };
    if program != PROGRAM {
        return Err(foreign(line));
    }
    match usize::try_from(version) {
        Ok(version) if version <= STEPS.len() => Ok(Found::Version(version)),
        _ => Err(LogError::Schema(format!(
            "{} was written by a newer version of Bonafide (its tables are of version {version}, this program knows them \
             up to {}): run that version again, or restore a backup from before the upgrade",
            line.place(),
            STEPS.len()
        ))),
    }
}

fn foreign(line: &Line) -> LogError {
    LogError::Schema(format!("{} is a database of another program: give another path", line.place()))
}
