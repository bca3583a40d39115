//! `spire.api.server.logger.v1.Logger`: how much the server logs.

use kit::log::{Control, Level};
use proto::spire::api::server::logger::v1::{
    GetLoggerRequest, ResetLogLevelRequest, SetLogLevelRequest, logger_server,
};
use proto::spire::api::types::{LogLevel, Logger};
use tonic::{Code, Request, Response, Status};

use super::failure::refuse;

/// The service.
pub struct LoggerApi(Control);

impl LoggerApi {
    /// Shows and changes the level of `log`.
    pub fn new(log: Control) -> Self {
        tracing::info!(launch_log_level = log.launch_level().as_str(), "Logger service configured");
        Self(log)
    }

    fn state(&self) -> Response<Logger> {
        Response::new(Logger {
            current_level: wire(self.0.level()).into(),
            launch_level: wire(self.0.launch_level()).into(),
        })
    }
}

fn wire(level: Level) -> LogLevel {
    match level {
        Level::Panic => LogLevel::Panic,
        Level::Fatal => LogLevel::Fatal,
        Level::Error => LogLevel::Error,
        Level::Warn => LogLevel::Warn,
        Level::Info => LogLevel::Info,
        Level::Debug => LogLevel::Debug,
        Level::Trace => LogLevel::Trace,
    }
}

fn level(wire: i32) -> Result<Level, Status> {
    match LogLevel::try_from(wire) {
        Ok(LogLevel::Unspecified) => {
            Err(refuse(Code::InvalidArgument, "newLevel value cannot be LogLevel_UNSPECIFIED"))
        }
        Ok(LogLevel::Panic) => Ok(Level::Panic),
        Ok(LogLevel::Fatal) => Ok(Level::Fatal),
        Ok(LogLevel::Error) => Ok(Level::Error),
        Ok(LogLevel::Warn) => Ok(Level::Warn),
        Ok(LogLevel::Info) => Ok(Level::Info),
        Ok(LogLevel::Debug) => Ok(Level::Debug),
        Ok(LogLevel::Trace) => Ok(Level::Trace),
        Err(_) => Err(refuse(Code::InvalidArgument, "unsupported log level")),
    }
}

#[tonic::async_trait]
impl logger_server::Logger for LoggerApi {
    async fn get_logger(&self, _: Request<GetLoggerRequest>) -> Result<Response<Logger>, Status> {
        tracing::info!("GetLogger Called");
        Ok(self.state())
    }

    async fn set_log_level(&self, request: Request<SetLogLevelRequest>) -> Result<Response<Logger>, Status> {
        let new = level(request.into_inner().new_level)?;
        tracing::info!(new_log_level = new.as_str(), "SetLogLevel Called");
        self.0.set_level(new);
        Ok(self.state())
    }

    async fn reset_log_level(&self, _: Request<ResetLogLevelRequest>) -> Result<Response<Logger>, Status> {
        tracing::info!(launch_log_level = self.0.launch_level().as_str(), "ResetLogLevel Called");
        self.0.reset_level();
        Ok(self.state())
    }
}

#[cfg(test)]
mod tests {
    use proto::spire::api::server::logger::v1::logger_server::Logger as _;

    use super::*;

    #[tokio::test]
    async fn the_level_is_changed_and_goes_back_to_that_of_the_launch() {
        let (_layer, log) =
            kit::log::layer::<tracing_subscriber::Registry>(kit::log::Options::default()).unwrap();
        let api = LoggerApi::new(log.clone());
        let set = |new_level| api.set_log_level(Request::new(SetLogLevelRequest { new_level }));
        for level in Level::ALL {
            let state = set(wire(level).into()).await.unwrap().into_inner();
            assert_eq!((state.current_level(), state.launch_level()), (wire(level), LogLevel::Info));
            assert_eq!(log.level(), level);
        }
        let refused = set(0).await.unwrap_err();
        assert_eq!(refused.message(), "newLevel value cannot be LogLevel_UNSPECIFIED");
        assert_eq!(set(99).await.unwrap_err().message(), "unsupported log level");
        let state = api.reset_log_level(Request::new(ResetLogLevelRequest {})).await.unwrap().into_inner();
        assert_eq!((state.current_level(), log.level()), (LogLevel::Info, Level::Info));
    }
}
