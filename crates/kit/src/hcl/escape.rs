//! Escapes of HCL's quoted strings, read and written.

use super::error::Fault;

/// Builds the value of a quoted string; byte escapes may make up one character together.
#[derive(Default)]
pub(super) struct Unquoted {
    bytes: Vec<u8>,
}

impl Unquoted {
    /// Adds a character as it stands.
    pub(super) fn push(&mut self, c: char) {
        let mut buffer = [0; 4];
        self.bytes.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
    }

    /// Adds the byte of a `\xNN` or `\NNN` escape.
    pub(super) fn push_byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// Adds a code point; half of a surrogate pair becomes U+FFFD, as in Go.
    pub(super) fn push_code_point(&mut self, code: u32) -> Result<(), Fault> {
        match char::from_u32(code) {
            Some(c) => self.push(c),
            None if (0xD800..=0xDFFF).contains(&code) => self.push(char::REPLACEMENT_CHARACTER),
            None => return Err(Fault::BadEscape),
        }
        Ok(())
    }

    /// The whole value.
    pub(super) fn finish(self) -> Result<String, Fault> {
        String::from_utf8(self.bytes).map_err(|_| Fault::EscapesNotUtf8)
    }
}

/// The character of a one-letter escape.
pub(super) fn simple(letter: char) -> Option<char> {
    Some(match letter {
        'a' => '\u{07}',
        'b' => '\u{08}',
        'f' => '\u{0c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{0b}',
        '\\' => '\\',
        '"' => '"',
        _ => return None,
    })
}

/// Writes `text` as a quoted string that reads back as the same text.
pub(super) fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // An interpolation is not un-escaped when it is read, so it may not look like one.
            '$' if rest.peek() == Some(&'{') => out.push_str("\\x24"),
            // Reserved by the reader for itself.
            '\u{e123}' => out.push_str("\\ue123"),
            c if c < ' ' || c == '\u{7f}' => {
                out.push_str("\\x");
                for shift in [4, 0] {
                    out.push(char::from_digit((u32::from(c) >> shift) & 0xf, 16).unwrap_or('0'));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
