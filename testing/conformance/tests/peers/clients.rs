//! The programs of `testing/clients`, each given a work list.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use harness::{Client, Missing};
use serde_json::Value;

use super::work::{Item, Verdict, Verdicts};

/// Asks a client about each item.
pub fn ask(client: Client, items: &[Item]) -> Result<Verdicts, Missing> {
    client.available()?;
    let mut verdicts = Verdicts::new();
    // go-spiffe is told the time by each item; the others read the machine's, so each moment has a run of its own.
    if client == Client::Go {
        verdicts.extend(run(client.command("", &["vectors"]), items.iter()));
        return Ok(verdicts);
    }
    let moments: BTreeSet<i64> = items.iter().map(|item| item.now).collect();
    for moment in moments {
        let command = at(&client.command("", &["vectors"]), moment)?;
        verdicts.extend(run(command, items.iter().filter(|item| item.now == moment)));
    }
    Ok(verdicts)
}

/// A command with a clock that stands still.
fn at(command: &Command, moment: i64) -> Result<Command, Missing> {
    if Command::new("faketime").arg("--version").output().is_err() {
        return Err(Missing::Tool("faketime is missing: scripts/install-test-tools installs it".to_owned()));
    }
    let mut faked = Command::new("faketime");
    faked.args(["-f", &text(moment)]).arg(command.get_program()).args(command.get_args());
    faked.env("TZ", "UTC");
    Ok(faked)
}

/// A moment as faketime reads it.
fn text(moment: i64) -> String {
    let compact = conformance::forge::moment::generalized(moment);
    let digits: Vec<char> = compact[2..].iter().map(|byte| char::from(*byte)).collect();
    let part = |range: std::ops::Range<usize>| digits[range].iter().collect::<String>();
    format!("{}-{}-{} {}:{}:{}", part(0..4), part(4..6), part(6..8), part(8..10), part(10..12), part(12..14))
}

/// Writes the work list to a program, and reads a verdict for each line.
fn run<'a>(mut command: Command, items: impl Iterator<Item = &'a Item>) -> Verdicts {
    let mut expected: BTreeMap<&str, &Item> = BTreeMap::new();
    let mut lines = String::new();
    for item in items {
        expected.insert(&item.name, item);
        lines += &item.line();
        lines.push('\n');
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let mut verdicts = Verdicts::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let answer: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let name = answer["name"].as_str().unwrap();
        verdicts.insert(name.to_owned(), (expected[name].clone(), verdict(&answer)));
    }
    writer.join().unwrap().unwrap();
    assert!(child.wait().unwrap().success(), "{command:?} failed");
    assert_eq!(verdicts.len(), expected.len(), "{command:?} did not answer each vector");
    verdicts
}

fn verdict(answer: &Value) -> Verdict {
    match answer["accepted"].as_bool().unwrap() {
        true => Ok(answer["id"].as_str().unwrap().to_owned()),
        false => Err(answer["why"].as_str().unwrap().to_owned()),
    }
}
