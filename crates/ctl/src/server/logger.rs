//! `logger get`, `logger set`, `logger reset`.

use kit::flags::{Command, Example, Flag, Values};
use proto::spire::api::server::logger::v1::logger_client::LoggerClient;
use proto::spire::api::server::logger::v1::{GetLoggerRequest, ResetLogLevelRequest, SetLogLevelRequest};
use proto::spire::api::types::{LogLevel, Logger};

use super::{SOCKET, command, dial};
use crate::fault::Fault;
use crate::json::ToJson as _;
use crate::output::{self, Form, print_json};
use crate::terminal::Terminal;

const LEVEL: &[Flag] =
    &[Flag::text("level", "The new log level: panic, fatal, error, warn, info, debug or trace")];

pub(super) static GET: Command =
    command("logger get", "Tells how much the server logs", &[SOCKET, output::FLAGS])
        .with(&[Example::new("The level now and that of the launch", "")]);
pub(super) static SET: Command =
    command("logger set", "Changes how much the server logs, until it ends", &[SOCKET, output::FLAGS, LEVEL])
        .with(&[Example::new("Log what helps to find a fault", "-level debug")]);
pub(super) static RESET: Command =
    command("logger reset", "Goes back to the log level of the launch", &[SOCKET, output::FLAGS])
        .with(&[Example::new("Log as configured", "")]);

pub(super) async fn get(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let mut client = LoggerClient::new(dial(values, terminal).await?);
    let answer =
        client.get_logger(GetLoggerRequest {}).await.map_err(Fault::call("error fetching logger"))?;
    print(values, terminal, &answer.into_inner())
}

pub(super) async fn set(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let given =
        values.nonempty("level").ok_or_else(|| Fault::Usage("a value (-level) must be set".to_owned()))?;
    let level = kit::log::Level::parse(given)
        .map_err(|error| Fault::Usage(format!("the value {given:?} is not a valid setting: {error}")))?;
    let level = LEVELS.into_iter().find(|(_, name)| *name == level.as_str()).map(|(level, _)| level);
    let request = SetLogLevelRequest { new_level: level.unwrap_or_default().into() };
    let mut client = LoggerClient::new(dial(values, terminal).await?);
    let answer = client.set_log_level(request).await.map_err(Fault::call("failed to set log level"))?;
    print(values, terminal, &answer.into_inner())
}

pub(super) async fn reset(values: &Values, terminal: &mut Terminal<'_>) -> Result<(), Fault> {
    let mut client = LoggerClient::new(dial(values, terminal).await?);
    let answer = client.reset_log_level(ResetLogLevelRequest {}).await;
    print(values, terminal, &answer.map_err(Fault::call("failed to reset logger"))?.into_inner())
}

/// The levels as logrus names them.
const LEVELS: [(LogLevel, &str); 7] = [
    (LogLevel::Panic, "panic"),
    (LogLevel::Fatal, "fatal"),
    (LogLevel::Error, "error"),
    (LogLevel::Warn, "warning"),
    (LogLevel::Info, "info"),
    (LogLevel::Debug, "debug"),
    (LogLevel::Trace, "trace"),
];

fn print(values: &Values, terminal: &mut Terminal<'_>, logger: &Logger) -> Result<(), Fault> {
    if output::form(values) == Form::Json {
        return Ok(print_json(terminal.out, logger.to_json())?);
    }
    let name =
        |level| LEVELS.into_iter().find(|(known, _)| *known == level).map_or("unknown", |(_, name)| name);
    writeln!(terminal.out, "Logger Level : {}", name(logger.current_level()))?;
    writeln!(terminal.out, "Launch Level : {}\n", name(logger.launch_level()))?;
    Ok(())
}
