//! What a command has around it.

use std::io::{Read, Write};

use kit::clock::Clock;

/// Where a command reads and writes, what the environment says, and the time.
pub struct Terminal<'a> {
    /// The standard input.
    pub input: &'a mut dyn Read,
    /// The standard output.
    pub out: &'a mut dyn Write,
    /// The standard error output.
    pub err: &'a mut dyn Write,
    /// Looks up a variable of the environment.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// Tells the time.
    pub clock: Clock,
}
