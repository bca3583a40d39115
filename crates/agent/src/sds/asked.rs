//! What a request asks for, within bounds.

use std::collections::BTreeSet;

use tonic::Status;

/// How many names a stream follows at most.
pub(super) const MAX_NAMES: usize = 1000;
/// How long a name is at most; a SPIFFE ID is no longer.
const MAX_NAME: usize = 2048;
/// How much of a list of names is shown.
const SHOWN: usize = 20;
/// How much of a client's text is shown, in characters.
const SHOWN_TEXT: usize = 300;

/// The names of a request, each once. Empty ones are none.
pub(super) fn names(given: Vec<String>) -> Result<BTreeSet<String>, Status> {
    let names: BTreeSet<String> = given.into_iter().filter(|name| !name.is_empty()).collect();
    within(&names)?;
    Ok(names)
}

/// Says what is too much.
pub(super) fn within(names: &BTreeSet<String>) -> Result<(), Status> {
    if names.len() > MAX_NAMES {
        let text =
            format!("{} resources are asked for; at most {MAX_NAMES} are followed in a stream", names.len());
        return Err(Status::resource_exhausted(text));
    }
    match names.iter().find(|name| name.len() > MAX_NAME) {
        None => Ok(()),
        Some(long) => {
            let text = format!("a resource name has {} bytes; at most {MAX_NAME} are accepted", long.len());
            Err(Status::invalid_argument(text))
        }
    }
}

/// Names as Go prints a list of them.
pub(super) fn listed(names: &BTreeSet<String>) -> String {
    let mut shown: Vec<String> =
        names.iter().take(SHOWN).map(|name| kit::log::quoted(&short(name))).collect();
    if names.len() > SHOWN {
        shown.push(format!("and {} more", names.len() - SHOWN));
    }
    format!("[{}]", shown.join(" "))
}

/// A client's text, as much of it as goes into a log or an answer.
pub(super) fn short(text: &str) -> String {
    text.chars().take(SHOWN_TEXT).collect()
}
