//! DataStore `sql`.

use super::super::block::{Block, Unknown, is_empty};
use super::super::given::Given;
use super::super::plugin::Plugin;
use super::super::problem::Problem;

/// Where the registry is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataStore {
    /// An SQLite database in this process.
    Sqlite(Sqlite),
}

/// An SQLite database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sqlite {
    /// A file's path, or a `file:` URI.
    pub connection_string: String,
    /// The most connections that read at the same time, if limited.
    pub max_open_conns: Option<u32>,
    /// Whether a database of an older version is refused instead of brought up to date.
    pub disable_migration: bool,
}

/// Reads the settings of DataStore `sql`.
pub(super) fn read(plugin: &Plugin<'_>) -> Option<DataStore> {
    let block = plugin.data();
    let kind = database_type(&block);
    let connection_string = block.text("connection_string").map(|given| given.value);
    if connection_string.is_none() {
        block.required("connection_string", "the path of the database file");
    }
    let max_open_conns = connections(&block);
    let disable_migration = block.switch("disable_migration").is_some_and(|given| given.value);
    block.not_yet_unless("log_sql", "log every query", is_empty);
    let with = "with an SQLite database, which is a file of this process";
    for key in [
        "ro_connection_string",
        "root_ca_path",
        "client_cert_path",
        "client_key_path",
        "max_idle_conns",
        "conn_max_lifetime",
    ] {
        // For another database the type is refused; that says enough.
        if kind.is_some() {
            block.no_meaning(key, with);
        } else {
            block.fields(key);
        }
    }
    block.finish(Unknown::Warn);
    kind?;
    Some(DataStore::Sqlite(Sqlite {
        connection_string: connection_string?,
        max_open_conns,
        disable_migration,
    }))
}

/// Some if the type is SQLite.
fn database_type(block: &Block<'_>) -> Option<()> {
    let fields = block.fields("database_type");
    let refuse = |place, name: &str| {
        let what = format!("database_type {name:?}");
        block.mistake(place, Problem::NotYet { what, would: "keep the registry in that database" });
    };
    if let Some(section) = fields.last().and_then(kit::hcl::Field::section) {
        let name = section.fields().first().map_or("", |field| field.key().name.as_str());
        refuse(block.place(), name);
        return None;
    }
    let Some(Given { value, place }) = block.text("database_type") else {
        block.required("database_type", "the kind of database; \"sqlite3\" is there");
        return None;
    };
    match value.as_str() {
        "sqlite3" => Some(()),
        "postgres" | "mysql" => {
            refuse(place, &value);
            None
        }
        _ => {
            let why = "it must be \"sqlite3\"".to_owned();
            block.mistake(place, Problem::BadValue { key: "database_type".to_owned(), value, why });
            None
        }
    }
}

fn connections(block: &Block<'_>) -> Option<u32> {
    let given = block.number("max_open_conns")?;
    let limit = u32::try_from(given.value).ok();
    if limit.is_none() {
        let (value, why) = (given.value.to_string(), "it must be 0 (no limit) or more".to_owned());
        block.mistake(given.place, Problem::BadValue { key: "max_open_conns".to_owned(), value, why });
    }
    limit.filter(|limit| *limit > 0)
}
