//! A program with commands: finds the command that the words name, and answers for help and version.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::flag::Flag;
use super::parse::{FlagError, parse};
use super::usage::usage;
use super::values::Values;

/// A command: a row of a program's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// The words that name it, as in `entry create`.
    pub path: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Its flags, in groups so that commands can share some.
    pub flags: &'static [&'static [Flag]],
    /// Lines to begin from.
    pub examples: &'static [Example],
}

/// A command line that shows how a command is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// What it does.
    pub does: &'static str,
    /// The line, without the program's name and the command's path.
    pub line: &'static str,
}

impl Command {
    /// A command without examples.
    pub const fn new(path: &'static str, summary: &'static str, flags: &'static [&'static [Flag]]) -> Self {
        Self { path, summary, flags, examples: &[] }
    }

    /// The same command with examples.
    pub const fn with(self, examples: &'static [Example]) -> Self {
        Self { examples, ..self }
    }

    /// All its flags, in the order of their names.
    pub fn sorted_flags(&self) -> Vec<&'static Flag> {
        let mut flags: Vec<&Flag> = self.flags.iter().copied().flatten().collect();
        flags.sort_by_key(|flag| flag.name);
        flags
    }
}

impl Example {
    /// What a line does, and the line.
    pub const fn new(does: &'static str, line: &'static str) -> Self {
        Self { does, line }
    }
}

/// A program: its name and its commands.
#[derive(Clone, Debug)]
pub struct Program {
    /// What the program calls itself.
    pub name: &'static str,
    /// What `-version` prints.
    pub version: String,
    /// All commands.
    pub commands: Vec<&'static Command>,
}

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Run this command.
    Run(&'static Command, Values),
    /// Print this to the standard error output, and end with this exit code.
    Say {
        /// What to print.
        text: String,
        /// How to end: 0 for help that was asked for, 127 for a command that does not exist, 1 for other mistakes.
        code: u8,
    },
}

impl Program {
    /// Reads a command line, without the program's own name. Flags before the command are refused; help is given
    /// wherever it is asked for. Exit codes are those of SPIRE 1.16.
    pub fn read(&self, arguments: &[String]) -> Reading {
        let words = arguments.iter().take_while(|a| !a.starts_with('-')).count();
        let leading: Vec<&str> = arguments.iter().take(words).map(String::as_str).collect();
        if leading.is_empty() {
            return self.without_command(arguments);
        }

        if let Some((command, length)) = self.find(&leading) {
            let flags = arguments.get(length..).unwrap_or_default();
            return match parse(command.flags, flags) {
                Ok(_) if asks_for_help(flags) => Reading::Say { text: usage(self.name, command), code: 0 },
                Ok(values) => Reading::Run(command, values),
                Err(FlagError::Help) => Reading::Say { text: usage(self.name, command), code: 0 },
                Err(mistake) => {
                    Reading::Say { text: format!("{mistake}\n{}", usage(self.name, command)), code: 1 }
                }
            };
        }
        self.without_match(&leading, asks_for_help(arguments))
    }

    /// The command with the longest path that the words begin with, and how many words that is.
    pub(super) fn find(&self, words: &[&str]) -> Option<(&'static Command, usize)> {
        let length = |command: &Command| command.path.split(' ').count();
        let matches = |command: &Command| {
            command.path.split(' ').enumerate().all(|(at, word)| words.get(at) == Some(&word))
        };
        let command = self.commands.iter().filter(|c| matches(c)).max_by_key(|c| length(c))?;
        Some((command, length(command)))
    }

    fn without_command(&self, arguments: &[String]) -> Reading {
        let first = arguments.first().map(String::as_str);
        match first {
            Some("-v" | "-version" | "--version") => {
                Reading::Say { text: format!("{}\n", self.version), code: 0 }
            }
            Some(_) if asks_for_help(arguments) => Reading::Say { text: self.overview(), code: 0 },
            Some(flag) => Reading::Say {
                text: format!(
                    "{flag} stands before the command; write flags after it\n\n{}",
                    self.overview()
                ),
                code: 127,
            },
            None => Reading::Say { text: self.overview(), code: 127 },
        }
    }

    fn without_match(&self, words: &[&str], help: bool) -> Reading {
        // The longest beginning of the words that names a group of commands.
        for length in (1..=words.len()).rev() {
            let group = words.get(..length).unwrap_or_default().join(" ");
            let members = self.members(&group);
            if members.is_empty() {
                continue;
            }
            let listing = format!(
                "Usage: {} {group} <subcommand> [<args>]\n\nSubcommands:\n{}",
                self.name,
                columns(&members)
            );
            return match words.get(length) {
                _ if help => Reading::Say { text: listing, code: 0 },
                Some(word) => Reading::Say {
                    text: format!(
                        "{group:?} has no subcommand {word:?}{}\n\n{listing}",
                        similar(word, &members)
                    ),
                    code: 1,
                },
                None => Reading::Say { text: format!("{group:?} needs a subcommand\n\n{listing}"), code: 1 },
            };
        }
        let word = words.first().copied().unwrap_or_default();
        let hint = similar(word, &self.members(""));
        Reading::Say { text: format!("there is no command {word:?}{hint}\n\n{}", self.overview()), code: 127 }
    }

    fn overview(&self) -> String {
        format!(
            "Usage: {} [--version] [--help] <command> [<args>]\n\nAvailable commands are:\n{}",
            self.name,
            columns(&self.members(""))
        )
    }

    /// The words that may follow a group's, each with its summary; for a group, the words that may follow it in turn.
    pub(super) fn members(&self, group: &str) -> BTreeMap<&'static str, String> {
        let mut members: BTreeMap<&'static str, (Option<&'static str>, Vec<&'static str>)> = BTreeMap::new();
        for command in &self.commands {
            let below = if group.is_empty() {
                Some(command.path)
            } else {
                command.path.strip_prefix(group).and_then(|rest| rest.strip_prefix(' '))
            };
            let Some(below) = below else { continue };
            let mut words = below.split(' ');
            let Some(word) = words.next() else { continue };
            let member = members.entry(word).or_default();
            match words.next() {
                None => member.0 = Some(command.summary),
                Some(next) if !member.1.contains(&next) => member.1.push(next),
                Some(_) => {}
            }
        }
        members
            .into_iter()
            .map(|(word, (summary, next))| (word, summary.map_or_else(|| next.join(", "), str::to_owned)))
            .collect()
    }
}

fn asks_for_help(arguments: &[String]) -> bool {
    arguments.iter().take_while(|a| *a != "--").any(|a| matches!(a.as_str(), "-h" | "-help" | "--help"))
}

fn columns(members: &BTreeMap<&'static str, String>) -> String {
    let width = members.keys().map(|word| word.len()).max().unwrap_or_default();
    members.iter().fold(String::new(), |mut text, (word, summary)| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "    {word:width$}    {summary}");
        text
    })
}

fn similar(word: &str, members: &BTreeMap<&'static str, String>) -> String {
    members
        .keys()
        .map(|known| (strsim::damerau_levenshtein(known, word), known))
        .filter(|(distance, _)| *distance <= 2)
        .min()
        .map(|(_, known)| format!("; did you mean {known:?}?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
