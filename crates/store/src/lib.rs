//! The ordered change log on SQL databases.
//!
//! A batch of writes takes the sequence row first, reads what it must know (`ledger::Needs`), is judged in memory
//! (`ledger::Ledger`), and is written as the rows that it leaves and the changes that led there. Judging knows no
//! database, so a further engine is an adapter beside [`sqlite`]: how to connect, how to read rows by name, how to
//! write rows.

mod code;
mod ledger;
pub mod sqlite;
