//! Command lines as SPIRE's programs read them: words that name a command, then flags in the manner of Go
//! (`-name value`, `-name=value`, `--name`, `-bool`, `-bool=false`, repeated flags, `--` as the end).
//!
//! A command is a row of a table: its path, a summary and its flags. Parsing, help, completion in shells and
//! manual pages all come from that table.

mod complete;
mod flag;
mod manual;
mod parse;
mod program;
mod script;
mod socket;
mod usage;
mod values;

pub use complete::{Candidate, Offered, split};
pub use flag::{Flag, Kind, Offer};
pub use manual::Manual;
pub use parse::{FlagError, parse};
pub use program::{Command, Example, Program, Reading};
pub use script::Shell;
pub use socket::{SocketError, SocketFlags};
pub use usage::usage;
pub use values::Values;
