mod agent;
mod all_plugins;
mod keys;
mod lenient;
mod plugins;
mod required;
mod server;
mod telemetry;
mod ttl;
mod values;
mod workload;

use std::fmt::Write as _;

use crate::agent::AgentSettings;
use crate::server::ServerSettings;
use crate::{Report, Source};

/// A server's file that works, with more keys in its `server` block and more at its top.
fn server_text(keys: &str, top: &str) -> String {
    format!(
        "server {{\n  trust_domain = \"example.org\"\n  data_dir = \"/data\"\n{keys}\n}}\n\
         plugins {{\n  DataStore \"sql\" {{ plugin_data {{ database_type = \"sqlite3\" connection_string = \"/data/db\" }} }}\n  \
         KeyManager \"disk\" {{ plugin_data {{ keys_path = \"/data/keys.json\" }} }}\n}}\n{top}"
    )
}

/// An agent's file that works, with more keys in its `agent` block and more at its top.
fn agent_text(keys: &str, top: &str) -> String {
    format!(
        "agent {{\n  trust_domain = \"example.org\"\n  server_address = \"localhost\"\n  server_port = 8081\n{keys}\n}}\n\
         plugins {{\n  KeyManager \"disk\" {{ plugin_data {{ directory = \"/data\" }} }}\n  \
         NodeAttestor \"join_token\" {{ plugin_data {{}} }}\n  \
         WorkloadAttestor \"unix\" {{ plugin_data {{}} }}\n}}\n{top}"
    )
}

const INSECURE: &str = "insecure_bootstrap = true";

fn server(text: &str) -> Result<ServerSettings, Report> {
    crate::server::load(&Source::new("s.conf", text), &crate::server::Overrides::default())
}

fn agent(text: &str) -> Result<AgentSettings, Report> {
    crate::agent::load(&Source::new("a.conf", text), &crate::agent::Overrides::default())
}

/// What is said, a line for each.
fn lines<T: std::fmt::Display>(said: &[T]) -> String {
    said.iter().fold(String::new(), |mut all, one| {
        let _ = writeln!(all, "{one}");
        all
    })
}

fn server_mistakes(text: &str) -> String {
    lines(server(text).unwrap_err().mistakes())
}

fn agent_mistakes(text: &str) -> String {
    lines(agent(text).unwrap_err().mistakes())
}

/// Checks that a server's file with `keys` is refused with `expected`, and nothing else.
#[track_caller]
fn server_refuses(keys: &str, expected: &str) {
    assert_eq!(server_mistakes(&server_text(keys, "")).trim_end(), expected, "{keys}");
}

/// Checks that an agent's file with `keys` is refused with `expected`, and nothing else.
#[track_caller]
fn agent_refuses(keys: &str, expected: &str) {
    assert_eq!(agent_mistakes(&agent_text(keys, "")).trim_end(), expected, "{keys}");
}
