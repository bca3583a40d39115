//! Every file in `docs/examples` loads, but those of features that are not there yet, which are refused by name.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod later;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use config::{Report, Source};
use later::LATER;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples")
}

/// The files of a role, as `server/minimal.conf`.
fn files(role: &str) -> BTreeSet<String> {
    let names = fs::read_dir(folder().join(role)).unwrap().map(|file| file.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    names
        .filter(|name| name.ends_with(".conf") || name.ends_with(".json"))
        .map(|name| format!("{role}/{name}"))
        .collect()
}

fn all_files() -> BTreeSet<String> {
    files("server").into_iter().chain(files("agent")).collect()
}

/// An example, with what stands elsewhere on an operator's machine taken from beside it.
fn example(file: &str) -> Source {
    let path = folder().join(file);
    let beside = path.parent().unwrap().display().to_string();
    let text = fs::read_to_string(&path).unwrap();
    let text = text.replace("/etc/bonafide", &beside).replace("$TRUST_DOMAIN", "prod.example");
    Source::new("x", &text)
}

fn load(file: &str) -> Result<(), Report> {
    let source = example(file);
    match file.starts_with("server/") {
        true => config::server::load(&source, &config::server::Overrides::default()).map(drop),
        false => config::agent::load(&source, &config::agent::Overrides::default()).map(drop),
    }
}

#[test]
fn every_example_loads_or_is_refused_for_what_is_not_there_yet() {
    let later = |file: &str| LATER.iter().find(|(name, _)| *name == file).map(|(_, refusals)| *refusals);
    for file in all_files() {
        match (load(&file), later(&file)) {
            (Ok(()), None) => {}
            (Ok(()), Some(_)) => panic!(
                "{file} loads now: take its row out of LATER, and move it up in docs/examples/README.md"
            ),
            (Err(report), None) => panic!("{file} does not load: {report}"),
            (Err(report), Some(expected)) => {
                let said: Vec<String> = report.mistakes().iter().map(ToString::to_string).collect();
                let expected: Vec<String> = expected
                    .iter()
                    .map(|refusal| format!("x:{refusal}; remove it to go on without"))
                    .collect();
                assert_eq!(said, expected, "{file}");
            }
        }
    }
}

#[test]
fn rows_are_of_files_that_are_there() {
    let files = all_files();
    assert!(files.len() > 50, "{files:?}");
    for (file, refusals) in LATER {
        assert!(files.contains(*file) && !refusals.is_empty(), "{file}");
    }
}

#[test]
fn the_list_of_examples_names_each_under_its_heading() {
    let list = fs::read_to_string(folder().join("README.md")).unwrap();
    let (here, later) = list.split_once("## Not supported yet").unwrap();
    for file in all_files() {
        let row = format!("| [{file}]({file}) | ");
        let waits = LATER.iter().any(|(name, _)| *name == file);
        assert_eq!((here.contains(&row), later.contains(&row)), (!waits, waits), "{file}");
    }
    assert_eq!(list.matches("\n| [").count(), all_files().len());
}

#[test]
fn each_example_begins_with_what_the_list_says_of_it() {
    let list = fs::read_to_string(folder().join("README.md")).unwrap();
    for file in all_files().iter().filter(|file| file.ends_with(".conf")) {
        let text = fs::read_to_string(folder().join(file)).unwrap();
        let about: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("# ")).collect();
        assert!(list.contains(&format!("| [{file}]({file}) | {} |\n", about.join(" "))), "{file}");
    }
}
