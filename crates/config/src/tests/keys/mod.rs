//! Every key in each wrong variant: of another type, misspelt, twice, out of its range. What is said has the file, the
//! line and column, what is wrong and what to do.

mod row;
mod table;
mod template;

use std::collections::BTreeSet;

use row::{Kind, Row};
use table::{AGENT, SERVER};
use template::Template;

use super::super::block::asked;
use super::{agent, lines, server};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Server,
    Agent,
}

use Role::{Agent, Server};

fn rows() -> impl Iterator<Item = (Role, &'static Row)> {
    SERVER.iter().map(|row| (Server, row)).chain(AGENT.iter().map(|row| (Agent, row)))
}

/// What is said of a file: its mistakes and warnings, each a line without the file's name.
fn said(role: Role, text: &str) -> String {
    let warnings = match role {
        Server => server(text).map(|settings| settings.warnings),
        Agent => agent(text).map(|settings| settings.warnings),
    };
    let all = warnings.map_or_else(
        |report| format!("{}{}", lines(report.mistakes()), lines(report.warnings())),
        |warnings| lines(&warnings),
    );
    all.lines()
        .map(|line| format!("{}\n", line.split_once(".conf:").map_or(line, |(_, rest)| rest)))
        .collect()
}

/// What is said of a template with more in it, beyond what is said of it as it stands.
fn said_of(role: Role, template: &Template, more: &str) -> String {
    let plain = said(role, &template.text(""));
    let all = said(role, &template.text(more));
    all.lines()
        .filter(|line| !plain.lines().any(|known| known == *line))
        .fold(String::new(), |text, line| text + line + "\n")
}

fn template(role: Role, row: &Row) -> Template {
    Template::of(role == Server, row.section)
}

/// The template for values that may stand there.
fn own_template(role: Role, row: &Row) -> Template {
    Template::of(role == Server, row.template.unwrap_or(row.section))
}

/// Whether SPIRE lets unknown keys of a section pass: in some blocks, and in and around the settings of plugins.
fn lenient(section: &str) -> bool {
    ["server.experimental", "agent.experimental", "agent.sds", "server.federation", "telemetry"]
        .contains(&section)
        || section.contains('"')
}

/// The key as messages call it that name its section.
fn qualified(row: &Row) -> String {
    match row.section.contains('.') || row.section.contains(' ') && row.section != "the top of the file" {
        true if row.section.contains('.') => format!("{}.{}", row.section, row.key),
        _ => row.key.to_owned(),
    }
}

/// What did not hold, all of it at once.
#[derive(Default)]
struct Failures(Vec<String>);

impl Failures {
    fn unless(&mut self, holds: bool, row: &Row, said: &str, expected: &str) {
        if !holds {
            self.0.push(format!("{}: {}\n  said: {said}\n  not: {expected}", row.section, row.key));
        }
    }
}

impl Drop for Failures {
    fn drop(&mut self) {
        assert!(self.0.is_empty() || std::thread::panicking(), "\n{}", self.0.join("\n"));
    }
}

#[test]
fn a_good_value_is_taken() {
    let mut failures = Failures::default();
    for (role, row) in rows() {
        let template = own_template(role, row);
        let at = template.line();
        let expected = match (row.kind, row.idle) {
            (Kind::Later(would), _) => {
                format!(
                    "{at}:1: {} is not supported yet: it would {would}; remove it to go on without\n",
                    qualified(row)
                )
            }
            (Kind::Windows(instead), _) => {
                format!("{at}:1: {} is for Windows; use {instead} here\n", qualified(row))
            }
            (Kind::NoMeaning(with), _) => format!("{at}:1: {} has no meaning {with}; remove it\n", row.key),
            (_, Some(why)) => format!("{} has no effect: {why}\n", qualified(row)),
            _ => String::new(),
        };
        let said = said_of(role, &template, &format!("{} {}", row.key, row.good));
        // The template has what must be there already, some keys are worth a remark, and a block may need something.
        let remarks = [
            "is set more than once",
            "insecure_bootstrap is set",
            "ca_subject is empty",
            "must be configured",
        ];
        let said: Vec<&str> =
            said.lines().filter(|line| !remarks.iter().any(|remark| line.contains(remark))).collect();
        let said = said.iter().map(|line| format!("{line}\n")).collect::<String>();
        let fits = if expected.is_empty() { said.is_empty() } else { said.ends_with(&expected) };
        failures.unless(fits, row, &said, &expected);
    }
}

#[test]
fn a_value_of_another_type_is_refused_with_the_type_that_is_wanted() {
    let mut failures = Failures::default();
    for (role, row) in rows() {
        let (value, what) = match row.kind {
            Kind::Text | Kind::Duration => ("[1]", "must be a string in double quotes, not a list"),
            Kind::Switch => ("\"maybe\"", "must be true or false, without quotes, not a string"),
            Kind::Fraction => ("[1]", "must be a number, not a list"),
            Kind::Number => ("\"some\"", "must be a whole number, not a string"),
            Kind::Texts => ("\"one\"", "must be a list of strings, as in [\"a\", \"b\"], not a string"),
            Kind::Section | Kind::Plugins => ("1", "must be a block, as in `key { … }`, not a number"),
            Kind::Later(_) | Kind::Windows(_) | Kind::NoMeaning(_) => continue,
        };
        let template = template(role, row);
        let said = said_of(role, &template, &format!("{} = {value}", row.key));
        let expected = format!("{}:{}: {} {what}\n", template.line(), row.key.len() + 4, row.key);
        failures.unless(said.contains(&expected), row, &said, &expected);
    }
}

