//! Connection strings as SPIRE 1.16 reads them: a path or a `file:` URI, with parameters of go-sqlite3.

use std::path::PathBuf;
use std::time::Duration;

use model::ports::LogError;

/// Where a database is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    File(PathBuf),
    Memory,
}

/// What a connection string may set.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) busy_timeout: Option<Duration>,
}

pub(super) fn parse(text: &str) -> Result<(Place, Settings), LogError> {
    let (body, query) = text.split_once('?').unwrap_or((text, ""));
    let path = path_of(text, body)?;
    let (settings, in_memory) = settings(query)?;
    let in_memory = in_memory || path == ":memory:";
    if path.is_empty() && !in_memory {
        return Err(wrong(format!("the connection string {text:?} names no file")));
    }
    Ok((if in_memory { Place::Memory } else { Place::File(path.into()) }, settings))
}

fn wrong(message: String) -> LogError {
    LogError::Schema(message)
}

fn path_of(text: &str, body: &str) -> Result<String, LogError> {
    match body.split_once(':') {
        Some(("file", rest)) => Ok(decoded(without_host(text, rest)?)),
        Some(("", "memory:")) => Ok(body.to_owned()),
        Some((scheme, _)) if is_scheme(scheme) => Err(wrong(format!(
            "the connection string {text:?} has the unsupported scheme {scheme:?}: give a path, or a file: URI"
        ))),
        _ => Ok(decoded(body)),
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// `file://host/path`: the host is this one.
fn without_host<'a>(text: &str, rest: &'a str) -> Result<&'a str, LogError> {
    let Some(after) = rest.strip_prefix("//") else { return Ok(rest) };
    match after.strip_prefix("localhost").unwrap_or(after) {
        path if path.starts_with('/') => Ok(path),
        _ => Err(wrong(format!(
            "the connection string {text:?} names another host: after \"file://\" comes a path that begins with \"/\""
        ))),
    }
}

/// With `%41` read as `A`; what is not such an escape stands for itself.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        match (first, escaped(after)) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn escaped(digits: &[u8]) -> Option<u8> {
    let two = std::str::from_utf8(digits.get(..2)?).ok()?;
    two.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u8::from_str_radix(two, 16).ok()).flatten()
}

fn settings(query: &str) -> Result<(Settings, bool), LogError> {
    let mut settings = Settings::default();
    let mut in_memory = false;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(value);
        let refuse = |why: &str| Err(wrong(format!("the connection string says {key}={value}: {why}")));
        match (key, value.to_ascii_lowercase().as_str()) {
            ("_busy_timeout" | "_timeout", number) => match number.parse() {
                Ok(millis) => settings.busy_timeout = Some(Duration::from_millis(millis)),
                Err(_) => return refuse("it must be a number of milliseconds"),
            },
            ("mode", "memory") => in_memory = true,
            // What happens anyway.
            ("mode", "rw" | "rwc")
            | ("_journal_mode" | "_journal", "wal")
            | ("_synchronous" | "_sync", "full" | "2")
            | ("_foreign_keys" | "_fk", "on" | "1" | "true" | "yes")
            | ("_txlock", "immediate")
            // How connections share pages does not change what they see.
            | ("cache", "shared" | "private") => {}
            ("mode", "ro") | ("immutable", _) => return refuse("the registry must be written"),
            ("_synchronous" | "_sync", _) => return refuse("what the server answers must be on the disk: \"FULL\" is what it uses"),
            ("_journal_mode" | "_journal", _) => return refuse("only \"WAL\" lets readers and the writer work side by side"),
            ("_foreign_keys" | "_fk", _) => return refuse("they are always on"),
            ("_txlock", _) => return refuse("transactions are \"immediate\""),
            _ => return refuse("this parameter is not known here; leave it out"),
        }
    }
    Ok((settings, in_memory))
}

#[cfg(test)]
mod tests;
