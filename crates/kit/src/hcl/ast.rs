//! The tree that a file is read into: items in the order they stand, each with its place.

use std::fmt;
use std::sync::Arc;

use super::number::Number;

/// A place in a file. Lines and columns count from 1; a column is a character, not a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The character within the line, from 1.
    pub column: u32,
}

impl Position {
    /// The first character of a file.
    pub const START: Self = Self { line: 1, column: 1 };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Which of the two notations a file was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// HCL's own.
    Hcl,
    /// JSON.
    Json,
}

/// A file that was read.
#[derive(Clone, Debug)]
pub struct Document {
    file: Arc<str>,
    root: Body,
    syntax: Syntax,
}

impl Document {
    pub(super) fn new(file: Arc<str>, root: Body, syntax: Syntax) -> Self {
        Self { file, root, syntax }
    }

    /// The name the file was read under.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// What stands at the top of the file.
    #[must_use]
    pub fn root(&self) -> &Body {
        &self.root
    }

    /// The notation the file was written in.
    #[must_use]
    pub fn syntax(&self) -> Syntax {
        self.syntax
    }
}

/// The inside of a file or of a pair of braces.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// The items, in the order they stand.
    pub items: Vec<Item>,
    /// Where the body begins.
    pub at: Position,
}

/// `key = value`, or a block: `key "label" "label" { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The key and, for a block, its labels. Never empty.
    pub keys: Vec<Key>,
    /// The value; of a block, the object in braces.
    pub value: Node,
    /// Whether an equals sign (in JSON a colon) stands before the value.
    pub assigned: bool,
}

/// A key or a label.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The name, without quotes.
    pub name: String,
    /// Whether the name stood in quotes.
    pub quoted: bool,
    /// Where it stands.
    pub at: Position,
}

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it begins.
    pub at: Position,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A number, as written.
    Number(Number),
    /// A quoted string or a heredoc.
    Text(String),
    /// `[ … ]`
    List(Vec<Node>),
    /// `{ … }`
    Object(Body),
    /// JSON's `null`, which stands for an empty string.
    Null,
}

impl Value {
    /// The kind of value in words, for messages: "a number".
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "a block",
            Self::Null => "null",
        }
    }
}
