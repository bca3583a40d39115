//! A manual page from a program's table, in mdoc(7).

use std::fmt::Write as _;

use super::flag::{Flag, Kind};
use super::program::{Command, Program};

/// The longest line of running text, in bytes.
const WIDEST: usize = 78;

/// What a manual page says beside the commands.
#[derive(Clone, Copy, Debug)]
pub struct Manual<'a> {
    /// The program with its commands.
    pub program: &'a Program,
    /// What the program is, in a few words that begin small and end without a full stop.
    pub about: &'a str,
    /// What to know of it, a paragraph each.
    pub description: &'a [&'a str],
    /// Variables of the environment, each with what it does.
    pub environment: &'a [(&'a str, &'a str)],
    /// Files, each with what it holds.
    pub files: &'a [(&'a str, &'a str)],
    /// Other pages of section 1.
    pub see_also: &'a [&'a str],
    /// The day that the page is of, as in `November 25, 2026`.
    pub date: &'a str,
}

impl Manual<'_> {
    /// The page's name: that of the program, with hyphens for spaces.
    #[must_use]
    pub fn name(&self) -> String {
        self.program.name.replace(' ', "-")
    }

    /// The page.
    #[must_use]
    pub fn page(&self) -> String {
        let mut page = Page::default();
        let name = self.name();
        page.line(&format!(".Dd {}", self.date));
        page.line(&format!(".Dt {} 1", name.to_uppercase()));
        page.line(".Os");
        page.line(".Sh NAME");
        page.line(&format!(".Nm {name}"));
        page.line(&format!(".Nd {}", argument(self.about)));
        page.line(".Sh SYNOPSIS");
        page.line(&format!(".Nm {}", self.program.name));
        page.line(".Ar command");
        page.line(".Op Ar flags");
        page.line(".Sh DESCRIPTION");
        for (at, paragraph) in self.description.iter().enumerate() {
            if at > 0 {
                page.line(".Pp");
            }
            page.text(paragraph);
        }
        self.commands(&mut page);
        self.definitions(&mut page, "ENVIRONMENT", "Ev", self.environment);
        self.definitions(&mut page, "FILES", "Pa", self.files);
        page.line(".Sh EXIT STATUS");
        page.text("0 on success, 1 for a mistake or a refusal, 127 for a command that does not exist.");
        if !self.see_also.is_empty() {
            page.line(".Sh SEE ALSO");
            for (at, other) in self.see_also.iter().enumerate() {
                let comma = if at + 1 < self.see_also.len() { " ," } else { "" };
                page.line(&format!(".Xr {other} 1{comma}"));
            }
        }
        page.0
    }

    fn commands(&self, page: &mut Page) {
        page.line(".Sh COMMANDS");
        page.text("A flag is written with one hyphen or two, its value after a space or an equals sign. A switch takes its value after an equals sign alone.");
        let mut commands = self.program.commands.clone();
        commands.sort_by_key(|command| command.path);
        for command in commands {
            page.command(self.program.name, command);
        }
    }

    fn definitions(&self, page: &mut Page, title: &str, kind: &str, rows: &[(&str, &str)]) {
        if rows.is_empty() {
            return;
        }
        page.line(&format!(".Sh {title}"));
        page.line(".Bl -tag -width Ds");
        for (term, meaning) in rows {
            page.line(&format!(".It {kind} {}", argument(term)));
            page.text(meaning);
        }
        page.line(".El");
    }
}

/// Lines of mdoc.
#[derive(Default)]
struct Page(String);

impl Page {
    /// A line as it is.
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// Running text, a line for each sentence, with a full stop at the end.
    fn text(&mut self, text: &str) {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let stop = if text.ends_with(['.', '!', '?', ':']) { "" } else { "." };
        for sentence in format!("{text}{stop}").replace(". ", ".\n").lines() {
            self.sentence(sentence);
        }
    }

    /// A sentence, in lines of at most 80 bytes where its words allow it.
    fn sentence(&mut self, sentence: &str) {
        let mut line = String::new();
        for word in sentence.split(' ').map(escaped) {
            if !line.is_empty() && line.len() + word.len() >= WIDEST {
                self.plain(&std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
        self.plain(&line);
    }

    /// A line that is no request, even if it begins like one.
    fn plain(&mut self, line: &str) {
        let guard = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
        self.line(&format!("{guard}{line}"));
    }

    fn command(&mut self, program: &str, command: &Command) {
        self.line(&format!(".Ss {}", argument(command.path)));
        self.text(command.summary);
        let flags = command.sorted_flags();
        if !flags.is_empty() {
            self.line(".Bl -tag -width Ds");
            flags.iter().for_each(|flag| self.flag(flag));
            self.line(".El");
        }
        for example in command.examples {
            self.line(".Pp");
            self.text(&format!("{}:", example.does.trim_end_matches('.')));
            self.line(".Bd -literal -offset indent");
            let line = format!("{program} {} {}", command.path, example.line);
            self.line(&escaped(line.trim_end()));
            self.line(".Ed");
        }
    }

    fn flag(&mut self, flag: &Flag) {
        let value = match flag.kind {
            Kind::Bool => String::new(),
            Kind::Text | Kind::List => " Ar text".to_owned(),
            Kind::Integer => " Ar number".to_owned(),
            Kind::Duration => " Ar duration".to_owned(),
            Kind::Choice(words) => {
                format!(
                    " Ar {}",
                    words.iter().filter(|word| !word.is_empty()).copied().collect::<Vec<_>>().join("|")
                )
            }
        };
        self.line(&format!(".It Fl {}{value}", flag.name));
        self.text(flag.help);
        if !matches!((flag.kind, flag.default), (_, "") | (Kind::Bool, "false")) {
            let mut line = String::new();
            // Writing to a String cannot fail.
            let _ = write!(line, "The default is {}", flag.default);
            self.text(&line);
        }
    }
}

/// Text whose every letter stands for itself.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

/// One argument of a macro.
fn argument(text: &str) -> String {
    escaped(text).replace('"', "\\(dq")
}

#[cfg(test)]
mod tests;
