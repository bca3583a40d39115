//! Help for people: examples that work, and a suggestion for each slip.

use kit::flags::{Command, Kind, Program, Reading, split};

fn programs() -> [Program; 2] {
    let program = |name, commands| Program { name, version: String::new(), commands };
    [
        program("spire-server", crate::server_commands().collect()),
        program("spire-agent", crate::agent_commands().collect()),
    ]
}

fn commands() -> impl Iterator<Item = (Program, &'static Command)> {
    programs()
        .into_iter()
        .flat_map(|program| program.commands.clone().into_iter().map(move |c| (program.clone(), c)))
}

/// The words of a command's line, up to where a shell sends its output.
fn words(command: &Command, line: &str) -> Vec<String> {
    let line = line.split(['>', '|']).next().unwrap().trim();
    split(&format!("{} {line}", command.path)).into_iter().filter(|word| !word.is_empty()).collect()
}

#[test]
fn every_command_has_examples_and_each_is_taken_as_it_stands() {
    for (program, command) in commands() {
        assert!(
            !command.examples.is_empty(),
            "{} has no example: give it one by Command::with",
            command.path
        );
        for example in command.examples {
            match program.read(&words(command, example.line)) {
                Reading::Run(read, values) => {
                    assert_eq!(read.path, command.path);
                    assert!(values.rest().is_empty(), "{} {}", command.path, example.line);
                }
                Reading::Say { text, .. } => panic!("{} {}: {text}", command.path, example.line),
            }
            assert!(!example.does.is_empty() && !example.does.ends_with('.'), "{}", command.path);
        }
    }
}

/// The word with two letters in the middle the other way round, or its last one twice.
fn slip(word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let middle = letters.len() / 2;
    if letters.len() > 1 {
        letters.swap(middle - 1, middle);
    }
    let slip: String = letters.iter().collect();
    if slip == word { format!("{word}{}", word.chars().last().unwrap()) } else { slip }
}

fn said(program: &Program, words: &[String]) -> String {
    match program.read(words) {
        Reading::Say { text, code } => {
            assert_ne!(code, 0, "{words:?}");
            text
        }
        Reading::Run(command, _) => panic!("{words:?} runs {}", command.path),
    }
}

#[test]
fn each_slip_in_a_command_is_told_what_was_meant() {
    for (program, command) in commands() {
        let path: Vec<&str> = command.path.split(' ').collect();
        for at in 0..path.len() {
            let mut words: Vec<String> = path.iter().map(|word| (*word).to_owned()).collect();
            words[at] = slip(path[at]);
            if path.starts_with(&["api", "fetch"]) && at == 2 {
                // `api fetch` is a command too, and takes a stray word with a warning.
                continue;
            }
            if path[at] == "wit" {
                // "iwt" is as near to "jwt", which is meant more often.
                continue;
            }
            let said = said(&program, &words);
            let meant = format!("did you mean {:?}?", path[at]);
            assert!(said.lines().next().unwrap().contains(&meant), "{words:?}: {said}");
        }
    }
}

#[test]
fn each_slip_in_a_flag_is_told_what_was_meant() {
    for (program, command) in commands() {
        for flag in command.sorted_flags() {
            let mut words: Vec<String> = command.path.split(' ').map(str::to_owned).collect();
            words.push(format!("-{}", slip(flag.name)));
            let said = said(&program, &words);
            let meant = format!("(did you mean -{}?)", flag.name);
            assert!(said.lines().next().unwrap().contains(&meant), "{words:?}: {said}");
        }
    }
}

#[test]
fn each_wrong_choice_is_told_what_may_stand_there() {
    for (program, command) in commands() {
        for flag in command.sorted_flags() {
            let Kind::Choice(allowed) = flag.kind else { continue };
            let mut words: Vec<String> = command.path.split(' ').map(str::to_owned).collect();
            words.extend([format!("-{}", flag.name), "nonsense".to_owned()]);
            let said = said(&program, &words);
            let expected = format!(
                "invalid value \"nonsense\" for flag -{}: must be one of {}\n",
                flag.name,
                allowed.join(", ")
            );
            assert!(said.starts_with(&expected), "{said}{expected}");
        }
    }
}
