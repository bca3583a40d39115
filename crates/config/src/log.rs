//! The `log_*` keys, which server and agent share.

use kit::log::{Format, Level, Options, Output};

use super::block::Block;
use super::given::{Given, flag_or, switch_or};
use super::problem::Problem;

/// The flags that stand over the `log_*` keys.
#[derive(Clone, Copy)]
pub(crate) struct LogFlags<'a> {
    pub(crate) file: Option<&'a str>,
    pub(crate) format: Option<&'a str>,
    pub(crate) level: Option<&'a str>,
    pub(crate) source_location: bool,
}

/// How to log.
pub(crate) fn log(block: &Block<'_>, flags: LogFlags<'_>) -> Options {
    let level = flag_or("-logLevel", flags.level, block.text("log_level"));
    let format = flag_or("-logFormat", flags.format, block.text("log_format"));
    let file = flag_or("-logFile", flags.file, block.text("log_file"));
    let source = switch_or("-logSourceLocation", flags.source_location, block.switch("log_source_location"));
    Options {
        level: parsed(block, "log_level", level, Level::parse),
        format: parsed(block, "log_format", format, Format::parse),
        source_location: source.is_some_and(|given| given.value),
        output: file.map_or(Output::Stdout, |given| Output::File(given.value.into())),
    }
}

fn parsed<T: Default, E: std::fmt::Display>(
    block: &Block<'_>,
    key: &str,
    given: Option<Given<String>>,
    parse: impl Fn(&str) -> Result<T, E>,
) -> T {
    let Some(Given { value, place }) = given else {
        return T::default();
    };
    parse(&value).unwrap_or_else(|error| {
        let why = error.to_string();
        block.mistake(place, Problem::BadValue { key: key.to_owned(), value, why });
        T::default()
    })
}
