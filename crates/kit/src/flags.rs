//! Command lines as SPIRE's programs read them: words that name a command, then flags in the manner of Go
//! (`-name value`, `-name=value`, `--name`, `-bool`, `-bool=false`, repeated flags, `--` as the end).
//!
//! A command is a row of a table: its path, a summary and its flags. Parsing and help come from that table, and so
//! can completions and manual pages.

mod flag;
mod parse;
mod program;
mod socket;
mod usage;
mod values;

pub use flag::{Flag, Kind, Offer};
pub use parse::{FlagError, parse};
pub use program::{Command, Example, Program, Reading};
pub use socket::{SocketError, SocketFlags};
pub use usage::usage;
pub use values::Values;
