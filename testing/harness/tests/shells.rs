//! Completion in real shells, and manual pages under the programs that people read them with.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use harness::{Missing, Process, Ran, eventually, skip};

const SOON: Duration = Duration::from_secs(20);

fn installed(tool: &str) -> Result<(), Missing> {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(tool).is_file()));
    let missing = || Missing::Tool(format!("{tool} is not installed; scripts/install-test-tools does that"));
    found.then_some(()).ok_or_else(missing)
}

/// The search path with the program under test at its front, under the name `bonafide`.
fn search_path() -> String {
    let folder = Process::bonafide().parent().unwrap().display().to_string();
    format!("{folder}:{}", std::env::var("PATH").unwrap_or_default())
}

/// A folder with a configuration file that is valid, whose name no other file's begins like.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = "server { trust_domain = \"example.org\" data_dir = \"data\" }\n\
                plugins {\n  DataStore \"sql\" { plugin_data { database_type = \"sqlite3\" connection_string = \"db\" } }\n  \
                KeyManager \"disk\" { plugin_data { keys_path = \"keys.json\" } }\n}\n";
    fs::write(folder.path().join("server.conf"), text).unwrap();
    folder
}

/// A shell on a terminal of its own.
struct Typed {
    shell: Child,
    keys: ChildStdin,
    screen: PathBuf,
}

