//! Reads the keys of a section by name and kind, and notices the keys that nobody asked for.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use kit::hcl::{Field, Node, Position, Section, Value};

use super::given::Given;
use super::problem::{Notice, Problem};
use super::report::{Ledger, Place};

/// What becomes of an unknown key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// A mistake.
    Refuse,
    /// A warning, where SPIRE lets it pass.
    Warn,
}

/// A section that is being read.
pub(crate) struct Block<'a> {
    ledger: &'a Ledger,
    file: Arc<str>,
    /// The section in words: `server.experimental`, or what to call the top of the file.
    path: String,
    /// Whether the section stands in the file at all.
    present: bool,
    section: Section<'a>,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Block<'a> {
    pub(crate) fn new(ledger: &'a Ledger, file: Arc<str>, path: &str, section: Section<'a>) -> Self {
        Self { ledger, file, path: path.to_owned(), present: true, section, known: RefCell::default() }
    }

    pub(crate) fn ledger(&self) -> &'a Ledger {
        self.ledger
    }

    pub(crate) fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// Where the section begins.
    pub(crate) fn place(&self) -> Place {
        self.at(self.section.at())
    }

    fn at(&self, at: Position) -> Place {
        Place::At { file: Arc::clone(&self.file), at }
    }

    fn key_place(&self, field: &Field<'_>) -> Place {
        self.at(field.key().at)
    }

    /// A place in this file that is no place: for what is not there.
    pub(crate) fn nowhere(&self) -> Place {
        Place::Missing { file: Arc::clone(&self.file) }
    }

    pub(crate) fn mistake(&self, place: Place, problem: Problem) {
        self.ledger.mistake(place, problem);
    }

    pub(crate) fn warn(&self, place: Place, notice: Notice) {
        self.ledger.warn(place, notice);
    }

    pub(crate) fn required(&self, key: &str, why: &'static str) {
        let problem = Problem::Required { key: key.to_owned(), why };
        let place = if self.present && self.path != TOP { self.place() } else { self.nowhere() };
        self.mistake(place, problem);
    }

    /// Every field of this name; from now on the name is known.
    pub(crate) fn fields(&self, name: &'static str) -> Vec<Field<'a>> {
        self.known.borrow_mut().push(name);
        self.section.named(name).collect()
    }

    /// Every field of the section; from now on all of them are known.
    pub(crate) fn all_fields(&self) -> &[Field<'a>] {
        self.section.fields()
    }

    /// The value of a key that may stand once. The last one counts, as in SPIRE.
    fn value(&self, name: &'static str) -> Option<(Place, &'a Value)> {
        let fields = self.fields(name);
        let last = fields.last()?;
        if fields.len() > 1 {
            self.warn(self.key_place(last), Notice::Repeated(name.to_owned()));
        }
        match last.node() {
            Some(Node { value, at }) => Some((self.at(*at), value)),
            None => {
                let problem =
                    Problem::WrongKind { key: name.to_owned(), wanted: "a value", found: last.kind() };
                self.mistake(self.at(last.at()), problem);
                None
            }
        }
    }

    fn wrong_kind<T>(&self, place: Place, key: &str, wanted: &'static str, value: &Value) -> Option<T> {
        self.mistake(place, Problem::WrongKind { key: key.to_owned(), wanted, found: value.kind() });
        None
    }

    /// A string, or a whole number that is taken as one. The empty string is as good as none.
    pub(crate) fn text(&self, name: &'static str) -> Option<Given<String>> {
        self.text_or_empty(name).filter(|given| !given.value.is_empty())
    }

    /// As [`text`](Self::text), but an empty string is told from none.
    pub(crate) fn text_or_empty(&self, name: &'static str) -> Option<Given<String>> {
        let (place, value) = self.value(name)?;
        match as_text(value) {
            Some(value) => Some(Given { value, place }),
            None => self.wrong_kind(place, name, "a string in double quotes", value),
        }
    }

    /// `true` or `false`.
    pub(crate) fn switch(&self, name: &'static str) -> Option<Given<bool>> {
        let (place, value) = self.value(name)?;
        match value {
            Value::Bool(value) => Some(Given { value: *value, place }),
            other => self.wrong_kind(place, name, "true or false, without quotes", other),
        }
    }

    /// A whole number, also in quotes.
    pub(crate) fn number(&self, name: &'static str) -> Option<Given<i64>> {
        let (place, value) = self.value(name)?;
        let number = match value {
            Value::Number(number) => number.as_i64(),
            Value::Text(text) => kit::hcl::Number::parse(text).and_then(|number| number.as_i64()),
            _ => None,
        };
        match number {
            Some(value) => Some(Given { value, place }),
            None => self.wrong_kind(place, name, "a whole number", value),
        }
    }

    /// A number with or without a fraction, also in quotes.
    pub(crate) fn fraction(&self, name: &'static str) -> Option<Given<f64>> {
        let (place, value) = self.value(name)?;
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::Text(text) => kit::hcl::Number::parse(text).and_then(|number| number.as_f64()),
            _ => None,
        };
        match number {
            Some(value) => Some(Given { value, place }),
            None => self.wrong_kind(place, name, "a number", value),
        }
    }

    /// A list of strings. Lists under a repeated key are joined.
    pub(crate) fn texts(&self, name: &'static str) -> Vec<Given<String>> {
        let mut texts = Vec::new();
        for field in self.fields(name) {
            let Some(Node { value: Value::List(list), .. }) = field.node() else {
                let wanted = "a list of strings, as in [\"a\", \"b\"]";
                let problem = Problem::WrongKind { key: name.to_owned(), wanted, found: field.kind() };
                self.mistake(self.at(field.at()), problem);
                continue;
            };
            for element in list {
                let place = self.at(element.at);
                match as_text(&element.value) {
                    Some(value) => texts.push(Given { value, place }),
                    None => {
                        self.wrong_kind::<()>(place, name, "a list of strings", &element.value);
                    }
                }
            }
        }
        texts
    }

    /// A duration in Go's notation.
    pub(crate) fn duration(&self, name: &'static str) -> Option<Given<Duration>> {
        let Given { value, place } = self.text(name)?;
        match kit::duration::parse(&value) {
            Ok(value) => Some(Given { value, place }),
            Err(cause) => {
                self.mistake(place, Problem::BadDuration { key: name.to_owned(), value, cause });
                None
            }
        }
    }

    /// The section of this name, its repetitions merged.
    pub(crate) fn block(&self, name: &'static str) -> Option<Block<'a>> {
        let path = if self.path == TOP { name.to_owned() } else { format!("{}.{name}", self.path) };
        self.section(name).map(|section| Block::new(self.ledger, Arc::clone(&self.file), &path, section))
    }

    /// Every section of this name by itself: blocks, or a list of them.
    pub(crate) fn blocks(&self, name: &'static str) -> Vec<Block<'a>> {
        let path = format!("{}.{name}", self.path);
        let mut sections = Vec::new();
        for field in self.fields(name) {
            match field.node() {
                Some(Node { value: Value::List(list), .. }) => {
                    for element in list {
                        match &element.value {
                            Value::Object(body) => sections.push(Section::of(body)),
                            other => {
                                self.wrong_kind::<()>(
                                    self.at(element.at),
                                    name,
                                    "a list of blocks, as in [{ … }]",
                                    other,
                                );
                            }
                        }
                    }
                }
                _ => sections.extend(self.section_of(name, &field)),
            }
        }
        let block = |section| Block::new(self.ledger, Arc::clone(&self.file), &path, section);
        sections.into_iter().map(block).collect()
    }

    /// As [`block`](Self::block), empty if there is none: flags may stand in for it.
    pub(crate) fn block_or_empty(&self, name: &'static str) -> Block<'a> {
        let empty = || {
            let section = Section::empty(self.section.at());
            let block = Block::new(self.ledger, Arc::clone(&self.file), name, section);
            Block { present: false, ..block }
        };
        self.block(name).unwrap_or_else(empty)
    }

    /// As [`block`](Self::block), before it is read.
    pub(crate) fn section(&self, name: &'static str) -> Option<Section<'a>> {
        let mut merged: Option<Section<'a>> = None;
        for field in self.fields(name) {
            match (self.section_of(name, &field), merged.as_mut()) {
                (Some(part), Some(whole)) => whole.merge(part),
                (Some(part), None) => merged = Some(part),
                (None, _) => {}
            }
        }
        merged
    }

    /// What stands in the block of a field.
    pub(crate) fn section_of(&self, name: &str, field: &Field<'a>) -> Option<Section<'a>> {
        let section = field.section();
        if section.is_none() {
            let wanted = "a block, as in `key { … }`";
            let problem = Problem::WrongKind { key: name.to_owned(), wanted, found: field.kind() };
            self.mistake(self.at(field.at()), problem);
        }
        section
    }

    /// Refuses a key of a feature that is not there.
    pub(crate) fn not_yet(&self, name: &'static str, would: &'static str) {
        self.not_yet_unless(name, would, |_| false);
    }

    /// Refuses a key of a feature that is not there, unless its value asks for what is done anyway.
    pub(crate) fn not_yet_unless(
        &self,
        name: &'static str,
        would: &'static str,
        harmless: impl Fn(&Value) -> bool,
    ) {
        for field in self.fields(name) {
            if !field.node().is_some_and(|node| harmless(&node.value)) {
                let what = self.qualified(name);
                self.mistake(self.key_place(&field), Problem::NotYet { what, would });
            }
        }
    }

    /// Lets a key pass that changes nothing here, and says why.
    pub(crate) fn no_effect(&self, name: &'static str, why: &'static str) {
        for field in self.fields(name) {
            self.warn(self.key_place(&field), Notice::NoEffect { key: self.qualified(name), why });
        }
    }

    /// Refuses a key that is for another operating system.
    pub(crate) fn other_platform(&self, name: &'static str, instead: &'static str) {
        for field in self.fields(name) {
            if !field.node().is_some_and(|node| is_empty(&node.value)) {
                let key = self.qualified(name);
                self.mistake(self.key_place(&field), Problem::OtherPlatform { key, instead });
            }
        }
    }

    /// Refuses a key that has no meaning with the choice made.
    pub(crate) fn no_meaning(&self, name: &'static str, with: &'static str) {
        for field in self.fields(name) {
            let key = self.qualified(name);
            self.mistake(self.key_place(&field), Problem::NoMeaning { key, with });
        }
    }

    fn qualified(&self, name: &str) -> String {
        if self.path == TOP || !self.path.contains('.') {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// Ends the reading: what was never asked for is unknown.
    pub(crate) fn finish(self, unknown: Unknown) {
        let known = self.known.borrow();
        #[cfg(test)]
        asked::note(&self.path, &known);
        for field in self.section.fields() {
            let key = &field.key().name;
            if known.iter().any(|name| name.eq_ignore_ascii_case(key)) {
                continue;
            }
            let (key, section) = (key.clone(), self.path.clone());
            let nearest = nearest(&key, known.iter().copied());
            let place = self.key_place(field);
            if unknown == Unknown::Warn {
                self.warn(place, Notice::UnknownIgnored { key, section, nearest });
            } else {
                self.mistake(place, Problem::Unknown { what: key, section, nearest });
            }
        }
    }
}

/// What the top of a file is called.
pub(crate) const TOP: &str = "the top of the file";

/// The known name that `name` most resembles, if it is near enough to be a slip.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    let name = name.to_ascii_lowercase();
    known
        .map(|candidate| (strsim::jaro_winkler(&name, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate.to_owned())
}

/// `false`, zero, an empty string or an empty list: what stands for "not set" in SPIRE.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::Text(text) => text.is_empty(),
        Value::List(list) => list.is_empty(),
        Value::Object(_) => false,
        Value::Null => true,
    }
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(number) => number.as_i64().map(|_| number.as_written().to_owned()),
        Value::Null => Some(String::new()),
        _ => None,
    }
}

/// Which keys were asked for, so that a test can compare them with its table.
#[cfg(test)]
pub(crate) mod asked {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    thread_local! {
        static KEYS: RefCell<BTreeSet<(String, &'static str)>> = RefCell::default();
    }

    pub(super) fn note(section: &str, keys: &[&'static str]) {
        KEYS.with_borrow_mut(|all| all.extend(keys.iter().map(|key| (section.to_owned(), *key))));
    }

    /// The section and name of each key that this thread has asked for until now.
    pub(crate) fn keys() -> BTreeSet<(String, &'static str)> {
        KEYS.with_borrow(Clone::clone)
    }
}
