//! Reads flags.

use std::collections::BTreeMap;

use super::flag::{Flag, Kind};
use super::values::{Value, Values};
use crate::duration;

/// Why a command line was not understood. The texts begin as Go's do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlagError {
    /// Help was asked for; no mistake.
    #[error("help requested")]
    Help,
    /// A lone hyphen with something that is no name.
    #[error("bad flag syntax: {0}")]
    Syntax(String),
    /// No such flag.
    #[error("flag provided but not defined: -{name}{}", suggestion(.similar.as_deref()))]
    Unknown {
        /// What was given.
        name: String,
        /// A flag that may have been meant.
        similar: Option<&'static str>,
    },
    /// The value is missing.
    #[error("flag needs an argument: -{0}")]
    NoValue(&'static str),
    /// A switch with something other than true or false.
    #[error("invalid boolean value {value:?} for -{name}: write true or false")]
    NotBool {
        /// The flag.
        name: &'static str,
        /// What was given.
        value: String,
    },
    /// Another value that is not of the flag's kind.
    #[error("invalid value {value:?} for flag -{name}: {reason}")]
    Invalid {
        /// The flag.
        name: &'static str,
        /// What was given.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
}

fn suggestion(similar: Option<&str>) -> String {
    similar.map(|name| format!(" (did you mean -{name}?)")).unwrap_or_default()
}

/// Reads `arguments` by a table of flags. A flag that stands twice has its last value; a list has all.
///
/// # Errors
/// At the first argument that the table does not allow, and for `-h`, `-help`.
pub fn parse(flags: &[&'static [Flag]], arguments: &[String]) -> Result<Values, FlagError> {
    let mut values = Values { values: BTreeMap::new(), given: Vec::new(), rest: Vec::new() };
    for flag in flags.iter().copied().flatten() {
        values.values.insert(flag.name, initial(flag));
    }

    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let Some(word) = argument.strip_prefix('-').filter(|word| !word.is_empty()) else {
            values.rest.push(argument.clone());
            break;
        };
        let word = word.strip_prefix('-').unwrap_or(word);
        if word.is_empty() {
            break;
        }
        if word.starts_with(['-', '=']) {
            return Err(FlagError::Syntax(argument.clone()));
        }
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        let flag = find(flags, name)?;
        let value = match (flag.kind, value) {
            (Kind::Bool, None) => Value::Bool(true),
            (Kind::Bool, Some(text)) => boolean(flag.name, text)?,
            (_, Some(text)) => read(flag, text)?,
            (_, None) => read(flag, arguments.next().ok_or(FlagError::NoValue(flag.name))?)?,
        };
        store(&mut values, flag.name, value);
    }
    values.rest.extend(arguments.cloned());
    Ok(values)
}

fn initial(flag: &Flag) -> Value {
    match (flag.kind, flag.default) {
        (Kind::Bool, default) => Value::Bool(default == "true"),
        (Kind::Integer, "") => Value::Integer(0),
        (Kind::Duration, "") => Value::Duration(std::time::Duration::ZERO),
        (Kind::List, "") => Value::List(Vec::new()),
        (Kind::Text | Kind::Choice(_), default) => Value::Text(default.to_owned()),
        (_, default) => read(flag, default).expect("a flag's default is of its kind"),
    }
}

fn find(flags: &[&'static [Flag]], name: &str) -> Result<&'static Flag, FlagError> {
    let all = || flags.iter().copied().flatten();
    if let Some(flag) = all().find(|flag| flag.name == name) {
        return Ok(flag);
    }
    if name == "h" || name == "help" {
        return Err(FlagError::Help);
    }
    let lower = name.to_lowercase();
    let similar = all()
        .map(|flag| (strsim::damerau_levenshtein(&flag.name.to_lowercase(), &lower), flag.name))
        .filter(|(distance, known)| *distance <= 1 + known.len().min(name.len()) / 4)
        .min()
        .map(|(_, known)| known);
    Err(FlagError::Unknown { name: name.to_owned(), similar })
}

fn store(values: &mut Values, name: &'static str, value: Value) {
    if !values.given.contains(&name) {
        values.given.push(name);
    }
    match (values.values.get_mut(name), value) {
        (Some(Value::List(list)), Value::List(more)) => list.extend(more),
        (Some(old), value) => *old = value,
        (None, _) => {}
    }
}

fn boolean(name: &'static str, text: &str) -> Result<Value, FlagError> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
        _ => Err(FlagError::NotBool { name, value: text.to_owned() }),
    }
}

fn read(flag: &Flag, text: &str) -> Result<Value, FlagError> {
    let invalid = |reason: String| FlagError::Invalid { name: flag.name, value: text.to_owned(), reason };
    match flag.kind {
        Kind::Bool => boolean(flag.name, text),
        Kind::Text => Ok(Value::Text(text.to_owned())),
        Kind::List => Ok(Value::List(vec![text.to_owned()])),
        Kind::Integer => integer(text).map(Value::Integer).map_err(invalid),
        Kind::Duration => duration::parse(text).map(Value::Duration).map_err(|e| invalid(e.to_string())),
        Kind::Choice(_) if text.is_empty() => Ok(Value::Text(flag.default.to_owned())),
        Kind::Choice(words) => words
            .iter()
            .find(|word| word.eq_ignore_ascii_case(text))
            .map(|word| Value::Text((*word).to_owned()))
            .ok_or_else(|| invalid(format!("must be one of {}", words.join(", ")))),
    }
}

/// A whole number as Go's `strconv.ParseInt` reads it with base 0.
fn integer(text: &str) -> Result<i64, String> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or_default()),
        Some(b'+') => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match (lower.get(..2), lower.as_bytes()) {
        (Some("0x"), _) => (16, lower.get(2..).unwrap_or_default()),
        (Some("0o"), _) => (8, lower.get(2..).unwrap_or_default()),
        (Some("0b"), _) => (2, lower.get(2..).unwrap_or_default()),
        (_, [b'0', _, ..]) => (8, lower.get(1..).unwrap_or_default()),
        _ => (10, lower.as_str()),
    };
    let plain = digits.replace('_', "");
    if plain.is_empty() || !plain.chars().all(|c| c.is_digit(radix)) {
        return Err("not a whole number".to_owned());
    }
    let sign = if negative { "-" } else { "" };
    i64::from_str_radix(&format!("{sign}{plain}"), radix).map_err(|_| "the number is too large".to_owned())
}

#[cfg(test)]
mod tests;
