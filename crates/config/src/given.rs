//! A value with the place it came from.

use super::report::Place;

/// A value and where it was given.
#[derive(Clone, Debug)]
pub(crate) struct Given<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

/// The value of a flag if it was given, else that of the file. As in SPIRE, an empty flag is not given.
pub(crate) fn flag_or(
    flag: &'static str,
    given: Option<&str>,
    file: Option<Given<String>>,
) -> Option<Given<String>> {
    match given {
        Some(value) if !value.is_empty() => Some(Given { value: value.to_owned(), place: Place::Flag(flag) }),
        _ => file,
    }
}

/// A switch that is on if the flag or the file turns it on.
pub(crate) fn switch_or(flag: &'static str, given: bool, file: Option<Given<bool>>) -> Option<Given<bool>> {
    if given { Some(Given { value: true, place: Place::Flag(flag) }) } else { file }
}
