//! Calls to a plugin.

use std::time::Duration;

use tonic::{Code, Response, Status};

use crate::plugin::Plugin;

/// How long a plugin may take to answer a call that needs nobody's help (SPIRE 1.16).
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// The largest message a plugin may send. It is as trusted as we are, but mistakes happen.
pub(crate) const MAX_MESSAGE: usize = 16 << 20;

/// A call's answer, in time; a failure says which plugin it is, as SPIRE puts it.
pub(crate) async fn answer<T>(
    plugin: &Plugin,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Status> {
    let done = tokio::time::timeout(PATIENCE, call).await;
    let done =
        done.unwrap_or_else(|_| Err(Status::deadline_exceeded(format!("no answer within {PATIENCE:?}"))));
    done.map(Response::into_inner).map_err(|status| named(plugin, &status))
}

/// A failure with the plugin's type and name before the message.
pub(crate) fn named(plugin: &Plugin, status: &Status) -> Status {
    Status::new(status.code(), format!("{}{}", prefix(plugin), said(plugin, status)))
}

/// What the plugin said, without its name before it.
pub(crate) fn said<'a>(plugin: &Plugin, status: &'a Status) -> &'a str {
    let message = status.message();
    let message = message.strip_prefix(&prefix(plugin)).unwrap_or(message);
    message.strip_prefix(&format!("{}: ", plugin.name())).unwrap_or(message)
}

fn prefix(plugin: &Plugin) -> String {
    format!("{}({}): ", plugin.kind().to_lowercase(), plugin.name())
}

/// An answer of the plugin that makes no sense.
pub(crate) fn nonsense(plugin: &Plugin, what: &str) -> Status {
    Status::new(Code::Internal, format!("{}{what}", prefix(plugin)))
}
