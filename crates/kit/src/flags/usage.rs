//! The help of one command, laid out as Go's flag package does.

use std::fmt::Write as _;

use super::flag::{Flag, Kind};
use super::program::Command;

/// What a command is for, and its flags in the order of their names.
pub fn usage(command: &Command) -> String {
    let mut flags: Vec<&Flag> = command.flags.iter().copied().flatten().collect();
    flags.sort_by_key(|flag| flag.name);
    let mut text = format!("Usage of {}:\n", command.path);
    for flag in flags {
        describe(&mut text, flag);
    }
    text
}

fn describe(text: &mut String, flag: &Flag) {
    let kind = match flag.kind {
        Kind::Bool => "",
        Kind::Text => " string",
        Kind::Integer => " int",
        Kind::Duration => " duration",
        Kind::List | Kind::Choice(_) => " value",
    };
    let default = match (flag.kind, flag.default) {
        (Kind::Bool, "" | "false") | (_, "") => String::new(),
        (Kind::Text | Kind::Choice(_), default) => format!(" (default {default:?})"),
        (_, default) => format!(" (default {default})"),
    };
    let help = flag.help.replace('\n', "\n    \t");
    // Writing to a String cannot fail.
    let _ = writeln!(text, "  -{}{kind}\n    \t{help}{default}", flag.name);
}
