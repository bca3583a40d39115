//! The join token, given as such or in a file.

use std::fmt;
use std::path::Path;

use super::super::block::Block;
use super::super::given::{Given, flag_or};
use super::super::problem::Problem;
use super::super::read::text_of;
use super::Overrides;

/// A join token. It is a secret: it prints as nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinToken(String);

impl JoinToken {
    /// The token itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JoinToken(…)")
    }
}

/// Reads `join_token` or the file that `join_token_file` names.
pub(super) fn read(block: &Block<'_>, flags: &Overrides) -> Option<JoinToken> {
    let token = flag_or("-joinToken", flags.join_token.as_deref(), block.text("join_token"));
    let file = flag_or("-joinTokenFile", flags.join_token_file.as_deref(), block.text("join_token_file"));
    match (token, file) {
        (Some(_), Some(file)) => {
            block.mistake(file.place, Problem::OnlyOne(vec!["join_token", "join_token_file"]));
            None
        }
        (Some(token), None) => Some(JoinToken(token.value)),
        (None, Some(file)) => from_file(block, file),
        (None, None) => None,
    }
}

fn from_file(block: &Block<'_>, file: Given<String>) -> Option<JoinToken> {
    let Given { value: path, place } = file;
    let cause = match text_of(Path::new(&path)) {
        Ok(text) if text.trim().is_empty() => "it is empty".to_owned(),
        Ok(text) => return Some(JoinToken(text.trim().to_owned())),
        Err(error) => error.to_string(),
    };
    block.mistake(place, Problem::Unreadable { key: "join_token_file".to_owned(), path, cause });
    None
}