impl Typed {
    fn start(shell: &str, folder: &Path) -> Self {
        let screen = folder.join(".screen");
        let mut shell = Command::new("script")
            .args(["-q", "-c", shell, "/dev/null"])
            .current_dir(folder)
            .env("PATH", search_path())
            .env("HOME", folder)
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(File::create(&screen).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let keys = shell.stdin.take().unwrap();
        Self { shell, keys, screen }
    }

    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until the text stands on the screen.
    fn shows(&self, text: &str) {
        let seen = || String::from_utf8_lossy(&fs::read(&self.screen).unwrap_or_default()).into_owned();
        let what = format!("{text:?} on the screen");
        let found =
            std::panic::catch_unwind(|| eventually(&what, SOON, || seen().contains(text).then_some(())));
        assert!(found.is_ok(), "there is only:\n{}", seen());
    }
}

impl Drop for Typed {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

/// Types the beginnings of words, has the shell complete each, and runs what came of it.
fn completes(mut shell: Typed, prepare: &str) {
    // The text is put together by the shell, so that it is no echo of what was typed.
    shell.types(&format!("{prepare}; echo now-'ready'\r"));
    shell.shows("now-ready");
    shell.types("bonafide ser\tval\t-conf\tserv\t-logFo\tj\t\r");
    shell.shows("SPIRE server configuration file is valid.");
    shell.types("bonafide server entry show -output=j\t -entryI\tx -instance i\r");
    shell.shows("-instance needs a template");
    shell.types("bonafide server validate -config=serv\t -trustD\tother.example && echo went-'on'\r");
    shell.shows("went-on");
}

#[test]
fn bash_completes_commands_flags_values_and_files() {
    if let Err(missing) = installed("bash").and(installed("script")) {
        return skip("completion in bash", &missing);
    }
    let folder = folder();
    let shell = Typed::start("bash --norc --noprofile -i", folder.path());
    completes(shell, "source <(bonafide completion bash)");
}

#[test]
fn zsh_completes_commands_flags_values_and_files() {
    if let Err(missing) = installed("zsh").and(installed("script")) {
        return skip("completion in zsh", &missing);
    }
    let folder = folder();
    let shell = Typed::start("zsh -f -i", folder.path());
    completes(shell, "autoload -U compinit && compinit -u && source <(bonafide completion zsh)");
}

#[test]
fn zsh_finds_the_script_in_a_folder_of_its_own() {
    if let Err(missing) = installed("zsh").and(installed("script")) {
        return skip("completion in zsh by fpath", &missing);
    }
    let folder = folder();
    let script = Ran::run(Command::new(Process::bonafide()).args(["completion", "zsh"])).succeeds().stdout;
    fs::create_dir(folder.path().join("functions")).unwrap();
    fs::write(folder.path().join("functions/_bonafide"), script).unwrap();
    let shell = Typed::start("zsh -f -i", folder.path());
    completes(shell, "fpath=($PWD/functions $fpath) && autoload -U compinit && compinit -u");
}

/// What fish offers at the end of a line.
fn fish_offers(folder: &Path, program: &str, line: &str) -> String {
    let script = format!("bonafide completion fish -program {program} | source; complete -C \"$argv[1]\"");
    let mut fish = Command::new("fish");
    fish.args(["--no-config", "-c", &script, line]).current_dir(folder);
    fish.env("PATH", format!("{}:{}", folder.display(), search_path())).env("HOME", folder);
    Ran::run(&mut fish).succeeds().stdout
}

#[test]
fn fish_completes_commands_flags_values_and_files() {
    if let Err(missing) = installed("fish") {
        return skip("completion in fish", &missing);
    }
    let folder = folder();
    let offers = |line| fish_offers(folder.path(), "bonafide", line);
    assert!(offers("bonafide ser").starts_with("server\tRuns a server"));
    assert!(offers("bonafide server entry ").contains("\ncreate\tCreates registration entries\n"));
    assert_eq!(offers("bonafide server entry show -entryI"), "-entryID\tThe ID of the entry to show\n");
    assert_eq!(offers("bonafide server entry show -output j"), "json\n");
    assert_eq!(offers("bonafide server entry show -output=j"), "-output=json\n");
    assert!(offers("bonafide server validate -config serv").starts_with("server.conf"));
    assert!(offers("bonafide server validate -config=serv").starts_with("-config=server.conf"));
}

#[test]
fn the_program_completes_under_spires_names_too() {
    if let Err(missing) = installed("fish") {
        return skip("completion of spire-server", &missing);
    }
    let folder = folder();
    for (name, begun, whole) in [("spire-server", "tok", "token"), ("spire-agent", "ap", "api")] {
        std::os::unix::fs::symlink(Process::bonafide(), folder.path().join(name)).unwrap();
        let offered = fish_offers(folder.path(), name, &format!("{name} {begun}"));
        assert!(offered.starts_with(whole), "{offered}");
    }
}

/// All pages, in a folder.
fn pages() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    Ran::run(Command::new(Process::bonafide()).args(["man", "-dir"]).arg(folder.path())).succeeds();
    folder
}

const PAGES: [&str; 4] = ["bonafide", "bonafide-agent", "bonafide-load", "bonafide-server"];

#[test]
fn manual_pages_have_nothing_that_mandoc_complains_of() {
    if let Err(missing) = installed("mandoc") {
        return skip("manual pages under mandoc", &missing);
    }
    let folder = pages();
    for page in PAGES {
        let path = folder.path().join(format!("{page}.1"));
        let linted = Ran::run(Command::new("mandoc").args(["-T", "lint", "-W", "style"]).arg(path));
        // Pages that are not installed are not found; what they are is checked here.
        let known = |line: &str| {
            PAGES.iter().any(|page| line.ends_with(&format!("referenced manual not found: Xr {page} 1")))
        };
        let said: Vec<&str> = linted.stdout.lines().filter(|line| !known(line)).collect();
        assert!(said.is_empty(), "{said:#?}");
    }
}

#[test]
fn man_shows_every_command_with_its_flags() {
    if let Err(missing) = installed("man") {
        return skip("manual pages under man", &missing);
    }
    let folder = pages();
    let shown = |page: &str| {
        let path = folder.path().join(format!("{page}.1"));
        let mut man = Command::new("man");
        man.args(["--warnings", "-E", "UTF-8", "-l"]).arg(path).env("MANWIDTH", "100").env("MANPAGER", "cat");
        let ran = Ran::run(&mut man).succeeds();
        assert_eq!(ran.stderr, "", "{page}");
        ran.stdout
    };
    let server = shown("bonafide-server");
    for text in
        ["   entry create\n", "-spiffeID text", "-output pretty|json", "SPIRE_SERVER_PRIVATE_SOCKET\n"]
    {
        assert!(server.contains(text), "{text}\n{server}");
    }
    assert!(shown("bonafide-agent").contains("   api fetch x509\n"));
    assert!(shown("bonafide-load").contains("   bench\n"));
    assert!(shown("bonafide").contains("   completion zsh\n"));
}

#[test]
fn pages_are_dated_by_the_build_that_makes_them() {
    let mut man = Command::new(Process::bonafide());
    man.args(["man", "-page", "bonafide-agent"]).env("SOURCE_DATE_EPOCH", "1000000000");
    assert!(
        Ran::run(&mut man).succeeds().stdout.starts_with(".Dd September 9, 2001\n.Dt BONAFIDE-AGENT 1\n")
    );
}
