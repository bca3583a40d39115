use super::*;

const COMMON: &[Flag] = &[
    Flag::text("socketPath", "The socket").or("/tmp/s.sock"),
    Flag::switch("verbose", "Say more"),
    Flag::integer("ttl", "Seconds").or("600"),
];
static COMMANDS: &[Command] = &[
    Command::new("entry create", "Creates", &[COMMON]),
    Command::new("entry show", "Shows", &[COMMON])
        .with(&[Example::new("Show all, and say more", "-verbose")]),
    Command::new("api fetch", "Fetches", &[COMMON]),
    Command::new("api fetch jwt", "Fetches a JWT", &[]),
    Command::new("run", "Runs", &[]),
];

fn program() -> Program {
    Program { name: "tool", version: "1.2.3".to_owned(), commands: COMMANDS.iter().collect() }
}

fn read(line: &str) -> Reading {
    program().read(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
}

fn said(line: &str) -> (String, u8) {
    match read(line) {
        Reading::Say { text, code } => (text, code),
        Reading::Run(command, _) => panic!("{line} runs {}", command.path),
    }
}

fn run(line: &str) -> (&'static str, Values) {
    match read(line) {
        Reading::Run(command, values) => (command.path, values),
        Reading::Say { text, .. } => panic!("{line} says {text}"),
    }
}

const OVERVIEW: &str = "\
Usage: tool [--version] [--help] <command> [<args>]

Available commands are:
    api      fetch
    entry    create, show
    run      Runs
";

#[test]
fn the_longest_path_wins() {
    assert_eq!(run("api fetch").0, "api fetch");
    assert_eq!(run("api fetch jwt").0, "api fetch jwt");
    let (path, values) = run("api fetch bogus -verbose");
    assert_eq!(path, "api fetch");
    assert_eq!(values.rest(), ["bogus", "-verbose"]);
}

#[test]
fn flags_stand_after_the_command() {
    assert!(run("entry show -verbose").1.switch("verbose"));
    let (text, code) = said("-verbose entry show");
    assert!(text.starts_with("-verbose stands before the command; write flags after it\n"));
    assert_eq!(code, 127);
}

#[test]
fn help_lists_every_flag_by_name_and_ends_well() {
    let expected = "\
Usage of entry create:
  -socketPath string
    \tThe socket (default \"/tmp/s.sock\")
  -ttl int
    \tSeconds (default 600)
  -verbose
    \tSay more
";
    for line in ["entry create -h", "entry create --help", "entry create -ttl 5 -help"] {
        assert_eq!(said(line), (expected.to_owned(), 0));
    }
    let mistake = format!("flag provided but not defined: -bogus\n{expected}");
    assert_eq!(said("entry create -bogus"), (mistake, 1));
}

#[test]
fn help_ends_with_examples() {
    let (text, _) = said("entry show -h");
    assert!(
        text.ends_with("Say more\n\nExamples:\n  # Show all, and say more\n  tool entry show -verbose\n"),
        "{text}"
    );
}

#[test]
fn the_overview_answers_help_and_missing_commands() {
    for line in ["-h", "-help", "--help"] {
        assert_eq!(said(line), (OVERVIEW.to_owned(), 0));
    }
    assert_eq!(said(""), (OVERVIEW.to_owned(), 127));
    assert_eq!(
        said("enty"),
        (format!("there is no command \"enty\"; did you mean \"entry\"?\n\n{OVERVIEW}"), 127)
    );
}

#[test]
fn a_group_lists_its_subcommands() {
    let listing = "\
Usage: tool entry <subcommand> [<args>]

Subcommands:
    create    Creates
    show      Shows
";
    assert_eq!(said("entry"), (format!("\"entry\" needs a subcommand\n\n{listing}"), 1));
    assert_eq!(said("entry -h"), (listing.to_owned(), 0));
    assert_eq!(
        said("entry shw -x"),
        (format!("\"entry\" has no subcommand \"shw\"; did you mean \"show\"?\n\n{listing}"), 1)
    );
}

#[test]
fn the_version_is_told() {
    for line in ["-v", "-version", "--version"] {
        assert_eq!(said(line), ("1.2.3\n".to_owned(), 0));
    }
}
