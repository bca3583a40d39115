//! What may stand next on a command line, for shells to offer.
//!
//! The scripts of [`script`](super::script) call the program back with the words so far; so what a shell offers is
//! what this very program takes.

use super::flag::{Flag, Kind, Offer};
use super::program::{Command, Program};

/// Something that may stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The whole word.
    pub word: String,
    /// What it means, in a line; may be empty.
    pub about: String,
}

/// What a shell is to offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offered {
    /// These words.
    Words(Vec<Candidate>),
    /// The names of files that begin like the word; it follows this, as in `-data=`.
    Files {
        /// The part of the word that stands before the name.
        after: String,
    },
    /// The names of folders, likewise.
    Folders {
        /// The part of the word that stands before the name.
        after: String,
    },
}

impl Offered {
    /// The lines that the shells' scripts read: the kind first, then for words a line each, with a tab before what
    /// it means; for names what stands before them.
    pub fn lines(&self) -> String {
        match self {
            Self::Words(words) => {
                let lines = words.iter().map(|one| format!("{}\t{}\n", one.word, one.about));
                std::iter::once("words\n".to_owned()).chain(lines).collect()
            }
            Self::Files { after } => format!("files\n{after}\n"),
            Self::Folders { after } => format!("folders\n{after}\n"),
        }
    }
}

impl Program {
    /// What may stand where `word` has been begun, after the words `before` it; both without the program's name.
    pub fn complete(&self, before: &[String], word: &str) -> Offered {
        let path: Vec<&str> = before.iter().map(String::as_str).take_while(|w| !w.starts_with('-')).collect();
        let flags = before.get(path.len()..).unwrap_or_default();
        let words = match self.find(&path) {
            Some((command, length)) if length == path.len() => {
                if let Some(offered) = value(command, flags, word) {
                    return offered;
                }
                let mut words = if flags.is_empty() { self.next(&path) } else { Vec::new() };
                words.extend(names(command, flags, word));
                words
            }
            // A stray word ends the flags, in Go as here: nothing of use can follow.
            Some(_) => Vec::new(),
            None if flags.is_empty() => {
                let mut words = self.next(&path);
                if path.is_empty() && word.starts_with('-') {
                    words.push(Candidate {
                        word: "-version".to_owned(),
                        about: "Prints the version".to_owned(),
                    });
                }
                if !words.is_empty() {
                    words.push(help(word));
                }
                words
            }
            None => Vec::new(),
        };
        Offered::Words(words.into_iter().filter(|one| one.word.starts_with(word)).collect())
    }

    /// The words that may follow those of a group of commands.
    fn next(&self, path: &[&str]) -> Vec<Candidate> {
        let members = self.members(&path.join(" "));
        members.into_iter().map(|(word, about)| Candidate { word: word.to_owned(), about }).collect()
    }
}

/// The value of the flag that stands before the word, or in it before an equals sign.
fn value(command: &Command, flags: &[String], word: &str) -> Option<Offered> {
    let named = |name: &str| command.flags.iter().copied().flatten().find(|flag| flag.name == name);
    if let Some((name, begun)) = word.split_once('=') {
        let flag = named(name.strip_prefix('-').map(|name| name.strip_prefix('-').unwrap_or(name))?)?;
        return Some(values(flag, begun, &format!("{name}=")));
    }
    let (waiting, _) = walk(command, flags);
    Some(values(waiting?, word, ""))
}

/// The flag that waits for its value after these words, and the flags that have stood.
fn walk<'a>(command: &Command, words: &'a [String]) -> (Option<&'static Flag>, Vec<&'a str>) {
    let named = |name: &str| command.flags.iter().copied().flatten().find(|flag| flag.name == name);
    let (mut waiting, mut stood) = (None, Vec::new());
    for word in words {
        if waiting.take().is_some() {
            continue;
        }
        let Some(name) = word.strip_prefix('-') else { continue };
        let name = name.strip_prefix('-').unwrap_or(name);
        let (name, has_value) = name.split_once('=').map_or((name, false), |(name, _)| (name, true));
        stood.push(name);
        waiting = named(name).filter(|flag| flag.kind != Kind::Bool && !has_value);
    }
    (waiting, stood)
}

fn values(flag: &Flag, begun: &str, after: &str) -> Offered {
    let words: &[&str] = match (flag.offer, flag.kind) {
        (Offer::Files, _) => return Offered::Files { after: after.to_owned() },
        (Offer::Folders, _) => return Offered::Folders { after: after.to_owned() },
        (Offer::Words(words), _) => words,
        (Offer::Nothing, Kind::Bool) => &["true", "false"],
        (Offer::Nothing, _) => &[],
    };
    let fitting = words.iter().filter(|known| !known.is_empty() && known.starts_with(begun));
    Offered::Words(
        fitting.map(|known| Candidate { word: format!("{after}{known}"), about: String::new() }).collect(),
    )
}

/// The flags that may still stand: each once, a list often.
fn names(command: &Command, flags: &[String], word: &str) -> Vec<Candidate> {
    let (_, stood) = walk(command, flags);
    let hyphens = if word.starts_with("--") { "--" } else { "-" };
    let left = command
        .sorted_flags()
        .into_iter()
        .filter(|flag| flag.kind == Kind::List || !stood.contains(&flag.name));
    let named = left.map(|flag| Candidate {
        word: format!("{hyphens}{}", flag.name),
        about: flag.help.lines().next().unwrap_or_default().to_owned(),
    });
    named.chain(std::iter::once(help(word)).filter(|_| flags.is_empty())).collect()
}

fn help(word: &str) -> Candidate {
    let hyphens = if word.starts_with("--") { "--" } else { "-" };
    Candidate { word: format!("{hyphens}help"), about: "Shows how it is used".to_owned() }
}

/// The words of a line as a POSIX shell splits it, the last one begun, empty after a space.
///
/// Quotes and backslashes are taken away; what a shell would expand stays as it is.
pub fn split(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut quote, mut begun) = (None, false);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        let Some(last) = words.last_mut() else { break };
        match (letter, quote) {
            (_, Some(open)) if letter == open => quote = None,
            ('\\', None | Some('"')) => last.extend(letters.next()),
            ('\'' | '"', None) => (quote, begun) = (Some(letter), true),
            (letter, None) if letter.is_whitespace() => {
                if begun || !last.is_empty() {
                    words.push(String::new());
                }
                begun = false;
            }
            (letter, _) => last.push(letter),
        }
    }
    words
}

#[cfg(test)]
mod tests;
