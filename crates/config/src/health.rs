//! The `health_checks` block.

use super::block::{Block, Unknown};
use super::check;
use super::problem::Problem;

/// Where, and whether, health is told over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthChecks {
    /// Whether to listen at all.
    pub listener_enabled: bool,
    /// The address to listen on.
    pub bind_address: String,
    /// The port to listen on.
    pub bind_port: u16,
    /// The path that says whether requests can be served.
    pub ready_path: String,
    /// The path that says whether the process works.
    pub live_path: String,
}

impl Default for HealthChecks {
    /// Off; `localhost:80`, `/ready` and `/live` when turned on.
    fn default() -> Self {
        Self {
            listener_enabled: false,
            bind_address: "localhost".to_owned(),
            bind_port: 80,
            ready_path: "/ready".to_owned(),
            live_path: "/live".to_owned(),
        }
    }
}

/// Reads the block, if there is one.
pub(crate) fn health_checks(top: &Block<'_>) -> HealthChecks {
    let mut settings = HealthChecks::default();
    let Some(block) = top.block("health_checks") else {
        return settings;
    };
    settings.listener_enabled = block.switch("listener_enabled").is_some_and(|given| given.value);
    if let Some(given) = block.text("bind_address") {
        settings.bind_address = check::host(given);
    }
    // An empty string stands for none, and is not a number.
    let set = block.fields("bind_port").iter().any(|field| {
        !matches!(field.node().map(|node| &node.value), Some(kit::hcl::Value::Text(text)) if text.is_empty())
    });
    if set && let Some(given) = block.number("bind_port") {
        settings.bind_port = check::port(&block, "bind_port", given).unwrap_or(settings.bind_port);
    }
    for (key, path) in [("ready_path", &mut settings.ready_path), ("live_path", &mut settings.live_path)] {
        let Some(given) = block.text(key) else { continue };
        if given.value.starts_with('/') {
            *path = given.value;
        } else {
            let why = "it must begin with \"/\"".to_owned();
            let problem = Problem::BadValue { key: key.to_owned(), value: given.value, why };
            block.mistake(given.place, problem);
        }
    }
    block.finish(Unknown::Refuse);
    settings
}
