//! A command that has ended.

use std::process::{Command, Output};

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Ran {
    /// The command line, for messages.
    pub command: String,
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// Runs the command to its end.
    ///
    /// # Panics
    /// When the program cannot be started.
    #[must_use]
    pub fn run(command: &mut Command) -> Self {
        let line = format!("{command:?}");
        let output = command.output().unwrap_or_else(|cause| panic!("cannot start {line}: {cause}"));
        Self::of(line, &output)
    }

    pub(crate) fn of(command: String, output: &Output) -> Self {
        Self {
            command,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// True when the exit code is 0.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.code == Some(0)
    }

    /// The value itself, for a command that must succeed.
    ///
    /// # Panics
    /// With all that was printed, when the exit code is not 0.
    pub fn succeeds(self) -> Self {
        assert!(self.ok(), "{self}");
        self
    }

    /// The value itself, for a command that must fail with an exit code.
    ///
    /// # Panics
    /// With all that was printed, when the exit code is 0 or a signal ended it.
    pub fn fails(self) -> Self {
        assert!(self.code.is_some_and(|code| code != 0), "should have failed: {self}");
        self
    }

    /// Standard output, one JSON value a line; lines that are none are left out.
    #[must_use]
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        self.stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// All of standard output as one JSON value.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|cause| panic!("no JSON ({cause}): {self}"))
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} ended with {:?}", self.command, self.code)?;
        write!(f, "standard output:\n{}standard error:\n{}", self.stdout, self.stderr)
    }
}
