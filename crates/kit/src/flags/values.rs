//! What a command line said.

use std::collections::BTreeMap;
use std::time::Duration;

/// A flag's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Bool(bool),
    Text(String),
    Integer(i64),
    Duration(Duration),
    List(Vec<String>),
}

/// The flags of a command with their values, given or default.
///
/// The accessors panic when the name or the kind is not what the command's table says: the table and its reader are
/// written together, so that is a mistake in the program, never in its input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values {
    pub(super) values: BTreeMap<&'static str, Value>,
    pub(super) given: Vec<&'static str>,
    pub(super) rest: Vec<String>,
}

impl Values {
    /// Whether the flag stood on the command line.
    pub fn given(&self, name: &str) -> bool {
        self.given.contains(&name)
    }

    /// A [`super::Kind::Bool`].
    pub fn switch(&self, name: &str) -> bool {
        match self.values.get(name) {
            Some(Value::Bool(value)) => *value,
            _ => mistaken(name, "a switch"),
        }
    }

    /// A [`super::Kind::Text`] or [`super::Kind::Choice`].
    pub fn text(&self, name: &str) -> &str {
        match self.values.get(name) {
            Some(Value::Text(value)) => value,
            _ => mistaken(name, "a text"),
        }
    }

    /// A [`super::Kind::Text`], or nothing where it is empty.
    pub fn nonempty(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// A [`super::Kind::Integer`].
    pub fn integer(&self, name: &str) -> i64 {
        match self.values.get(name) {
            Some(Value::Integer(value)) => *value,
            _ => mistaken(name, "an integer"),
        }
    }

    /// A [`super::Kind::Duration`].
    pub fn duration(&self, name: &str) -> Duration {
        match self.values.get(name) {
            Some(Value::Duration(value)) => *value,
            _ => mistaken(name, "a duration"),
        }
    }

    /// A [`super::Kind::List`].
    pub fn list(&self, name: &str) -> &[String] {
        match self.values.get(name) {
            Some(Value::List(value)) => value,
            _ => mistaken(name, "a list"),
        }
    }

    /// What stood after the flags. As in Go, flags end at the first argument that is none, and whatever follows it
    /// is no flag either.
    pub fn rest(&self) -> &[String] {
        &self.rest
    }
}

fn mistaken(name: &str, kind: &str) -> ! {
    panic!("the command's table has no flag -{name} that is {kind}")
}
