//! `completion`: scripts for shells, and what those scripts ask.

use std::io::Write as _;
use std::process::ExitCode;

use kit::flags::{Command, Example, Flag, Offered, Shell, Values, split};

use crate::command;
use crate::start::{self, Failure};

/// The word by which a shell's script asks what may stand next.
pub(crate) const ASKED_BY_SHELLS: &str = "__complete";

const FLAGS: &[Flag] = &[Flag::choice(
    "program",
    &["bonafide", "spire-server", "spire-agent"],
    "The name that the program is called by: bonafide, spire-server or spire-agent",
)];

/// A row for each shell.
pub(crate) static COMMANDS: &[Command] = &[
    Command::new(
        "completion bash",
        "Prints the script that makes bash complete commands and flags",
        &[FLAGS],
    )
    .with(&[Example::new(
        "Complete in every new shell",
        "> ~/.local/share/bash-completion/completions/bonafide",
    )]),
    Command::new("completion zsh", "Prints the script that makes zsh complete commands and flags", &[FLAGS])
        .with(&[Example::new("Complete in every new shell", "> ~/.zfunc/_bonafide  # a folder of fpath")]),
    Command::new(
        "completion fish",
        "Prints the script that makes fish complete commands and flags",
        &[FLAGS],
    )
    .with(&[Example::new(
        "Complete in every new shell, where the program has SPIRE's name",
        "-program spire-server > ~/.config/fish/completions/spire-server.fish",
    )]),
];

/// Prints the script of the command's shell.
pub(crate) fn main(command: &Command, values: &Values) -> ExitCode {
    let named = |shell: &Shell| command.path.ends_with(shell.name());
    let script = Shell::ALL.into_iter().find(named).map(|shell| shell.script(values.text("program")));
    start::finish(print(&script.unwrap_or_default()))
}

/// Answers a shell's script: `line` with the line up to the cursor, or `words` with the word begun and those before it.
pub(crate) fn answer(role: Option<(bool, &'static str)>, asked: &[String]) -> ExitCode {
    let (before, word) = match asked {
        [kind, line] if kind == "line" => {
            let mut words = split(line);
            let word = words.pop().unwrap_or_default();
            (words.get(1..).unwrap_or_default().to_vec(), word)
        }
        [kind, word, before @ ..] if kind == "words" => (before.to_vec(), word.clone()),
        _ => return ExitCode::FAILURE,
    };
    // Whoever asked may be gone, and then nobody waits for the answer.
    let _ = print(&offered(role, &before, &word).lines());
    ExitCode::SUCCESS
}

fn offered(role: Option<(bool, &'static str)>, before: &[String], word: &str) -> Offered {
    let rest = before.get(1..).unwrap_or_default();
    match (role, before.first().map(String::as_str)) {
        (Some((true, name)), _) => command::server(name).program().complete(before, word),
        (Some((false, name)), _) => command::agent(name).program().complete(before, word),
        (None, Some("server")) => command::server("bonafide server").program().complete(rest, word),
        (None, Some("agent")) => command::agent("bonafide agent").program().complete(rest, word),
        (None, Some("load")) => load::program().complete(rest, word),
        (None, _) => command::bonafide().complete(before, word),
    }
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    Ok(out.write_all(text.as_bytes()).and_then(|()| out.flush())?)
}
