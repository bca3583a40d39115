//! What a plugin prints goes to our log, with the plugin's name.

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tracing::Level;

use crate::hclog::{self, Entry};

/// The longest line; what is longer is cut into several.
const MAX_LINE: u64 = 64 << 10;

/// Whose output it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whose {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
}

/// Logs standard error line by line until it is closed.
pub(crate) async fn log(whose: Whose, stderr: impl AsyncRead + Unpin) {
    let mut reader = BufReader::new(stderr);
    while let Some(text) = line(&mut reader).await {
        emit(whose, &hclog::parse(&text));
    }
}

/// Reads and drops, so that a plugin that prints is not held up.
pub(crate) async fn drain(mut stdout: impl AsyncRead + Unpin) {
    let mut sink = [0; 4096];
    while stdout.read(&mut sink).await.is_ok_and(|read| read > 0) {}
}

/// The next line without its end; `None` when there is no more.
pub(crate) async fn line(reader: &mut (impl AsyncBufRead + Unpin)) -> Option<String> {
    let mut line = Vec::new();
    let read = reader.take(MAX_LINE).read_until(b'\n', &mut line).await.ok()?;
    let text = String::from_utf8_lossy(&line);
    (read > 0).then(|| text.trim_end_matches(['\n', '\r']).to_owned())
}

/// Logs what came over the stream of printed text.
pub(crate) fn printed(whose: Whose, data: &[u8]) {
    for line in String::from_utf8_lossy(data).lines().filter(|line| !line.trim().is_empty()) {
        emit(whose, &hclog::parse(line));
    }
}

fn emit(whose: Whose, entry: &Entry) {
    let Some(level) = entry.level else { return };
    let (plugin_name, plugin_type, external) = (whose.name, whose.kind, true);
    // Fields whose names only the plugin knows; the log takes them apart.
    let fields = entry.fields.iter().map(|(name, value)| (name.clone(), value.clone().into()));
    let more = serde_json::Value::Object(fields.collect()).to_string();
    let message = &entry.message;
    macro_rules! at {
        ($level:ident) => {
            tracing::event!(Level::$level, plugin_name, plugin_type, external, log.more = more, "{message}")
        };
    }
    match level {
        hclog::Level::Error => at!(ERROR),
        hclog::Level::Warn => at!(WARN),
        hclog::Level::Info => at!(INFO),
        hclog::Level::Debug => at!(DEBUG),
    }
}
