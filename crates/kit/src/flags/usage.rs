//! The help of one command, laid out as Go's flag package does.

use std::fmt::Write as _;

use super::flag::{Flag, Kind};
use super::program::Command;

/// The flags of a program's command in the order of their names, and its examples.
pub fn usage(program: &str, command: &Command) -> String {
    let mut text = format!("Usage of {}:\n", command.path);
    for flag in command.sorted_flags() {
        describe(&mut text, flag);
    }
    if !command.examples.is_empty() {
        text.push_str("\nExamples:\n");
    }
    for example in command.examples {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  # {}\n  {program} {} {}", example.does, command.path, example.line);
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
