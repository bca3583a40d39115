//! What can be wrong with a file, said with its place and the way out.

use std::sync::Arc;

use super::ast::Position;

/// A file that could not be read as HCL or JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{at}: {fault}")]
pub struct HclError {
    pub(super) file: Arc<str>,
    pub(super) at: Position,
    pub(super) fault: Fault,
}

impl HclError {
    /// The name the file was read under.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Where the mistake is.
    #[must_use]
    pub fn at(&self) -> Position {
        self.at
    }

    /// What the mistake is.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        &self.fault
    }
}

/// A mistake in the notation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The input is longer than the limit.
    #[error("the file is longer than {limit} bytes; split it or remove what is not needed")]
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// Objects or lists stand too deep within each other.
    #[error("blocks and lists stand more than {limit} deep within each other; flatten them")]
    TooDeep {
        /// The limit, in levels.
        limit: usize,
    },
    /// Too many keys and values.
    #[error("the file holds more than {limit} keys and values; split it or remove what is not needed")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The bytes are not UTF-8.
    #[error("the file is not UTF-8 text here; save it as UTF-8")]
    NotUtf8,
    /// A character that means nothing in this place.
    #[error("unexpected character {0:?}; remove it, or put the text in double quotes")]
    UnexpectedCharacter(char),
    /// A character that the notation does not allow anywhere.
    #[error("character U+{0:04X} is not allowed here; write it as an escape in a quoted string")]
    ForbiddenCharacter(u32),
    /// A string without its closing quote on the same line.
    #[error("this string has no closing double quote on its line; add it, or use a heredoc (<<EOF)")]
    UnclosedString,
    /// `${` without `}`.
    #[error("this string has \"${{\" without the closing \"}}\"; add it")]
    UnclosedInterpolation,
    /// A backslash followed by something unknown.
    #[error(
        "unknown or incomplete escape in a string; known are \\a \\b \\f \\n \\r \\t \\v \\\\ \\\" \\NNN \\xNN \
         \\uNNNN \\UNNNNNNNN"
    )]
    BadEscape,
    /// A JSON backslash followed by something unknown.
    #[error(
        "unknown or incomplete escape in a JSON string; known are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uNNNN"
    )]
    BadJsonEscape,
    /// Byte escapes that do not make UTF-8.
    #[error("the byte escapes in this string are not UTF-8 together; write the character itself or \\uNNNN")]
    EscapesNotUtf8,
    /// A comment without its end.
    #[error("this comment has no closing \"*/\"; add it")]
    UnclosedComment,
    /// A lone slash.
    #[error("a single \"/\" means nothing; a comment begins with \"//\", \"#\" or \"/*\"")]
    LoneSlash,
    /// A heredoc that does not begin with `<<NAME`.
    #[error("a heredoc begins with \"<<NAME\" and ends the line there; NAME is letters and digits")]
    BadHeredoc,
    /// A heredoc without its last line.
    #[error("this heredoc has no closing line {0:?}; add it on a line of its own")]
    UnclosedHeredoc(String),
    /// A number that is none.
    #[error("{0:?} is not a number; write decimal, 0x hexadecimal, 0 octal or a fraction, or quote it")]
    BadNumber(String),
    /// Something else where a key should stand.
    #[error("expected a key, found {found}; a body holds `key = value` and `key {{ … }}`")]
    ExpectedKey {
        /// What stands there.
        found: String,
    },
    /// A key without `=` or `{`.
    #[error("expected \"=\" or \"{{\" after key {key:?}, found {found}")]
    ExpectedValueMark {
        /// The key.
        key: String,
        /// What stands there.
        found: String,
    },
    /// `a "b" = …`
    #[error("labels and \"=\" do not go together; write `{key} \"label\" {{ … }}` without \"=\"")]
    LabelsWithAssignment {
        /// The first key.
        key: String,
    },
    /// Something else where a value should stand.
    #[error("expected a value, found {found}")]
    ExpectedValue {
        /// What stands there.
        found: String,
    },
    /// A bare word as a value.
    #[error("{0:?} is a bare word; put it in double quotes")]
    BareWord(String),
    /// A list without a comma between elements.
    #[error("expected \",\" or \"]\" in the list, found {found}")]
    ExpectedComma {
        /// What stands there.
        found: String,
    },
    /// A brace without its partner.
    #[error("this \"{{\" is never closed; add \"}}\"")]
    UnclosedObject,
    /// A bracket without its partner.
    #[error("this \"[\" is never closed; add \"]\"")]
    UnclosedList,
    /// JSON that breaks JSON's rules.
    #[error("expected {expected}, found {found}")]
    Json {
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
}
