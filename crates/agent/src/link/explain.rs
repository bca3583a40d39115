//! What went wrong, with the cause that tonic keeps below the surface.

use std::error::Error;

use tonic::Status;

/// A status for people: its message, and the causes that say more than it does.
pub(crate) fn explain(status: &Status) -> String {
    let mut said = vec![status.message().to_owned()];
    let mut cause = status.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !said.iter().any(|before| before.contains(&text)) {
            said.push(text);
        }
        cause = inner.source();
    }
    // "transport error" and "tcp connect error" say nothing that the cause does not.
    if said.len() > 1 {
        said.retain(|text| {
            !matches!(text.as_str(), "" | "transport error" | "tcp connect error" | "client error (Connect)")
        });
    }
    said.join(": ")
}
