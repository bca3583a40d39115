//! One flag: a row of a command's table.

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing, or `=true` or `=false`.
    Bool,
    /// A text.
    Text,
    /// A whole number; `0x`, `0o` and `0b` and underscores are understood, as in Go.
    Integer,
    /// A duration in Go's notation.
    Duration,
    /// A text; the flag may stand several times.
    List,
    /// One of these words, in any case. An empty text means the default.
    Choice(&'static [&'static str]),
}

/// What a shell may offer for a flag's value, beyond the words of a [`Kind::Choice`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Nothing.
    Nothing,
    /// The names of files.
    Files,
    /// The names of folders.
    Folders,
    /// Words that are likely; others may be right too.
    Words(&'static [&'static str]),
}

/// A flag of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The name, without its hyphen.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What holds where the flag is absent, written as it would be given; empty for nothing, 0 and false.
    pub default: &'static str,
    /// What it is for.
    pub help: &'static str,
    /// What a shell may offer for its value.
    pub offer: Offer,
}

impl Flag {
    /// A flag that is there or not.
    pub const fn switch(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Bool, default: "", help, offer: Offer::Nothing }
    }

    /// A flag with a text, empty where it is absent.
    pub const fn text(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Text, default: "", help, offer: Offer::Nothing }
    }

    /// A flag with the path of a file, empty where it is absent.
    pub const fn file(name: &'static str, help: &'static str) -> Self {
        Self { offer: Offer::Files, ..Self::text(name, help) }
    }

    /// A flag with the path of a folder, empty where it is absent.
    pub const fn folder(name: &'static str, help: &'static str) -> Self {
        Self { offer: Offer::Folders, ..Self::text(name, help) }
    }

    /// A flag with a whole number, 0 where it is absent.
    pub const fn integer(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Integer, default: "", help, offer: Offer::Nothing }
    }

    /// A flag with a duration, none where it is absent.
    pub const fn duration(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Duration, default: "", help, offer: Offer::Nothing }
    }

    /// A flag with a text that may stand several times.
    pub const fn list(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::List, default: "", help, offer: Offer::Nothing }
    }

    /// A flag with one of several words, the first of which is the default.
    pub const fn choice(name: &'static str, words: &'static [&'static str], help: &'static str) -> Self {
        let default = match words {
            [first, ..] => first,
            [] => "",
        };
        Self { name, kind: Kind::Choice(words), default, help, offer: Offer::Words(words) }
    }

    /// The same flag with words that a shell may offer.
    pub const fn offering(self, words: &'static [&'static str]) -> Self {
        Self { offer: Offer::Words(words), ..self }
    }

    /// The same flag with a default.
    pub const fn or(self, default: &'static str) -> Self {
        Self { default, ..self }
    }
}
