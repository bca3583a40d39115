//! Plugins that are programs of their own (`plugin_cmd`).

use std::path::PathBuf;

use super::block::Block;
use super::given::Given;
use super::problem::Problem;

/// A program that is run as a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct External {
    /// Its name.
    pub name: String,
    /// The program.
    pub command: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// The SHA-256 that the program must have, 64 hexadecimal digits.
    pub checksum: Option<String>,
    /// Its settings.
    pub data: PluginData,
}

/// Where the settings of a plugin stand that reads them by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PluginData {
    /// There are none.
    None,
    /// In the configuration; as HCL text.
    Inline(String),
    /// In a file that is read again at SIGUSR1.
    File(PathBuf),
}

/// The checksum, if it is one.
pub(crate) fn checksum(block: &Block<'_>, given: Option<Given<String>>) -> Option<String> {
    let Given { value, place } = given?;
    if value.len() == 64 && value.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Some(value);
    }
    let why = "it must be the SHA-256 of the program, 64 hexadecimal digits (sha256sum prints it)".to_owned();
    block.mistake(place, Problem::BadValue { key: "plugin_checksum".to_owned(), value, why });
    None
}
