//! What a plugin writes to standard error: lines of hclog in JSON, or anything.

use serde_json::Value;

/// The most fields of a line that are kept.
const MAX_FIELDS: usize = 64;

/// How grave a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// For who looks for a fault.
    Debug,
    /// For who reads along.
    Info,
    /// For who keeps it running.
    Warn,
    /// For who is to act.
    Error,
}

/// A line, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// How grave; none for what SPIRE does not print either (trace).
    pub(crate) level: Option<Level>,
    /// The message.
    pub(crate) message: String,
    /// Fields in the order they stand.
    pub(crate) fields: Vec<(String, String)>,
}

/// Reads a line. Whatever it is, something comes of it: what is no hclog is printed at the level that its beginning
/// names, else as `debug`.
pub(crate) fn parse(line: &str) -> Entry {
    structured(line).unwrap_or_else(|| plain(line))
}

fn structured(line: &str) -> Option<Entry> {
    let Value::Object(all) = serde_json::from_str(line).ok()? else { return None };
    let level = match all.get("@level")?.as_str()? {
        "trace" => None,
        "debug" => Some(Level::Debug),
        "info" => Some(Level::Info),
        "warn" => Some(Level::Warn),
        "error" => Some(Level::Error),
        _ => return None,
    };
    let message = all.get("@message").and_then(Value::as_str).unwrap_or_default().to_owned();
    let fields = all
        .iter()
        .filter(|(name, _)| !["@level", "@message", "@module", "@caller"].contains(&name.as_str()))
        .map(|(name, value)| (name.strip_prefix('@').unwrap_or(name).to_owned(), shown(value)))
        .take(MAX_FIELDS)
        .collect();
    Some(Entry { level, message, fields })
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn plain(line: &str) -> Entry {
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| line.starts_with(prefix));
    let level = if begins(&["[TRACE]"]) {
        None
    } else if begins(&["[INFO]"]) {
        Some(Level::Info)
    } else if begins(&["[WARN]"]) {
        Some(Level::Warn)
    } else if begins(&["[ERROR]", "panic: ", "fatal error: "]) {
        Some(Level::Error)
    } else {
        Some(Level::Debug)
    };
    Entry { level, message: line.to_owned(), fields: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_hclog_keeps_its_level_message_and_fields() {
        let line = r#"{"@level":"warn","@message":"No luck","@module":"m","@timestamp":"2026-01-01T00:00:00Z","n":3,"who":"me"}"#;
        let fields = [("timestamp", "2026-01-01T00:00:00Z"), ("n", "3"), ("who", "me")];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let wanted = Entry { level: Some(Level::Warn), message: "No luck".to_owned(), fields };
        assert_eq!(parse(line), wanted);
        assert_eq!(parse(r#"{"@level":"trace","@message":"x"}"#).level, None);
    }

    #[test]
    fn what_is_no_hclog_is_printed_as_it_is() {
        for (line, level) in [
            ("hello", Level::Debug),
            ("[WARN] careful", Level::Warn),
            ("panic: nil map", Level::Error),
            ("{\"a\":1}", Level::Debug),
            ("{\"@level\":\"loud\"}", Level::Debug),
            ("[1,2]", Level::Debug),
        ] {
            let entry = parse(line);
            assert_eq!((entry.level, entry.message.as_str()), (Some(level), line));
        }
    }
}
