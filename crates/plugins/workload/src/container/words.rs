//! What looks like a container's id or a pod's uid.

/// Digits of a container's id, by the convention of all engines.
const ID: usize = 64;
/// Characters of a uid.
const UID: usize = 36;

/// The first word of 64 hexadecimal digits, and where it begins. A word ends where neither a letter, a digit nor an
/// underscore follows.
pub(super) fn container_id(segment: &str) -> Option<(usize, &str)> {
    let mut start = 0;
    for word in segment.split(|c: char| !is_word(c)) {
        if word.len() == ID && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Some((start, word));
        }
        start += word.len();
        start += segment.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    }
    None
}

/// The uid in `pod<uid>`, with the underscores that systemd's slices have for dashes turned back.
pub(super) fn pod_uid(segment: &str) -> Option<String> {
    segment.match_indices("pod").find_map(|(at, word)| {
        let before = segment.get(..at)?.chars().next_back();
        let uid = segment.get(at + word.len()..)?.get(..UID)?;
        let after = segment.get(at + word.len() + UID..)?.chars().next();
        let alone = !before.is_some_and(is_word) && !after.is_some_and(is_word);
        (alone && is_uid(uid)).then(|| uid.replace('_', "-"))
    })
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn is_uid(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => matches!(byte, b'-' | b'_'),
        _ => byte.is_ascii_hexdigit(),
    })
}
