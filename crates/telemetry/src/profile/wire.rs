//! The messages of pprof's `profile.proto`, those fields of them that are used.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use prost::Message;

/// A profile.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Profile {
    #[prost(message, repeated, tag = "1")]
    pub(super) sample_type: Vec<ValueType>,
    #[prost(message, repeated, tag = "2")]
    pub(super) sample: Vec<Sample>,
    #[prost(message, repeated, tag = "4")]
    pub(super) location: Vec<Location>,
    #[prost(message, repeated, tag = "5")]
    pub(super) function: Vec<Function>,
    #[prost(string, repeated, tag = "6")]
    pub(super) string_table: Vec<String>,
    #[prost(int64, tag = "9")]
    pub(super) time_nanos: i64,
    #[prost(int64, tag = "10")]
    pub(super) duration_nanos: i64,
    #[prost(message, optional, tag = "11")]
    pub(super) period_type: Option<ValueType>,
    #[prost(int64, tag = "12")]
    pub(super) period: i64,
}

/// What a number counts; texts stand in the table of strings.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ValueType {
    #[prost(int64, tag = "1")]
    pub(super) r#type: i64,
    #[prost(int64, tag = "2")]
    pub(super) unit: i64,
}

/// A stack, the innermost place first.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Sample {
    #[prost(uint64, repeated, tag = "1")]
    pub(super) location_id: Vec<u64>,
    #[prost(int64, repeated, tag = "2")]
    pub(super) value: Vec<i64>,
    #[prost(message, repeated, tag = "3")]
    pub(super) label: Vec<Label>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Label {
    #[prost(int64, tag = "1")]
    pub(super) key: i64,
    #[prost(int64, tag = "2")]
    pub(super) str: i64,
}

/// A place in the program.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Location {
    #[prost(uint64, tag = "1")]
    pub(super) id: u64,
    /// More than one where a function was inlined, the innermost first.
    #[prost(message, repeated, tag = "4")]
    pub(super) line: Vec<Line>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Line {
    #[prost(uint64, tag = "1")]
    pub(super) function_id: u64,
    #[prost(int64, tag = "2")]
    pub(super) line: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Function {
    #[prost(uint64, tag = "1")]
    pub(super) id: u64,
    #[prost(int64, tag = "2")]
    pub(super) name: i64,
    #[prost(int64, tag = "3")]
    pub(super) system_name: i64,
    #[prost(int64, tag = "4")]
    pub(super) filename: i64,
}

/// A function in a stack.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Frame {
    pub(super) name: String,
    pub(super) system_name: String,
    pub(super) file: String,
    pub(super) line: i64,
}

/// Puts a profile together, each text, function and place once.
pub(super) struct Builder {
    profile: Profile,
    texts: HashMap<String, i64>,
    functions: HashMap<(i64, i64), u64>,
    places: HashMap<Vec<Frame>, u64>,
}

fn number(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

impl Builder {
    /// A profile of samples with these values, each with its unit.
    pub(super) fn new(values: &[(&str, &str)]) -> Self {
        let mut new = Self {
            profile: Profile::default(),
            texts: HashMap::new(),
            functions: HashMap::new(),
            places: HashMap::new(),
        };
        // The first text is the empty one.
        new.text("");
        new.profile.sample_type = values.iter().map(|(name, unit)| new.kind(name, unit)).collect();
        new
    }

    fn text(&mut self, text: &str) -> i64 {
        if let Some(known) = self.texts.get(text) {
            return *known;
        }
        let index = number(self.profile.string_table.len());
        self.profile.string_table.push(text.to_owned());
        self.texts.insert(text.to_owned(), index);
        index
    }

    fn kind(&mut self, name: &str, unit: &str) -> ValueType {
        ValueType { r#type: self.text(name), unit: self.text(unit) }
    }

    pub(super) fn period(&mut self, name: &str, unit: &str, period: i64) {
        self.profile.period_type = Some(self.kind(name, unit));
        self.profile.period = period;
    }

    pub(super) fn times(&mut self, began: SystemTime, took: Duration) {
        let nanos = |time: Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        self.profile.time_nanos = nanos(began.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default());
        self.profile.duration_nanos = nanos(took);
    }

    pub(super) fn sample(&mut self, stack: &[Vec<Frame>], values: &[i64], labels: &[(&str, &str)]) {
        let location_id = stack.iter().map(|place| self.place(place)).collect();
        let label = |(key, text): &(&str, &str)| Label { key: self.text(key), str: self.text(text) };
        let label = labels.iter().map(label).collect();
        self.profile.sample.push(Sample { location_id, value: values.to_vec(), label });
    }

    fn place(&mut self, frames: &[Frame]) -> u64 {
        if let Some(known) = self.places.get(frames) {
            return *known;
        }
        let line =
            frames.iter().map(|frame| Line { function_id: self.function(frame), line: frame.line }).collect();
        let id = self.profile.location.len() as u64 + 1;
        self.profile.location.push(Location { id, line });
        self.places.insert(frames.to_vec(), id);
        id
    }

    fn function(&mut self, frame: &Frame) -> u64 {
        let (name, filename) = (self.text(&frame.name), self.text(&frame.file));
        if let Some(known) = self.functions.get(&(name, filename)) {
            return *known;
        }
        let id = self.profile.function.len() as u64 + 1;
        let system_name = self.text(&frame.system_name);
        self.profile.function.push(Function { id, name, system_name, filename });
        self.functions.insert((name, filename), id);
        id
    }

    /// The profile in gzip's form.
    pub(super) fn finish(self) -> Vec<u8> {
        super::gzip::packed(&self.profile.encode_to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_function_and_place_stands_once() {
        let frame = |name: &str, line| Frame {
            name: name.to_owned(),
            system_name: format!("_{name}"),
            file: "a.rs".to_owned(),
            line,
        };
        let mut builder = Builder::new(&[("samples", "count")]);
        let (inner, outer) = (vec![frame("inner", 2)], vec![frame("outer", 7)]);
        builder.sample(&[inner.clone(), outer.clone()], &[3], &[("thread", "main")]);
        builder.sample(&[inner, vec![frame("inner", 9)], outer], &[1], &[]);
        let profile = builder.profile;
        assert_eq!(profile.string_table[0], "");
        assert_eq!((profile.function.len(), profile.location.len()), (2, 3));
        assert_eq!(profile.sample[0].location_id, [1, 2]);
        assert_eq!(profile.sample[1].location_id, [1, 3, 2]);
        let name = |id: i64| profile.string_table[usize::try_from(id).unwrap()].as_str();
        assert_eq!(name(profile.function[0].name), "inner");
        assert_eq!(name(profile.sample[0].label[0].str), "main");
    }
}
