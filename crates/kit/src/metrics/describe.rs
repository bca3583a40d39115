//! What is known of a metric before it is ever emitted.

use std::fmt;

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number that only grows.
    Counter,
    /// A number that is replaced.
    Gauge,
    /// Numbers of which quantiles are kept.
    Sample,
    /// A counter of calls by `status`, and beside it, under `.elapsed_time`, a sample of the milliseconds they took.
    Call,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Sample => "sample",
            Self::Call => "call",
        })
    }
}

/// A metric as it is declared.
pub trait Described {
    /// Its name with dots, without the prefix. For the calls of an API: `rpc.<service>.<method>`.
    fn name(&self) -> &'static str;
    /// What it is.
    fn kind(&self) -> Kind;
    /// The names of its labels, but for `status` of a call.
    fn labels(&self) -> &'static [&'static str];
    /// What it means.
    fn help(&self) -> &'static str;
}
