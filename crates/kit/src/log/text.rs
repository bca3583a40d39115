//! A line in logrus' text form.

use std::fmt::Write as _;
use std::time::SystemTime;

use time::OffsetDateTime;

use super::level::Level;
use super::record::Record;

/// How the text form is printed.
pub(super) struct Text {
    /// Whether times carry their fraction of a second.
    pub(super) fraction: bool,
    /// For a terminal: the time that the seconds in each line count from.
    pub(super) colour_since: Option<SystemTime>,
}

impl Text {
    /// The line without its end.
    pub(super) fn print(&self, record: &Record) -> String {
        match self.colour_since {
            Some(since) => coloured(record, since),
            None => self.plain(record),
        }
    }

    fn plain(&self, record: &Record) -> String {
        let mut out = String::with_capacity(160);
        out.push_str("time=");
        value(&timestamp(record.time, self.fraction), &mut out);
        out.push_str(" level=");
        out.push_str(record.level.as_str());
        if !record.fields.message.is_empty() {
            out.push_str(" msg=");
            value(&record.fields.message, &mut out);
        }
        for (name, content) in record.fields.sorted() {
            out.push(' ');
            out.push_str(name);
            out.push('=');
            value(&content.to_string(), &mut out);
        }
        out
    }
}

fn coloured(record: &Record, since: SystemTime) -> String {
    let (colour, name) = match record.level {
        Level::Panic => (31, "PANI"),
        Level::Fatal => (31, "FATA"),
        Level::Error => (31, "ERRO"),
        Level::Warn => (33, "WARN"),
        Level::Info => (36, "INFO"),
        Level::Debug => (37, "DEBU"),
        Level::Trace => (37, "TRAC"),
    };
    let seconds = record.time.duration_since(since).unwrap_or_default().as_secs();
    let message = record.fields.message.strip_suffix('\n').unwrap_or(&record.fields.message);
    let mut out = format!("\x1b[{colour}m{name}\x1b[0m[{seconds:04}] {message:<44} ");
    for (name, content) in record.fields.sorted() {
        let _ = write!(out, " \x1b[{colour}m{name}\x1b[0m=");
        value(&content.to_string(), &mut out);
    }
    out
}

/// The time in RFC 3339, in UTC.
pub(super) fn timestamp(time: SystemTime, fraction: bool) -> String {
    let time = OffsetDateTime::from(time);
    let mut out = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    );
    if fraction && time.nanosecond() > 0 {
        let digits = format!("{:09}", time.nanosecond());
        let _ = write!(out, ".{}", digits.trim_end_matches('0'));
    }
    out.push('Z');
    out
}

/// Writes a value, in quotes if logrus would quote it.
fn value(text: &str, out: &mut String) {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '/' | '@' | '^' | '+');
    if text.chars().all(plain) {
        out.push_str(text);
    } else {
        quote(text, out);
    }
}

/// Text as Go's `%q` prints it.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote(text, &mut out);
    out
}

/// Writes text as Go's `%q` does.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{07}' => out.push_str("\\a"),
            '\u{08}' => out.push_str("\\b"),
            '\u{0c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{0b}' => out.push_str("\\v"),
            ' '..='~' => out.push(c),
            c if is_printable(c) => out.push(c),
            c => {
                let code = u32::from(c);
                let _ = match code {
                    0..0x80 => write!(out, "\\x{code:02x}"),
                    0x80..0x10000 => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push('"');
}

fn is_printable(c: char) -> bool {
    c.is_alphanumeric() || (!c.is_whitespace() && c.escape_debug().len() == 1)
}
