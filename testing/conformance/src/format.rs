//! The format of a file of vectors: everything that is needed to judge one stands in it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One check of the standards with its vectors: one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its id, such as `ID-01`.
    pub check: String,
    /// The document and section that asks for it.
    pub source: String,
    /// What is asked for, in our words.
    pub requirement: String,
    /// Set where a vector of the other outcome has no meaning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Only>,
    /// Why there is only one outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_because: Option<String>,
    /// What must be accepted and what must be refused.
    pub vectors: Vec<Vector>,
}

/// The one outcome that a check has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Only {
    /// The check allows something and forbids nothing.
    Accepted,
    /// The check forbids something and allows nothing of its own.
    Refused,
}

/// One input and what must come of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// Its name within the check.
    pub name: String,
    /// What the input is and what is done with it: see the README beside the vectors.
    pub kind: String,
    /// Whether it must be accepted.
    pub accept: bool,
    /// The input, in the members that its kind has.
    pub input: Value,
    /// What the outcome must hold, member by member; an accepted vector may have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Value>,
    /// Why it is accepted or refused.
    pub why: String,
}

/// The input of a vector with the name of its kind.
#[derive(Debug, Clone)]
pub struct Input {
    /// The kind that judges it.
    pub kind: &'static str,
    /// Its members.
    pub members: Value,
}

impl Check {
    /// A check without vectors yet.
    pub fn new(check: &str, source: &str, requirement: &str) -> Self {
        Self {
            check: check.to_owned(),
            source: source.to_owned(),
            requirement: requirement.to_owned(),
            only: None,
            only_because: None,
            vectors: Vec::new(),
        }
    }

    /// With an input that must be accepted.
    pub fn accepts(self, name: &str, input: Input, why: &str) -> Self {
        self.with(name, true, input, None, why)
    }

    /// With an input that must be accepted with an outcome that has these members.
    pub fn yields(self, name: &str, input: Input, expect: Value, why: &str) -> Self {
        self.with(name, true, input, Some(expect), why)
    }

    /// With an input that must be refused.
    pub fn refuses(self, name: &str, input: Input, why: &str) -> Self {
        self.with(name, false, input, None, why)
    }

    /// With one outcome alone, and the reason for it.
    pub fn only(mut self, outcome: Only, because: &str) -> Self {
        self.only = Some(outcome);
        self.only_because = Some(because.to_owned());
        self
    }

    fn with(mut self, name: &str, accept: bool, input: Input, expect: Option<Value>, why: &str) -> Self {
        self.vectors.push(Vector {
            name: name.to_owned(),
            kind: input.kind.to_owned(),
            accept,
            input: input.members,
            expect,
            why: why.to_owned(),
        });
        self
    }

    /// How many vectors must be accepted, and how many refused.
    pub fn counts(&self) -> (usize, usize) {
        let accepted = self.vectors.iter().filter(|vector| vector.accept).count();
        (accepted, self.vectors.len() - accepted)
    }

    /// The file as it is written: indented, with a line end.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }
}
