//! Every command has the flags of SPIRE's, with their defaults; those that can answer in JSON do.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "commands/json.rs"]
mod json;
#[path = "commands/later.rs"]
mod later;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use harness::{Process, Program, Ran, skip};
use later::{DIFFERENT, LATER};

/// Whether a flag takes a value, and its default.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Flag {
    value: bool,
    default: String,
}

/// The flags of each command, as `server entry create`.
type Facts = BTreeMap<String, BTreeMap<String, Flag>>;

fn facts() -> Facts {
    let mut facts = Facts::new();
    let mut command = String::new();
    for line in include_str!("commands/facts.txt").lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix("  -") {
            None => {
                command = line.to_owned();
                assert!(facts.insert(command.clone(), BTreeMap::new()).is_none(), "{line} stands twice");
            }
            Some(flag) => {
                let mut words = flag.splitn(3, ' ');
                let name = words.next().unwrap().to_owned();
                let value = words.next() == Some("value");
                let default = words.next().unwrap_or_default().to_owned();
                facts.get_mut(&command).unwrap().insert(name, Flag { value, default });
            }
        }
    }
    assert_eq!(facts.len(), 56, "all of SPIRE's but the short form of api fetch x509");
    facts
}

/// What a command's help says of its flags, or nothing if there is no such command.
fn helped(mut program: Command, words: &str) -> Option<BTreeMap<String, Flag>> {
    let ran = Ran::run(program.args(words.split(' ')).arg("-h").env("SPIRE_SERVER_FFLAGS", "wit-svid"));
    let text = format!("{}{}", ran.stdout, ran.stderr);
    // SPIRE calls some by another name there.
    let (name, text) = text.split_once("Usage of ")?.1.split_once(":\n")?;
    assert!(name.lines().count() == 1, "{words}: {name}");
    let text = text.split("\nExamples:\n").next().unwrap();
    let mut flags: BTreeMap<String, Flag> = BTreeMap::new();
    let mut last = String::new();
    for line in text.lines() {
        if let Some(flag) = line.strip_prefix("  -") {
            // The help of a flag with a short name stands beside it.
            let flag = flag.split('\t').next().unwrap();
            let (name, value) =
                flag.trim_end().split_once(' ').map_or((flag.trim_end(), false), |(name, _)| (name, true));
            last = name.to_owned();
            flags.insert(last.clone(), Flag { value, default: String::new() });
        }
        if let (Some((_, default)), Some(flag)) = (line.rsplit_once("(default "), flags.get_mut(&last)) {
            flag.default = plain(default.trim_end().trim_end_matches(')'));
        }
    }
    Some(flags)
}

/// A default without quotes; a duration without parts that are zero.
fn plain(default: &str) -> String {
    let default = default.trim_matches('"');
    default.strip_suffix("0m0s").unwrap_or(default).to_owned()
}

fn ours(role: &str) -> Command {
    let mut command = Command::new(Process::bonafide());
    command.arg(role);
    command
}

#[test]
fn every_command_has_the_flags_of_spires_and_their_defaults() {
    let mut wrong = Vec::new();
    for (command, flags) in facts() {
        let (role, words) = command.split_once(' ').unwrap();
        let Some(found) = helped(ours(role), words) else {
            if !LATER.contains(&command.as_str()) {
                wrong.push(format!("{command} is missing"));
            }
            continue;
        };
        if LATER.contains(&command.as_str()) {
            wrong.push(format!("{command} is there now: take it out of LATER"));
        }
        for (name, mut flag) in flags {
            flag.default = plain(&flag.default);
            if let Some((_, _, default, _)) =
                DIFFERENT.iter().find(|(of, flag, ..)| *of == command && *flag == name)
            {
                assert_ne!(flag.default, *default, "{command} -{name} is no difference");
                flag.default = (*default).to_owned();
            }
            match found.get(&name) {
                None => wrong.push(format!("{command} lacks -{name}")),
                // SPIRE's help says the default of this one in its text.
                Some(other) if name == "output" && other.value => {}
                Some(other) if *other == flag => {}
                Some(other) => wrong.push(format!("{command} -{name} is {other:?}, not {flag:?}")),
            }
        }
        let more = found.keys().filter(|name| !facts()[&command].contains_key(*name));
        wrong.extend(more.map(|name| format!("{command} has -{name}, which SPIRE's has not")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn differences_have_a_reason_and_are_of_flags_that_are_there() {
    let facts = facts();
    for (command, flag, _, reason) in DIFFERENT {
        assert!(facts[*command].contains_key(*flag) && !reason.is_empty(), "{command} -{flag}");
    }
    for command in LATER {
        assert!(facts.contains_key(*command), "{command}");
    }
}

#[test]
fn the_facts_are_those_of_spire() {
    if let Err(missing) = Program::Spire.available() {
        return skip("SPIRE's own help", &missing);
    }
    let programs = PathBuf::from(std::env::var_os("SPIRE_BIN").unwrap());
    for (command, mut flags) in facts() {
        let (role, words) = command.split_once(' ').unwrap();
        let program = Command::new(programs.join(format!("spire-{role}")));
        flags.values_mut().for_each(|flag| flag.default = plain(&flag.default));
        assert_eq!(helped(program, words), Some(flags), "{command}");
    }
}

#[test]
fn every_command_that_can_answers_in_json() {
    let facts = facts();
    let able: Vec<&str> = facts
        .iter()
        .filter(|(command, flags)| flags.contains_key("output") && !LATER.contains(&command.as_str()))
        .map(|(command, _)| command.as_str())
        .collect();
    json::answers(&able);
}