#[test]
fn a_value_out_of_range_or_unknown_is_refused_with_what_may_stand_there() {
    let mut failures = Failures::default();
    for (role, row) in rows() {
        let template = own_template(role, row);
        for (value, what) in row.bad {
            let said = said_of(role, &template, &format!("{} {value}", row.key));
            let column =
                if what.starts_with("must be a list of strings, not") { 5 } else { 4 } + row.key.len();
            let expected = format!("{}:{column}: {} {what}\n", template.line(), row.key);
            failures.unless(said.contains(&expected), row, &said, &expected);
        }
        if row.kind == Kind::Duration {
            for (value, why) in [
                ("5", "the unit is missing"),
                ("soon", "not a duration"),
                ("1d", "the unit is unknown; units are h, m, s, ms, us, ns (a day is \"24h\")"),
                ("-5s", "a duration may not be negative here"),
            ] {
                let said = said_of(role, &template, &format!("{} = \"{value}\"", row.key));
                let expected =
                    format!("{}:{}: {} {value:?}: {why}", template.line(), row.key.len() + 4, row.key);
                failures.unless(said.contains(&expected), row, &said, &expected);
            }
        }
        if row.kind == Kind::Texts {
            let said = said_of(role, &template, &format!("{} = [true]", row.key));
            let what = "must be a list of strings, not a boolean";
            let expected = format!("{}:{}: {} {what}\n", template.line(), row.key.len() + 5, row.key);
            failures.unless(said.contains(&expected), row, &said, &expected);
        }
    }
}

#[test]
fn a_misspelt_key_is_told_with_the_key_that_was_meant() {
    let mut failures = Failures::default();
    for (role, row) in rows() {
        // Two letters in the middle change places, or the last one is missing where they are the same.
        let mut letters: Vec<char> = row.key.chars().collect();
        let middle = letters.len() / 2;
        letters.swap(middle - 1, middle);
        let slip: String = letters.into_iter().collect();
        let slip = match row.key.len() {
            0..4 => format!("{}x", row.key),
            _ if slip == row.key => row.key[..row.key.len() - 1].to_owned(),
            _ => slip,
        };
        let template = template(role, row);
        let said = said_of(role, &template, &format!("{slip} {}", row.good));
        let (at, section, key) = (template.line(), row.section, row.key);
        let expected = match lenient(section) {
            true => {
                format!("{at}:1: unknown key {slip:?} in {section} (did you mean {key:?}?). It is ignored.\n")
            }
            false => format!("{at}:1: unknown key {slip:?} in {section}; did you mean {key:?}?\n"),
        };
        failures.unless(said.contains(&expected), row, &said, &expected);
    }
}

#[test]
fn a_key_that_stands_twice_is_told_of_and_the_last_one_counts() {
    let mut failures = Failures::default();
    for (role, row) in rows() {
        if matches!(row.kind, Kind::Texts | Kind::Section | Kind::Plugins) || row.key == "federates_with" {
            // Lists are joined and blocks are merged.
            continue;
        }
        let template = own_template(role, row);
        let line = format!("{} {}", row.key, row.good);
        let said = said_of(role, &template, &format!("{line}\n{line}"));
        let second = template.line() + 1;
        let expected = format!("{second}:1: {} is set more than once; the last one counts\n", row.key);
        match row.kind {
            Kind::Later(_) | Kind::Windows(_) | Kind::NoMeaning(_) => {
                failures.unless(said.lines().count() >= 2, row, &said, "two lines")
            }
            _ => failures.unless(said.contains(&expected), row, &said, &expected),
        }
    }
}

#[test]
fn keys_are_known_in_any_case() {
    for (role, row) in rows().filter(|(_, row)| row.kind == Kind::Switch) {
        let line = format!("{} {}", row.key.to_uppercase(), row.good);
        let said = said_of(role, &own_template(role, row), &line);
        assert!(!said.contains("unknown key"), "{said}");
    }
}

#[test]
fn the_table_has_every_key_that_is_read_and_no_other() {
    for (role, rows) in [(Server, SERVER), (Agent, AGENT)] {
        let before = asked::keys();
        assert!(before.is_empty() || role == Agent, "each test has a thread of its own");
        let files = rows
            .iter()
            .map(|row| Template::of(role == Server, row.section).text(""))
            .collect::<BTreeSet<_>>();
        files.iter().for_each(|text| drop(said(role, text)));
    }
    let read: BTreeSet<(String, &str)> = asked::keys();
    let known: BTreeSet<(String, &str)> = rows().map(|(_, row)| (row.section.to_owned(), row.key)).collect();
    let plugin =
        |(section, _): &&(String, &str)| section.ends_with('"') && section != "NodeAttestor \"join_token\"";
    let missing: Vec<_> = read.difference(&known).filter(|row| !plugin(row)).collect();
    assert!(missing.is_empty(), "give each of these a row in table.rs: {missing:?}");
    let gone: Vec<_> = known.difference(&read).collect();
    assert!(gone.is_empty(), "nobody reads these: {gone:?}");
}

#[test]
fn every_block_has_rows_for_its_own_keys() {
    // The first depends on the plugin, the second has none.
    let others = ["plugin_data", "InMem"];
    for (role, row) in rows().filter(|(_, row)| row.kind == Kind::Section && !others.contains(&row.key)) {
        let inner = match row.section {
            "the top of the file" => row.key.to_owned(),
            outer => format!("{outer}.{}", row.key),
        };
        // The same block at the top of both files has its rows with the server.
        let found = rows().any(|(of, other)| other.section == inner && (of == role || of == Server));
        assert!(found, "{inner} has no rows");
    }
}
