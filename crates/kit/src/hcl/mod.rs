//! HCL version 1, the language of SPIRE's configuration files, in both its native and its JSON form.
//!
//! [`parse`] accepts what HashiCorp's `hcl` v1 accepts and keeps the line and column of every key and
//! value. [`Section`] is the merged view a reader wants: repeated blocks, labels and JSON nesting look the
//! same through it. [`print`] writes a body back as HCL text, for a plugin that reads its own settings.

mod ast;
mod error;
mod escape;
mod expand;
mod heredoc;
mod json;
mod number;
mod parse;
mod print;
mod scan;
mod section;
#[cfg(test)]
mod tests;

pub use ast::{Body, Document, Item, Key, Node, Position, Syntax, Value};
pub use error::{Fault, HclError};
pub use expand::{Expanded, expand_env, expand_with};
pub use number::Number;
pub use print::print;
pub use section::{Field, Section};

use std::sync::Arc;

/// How much of an input is read before it is refused.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest input, in bytes.
    pub bytes: usize,
    /// How deep objects and lists may stand within each other.
    pub depth: usize,
    /// How many keys and values an input may hold together.
    pub nodes: usize,
}

impl Default for Limits {
    /// 1 MiB, 64 levels, 200 000 keys and values.
    fn default() -> Self {
        Self { bytes: 1 << 20, depth: 64, nodes: 200_000 }
    }
}

/// Reads `text` as HCL, or as JSON when its first character that is not white space is `{`.
///
/// `file` is the name that errors and positions carry.
///
/// # Errors
/// The first mistake, with its place in the file.
pub fn parse(file: &str, text: &[u8]) -> Result<Document, HclError> {
    parse_within(file, text, Limits::default())
}

/// As [`parse`], within other limits than the default.
///
/// # Errors
/// The first mistake, with its place in the file.
pub fn parse_within(file: &str, text: &[u8], limits: Limits) -> Result<Document, HclError> {
    let file: Arc<str> = Arc::from(file);
    read(text, limits)
        .map(|(root, syntax)| Document::new(Arc::clone(&file), root, syntax))
        .map_err(|(at, fault)| HclError { file, at, fault })
}

type Placed<T> = Result<T, (Position, Fault)>;

fn read(text: &[u8], limits: Limits) -> Placed<(Body, Syntax)> {
    if text.len() > limits.bytes {
        return Err((Position::START, Fault::TooLong { limit: limits.bytes }));
    }
    let text = std::str::from_utf8(text)
        .map_err(|bad| (scan::position_of(text, bad.valid_up_to()), Fault::NotUtf8))?;
    if let Some(offset) = text.find('\0') {
        return Err((scan::position_of(text.as_bytes(), offset), Fault::ForbiddenCharacter(0)));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    if text.trim_start().starts_with('{') {
        Ok((json::document(&text, limits)?, Syntax::Json))
    } else {
        Ok((parse::document(&text, limits)?, Syntax::Hcl))
    }
}
