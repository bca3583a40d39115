//! What must be there, and what excludes each other.

use super::{agent_mistakes, server_mistakes};

const SERVER: &str = "\
server {
  trust_domain = \"example.org\"
  data_dir = \"/d\"
}
plugins {
  DataStore \"sql\" {
    plugin_data {
      database_type = \"sqlite3\"
      connection_string = \"db\"
    }
  }
  KeyManager \"disk\" {
    plugin_data {
      keys_path = \"k\"
    }
  }
  NodeAttestor \"x509pop\" {
    plugin_data {
      ca_bundle_path = \"/ca\"
    }
  }
}
";

const AGENT: &str = "\
agent {
  trust_domain = \"example.org\"
  server_address = \"s\"
  server_port = 8081
  trust_bundle_path = \"/b\"
}
plugins {
  KeyManager \"disk\" {
    plugin_data {
      directory = \"/d\"
    }
  }
  NodeAttestor \"x509pop\" {
    plugin_data {
      private_key_path = \"/k\"
      certificate_path = \"/c\"
    }
  }
  WorkloadAttestor \"unix\" {}
}
";

/// The file without the line, or the block, that begins with a word.
fn without(text: &str, word: &str) -> String {
    let mut kept = String::new();
    let mut depth = 0_usize;
    for line in text.lines() {
        let begins = depth == 0 && line.trim_start().starts_with(word);
        if begins || depth > 0 {
            depth += line.matches('{').count();
            depth -= line.matches('}').count();
            // What stands below keeps its line.
            kept.push('\n');
        } else {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    assert_ne!(kept, text, "{word} is not there");
    kept
}

#[test]
fn what_a_server_must_have_is_asked_for() {
    assert_eq!(crate::tests::server(SERVER).map(drop).map_err(|report| report.to_string()), Ok(()));
    for (word, expected) in [
        (
            "trust_domain",
            "s.conf:1:8: trust_domain must be configured: the name of the trust domain, as in \"example.org\"",
        ),
        (
            "data_dir",
            "s.conf:1:8: data_dir must be configured: the folder that the server keeps its state in",
        ),
        (
            "database_type",
            "s.conf:7:17: database_type must be configured: the kind of database; \"sqlite3\" is there",
        ),
        (
            "connection_string",
            "s.conf:7:17: connection_string must be configured: the path of the database file",
        ),
        ("keys_path", "s.conf:13:17: keys_path must be configured: the file that keys are kept in"),
        (
            "ca_bundle_path",
            "s.conf:18:17: ca_bundle_path or ca_bundle_paths must be configured: the authorities that node \
             certificates come from",
        ),
        ("DataStore", "s.conf: exactly one DataStore plugin must be configured, 0 are; known are \"sql\""),
        (
            "KeyManager",
            "s.conf: exactly one KeyManager plugin must be configured, 0 are; known are \"disk\", \"memory\"",
        ),
        ("plugins", "s.conf: plugins must be configured: it holds the plugins to run with"),
    ] {
        assert_eq!(server_mistakes(&without(SERVER, word)).trim_end(), expected);
    }
    let nothing = server_mistakes(&without(SERVER, "server"));
    assert!(
        nothing.contains("s.conf: trust_domain must be") && nothing.contains("s.conf: data_dir must"),
        "{nothing}"
    );
}

#[test]
fn what_an_agent_must_have_is_asked_for() {
    assert_eq!(crate::tests::agent(AGENT).map(drop).map_err(|report| report.to_string()), Ok(()));
    for (word, expected) in [
        (
            "trust_domain",
            "a.conf:1:7: trust_domain must be configured: the name of the trust domain, as in \"example.org\"",
        ),
        ("server_address", "a.conf:1:7: server_address must be configured: the server's name or IP address"),
        (
            "server_port",
            "a.conf:1:7: server_port must be configured: the server's port, 8081 if it was not changed",
        ),
        (
            "trust_bundle_path",
            "a.conf:1:7: trust_bundle_path, trust_bundle_url or insecure_bootstrap must be configured: without one the \
             agent cannot tell the server from an impostor",
        ),
        ("directory", "a.conf:9:17: directory must be configured: the folder that keys are kept in"),
        (
            "private_key_path",
            "a.conf:14:17: private_key_path must be configured: the key to attest with, PEM",
        ),
        (
            "certificate_path",
            "a.conf:14:17: certificate_path must be configured: the certificate to attest with, PEM",
        ),
        (
            "KeyManager",
            "a.conf: exactly one KeyManager plugin must be configured, 0 are; known are \"disk\", \"memory\", \"tpm\"",
        ),
        (
            "NodeAttestor",
            "a.conf: exactly one NodeAttestor plugin must be configured, 0 are; known are \"join_token\", \"x509pop\", \
             \"http_challenge\", \"sshpop\", \"tpm_devid\"",
        ),
        (
            "WorkloadAttestor",
            "a.conf: at least one WorkloadAttestor plugin must be configured, 0 are; known are \"unix\", \"docker\", \"k8s\", \"systemd\", \"slurm\"",
        ),
        ("plugins", "a.conf: plugins must be configured: it holds the plugins to run with"),
    ] {
        assert_eq!(agent_mistakes(&without(AGENT, word)).trim_end(), expected);
    }
}

/// A server's file with one more line below another.
fn server_with(below: &str, line: &str) -> String {
    server_mistakes(&SERVER.replacen(below, &format!("{below}\n{line}"), 1))
}

fn agent_with(below: &str, line: &str) -> String {
    agent_mistakes(&AGENT.replacen(below, &format!("{below}\n{line}"), 1))
}

#[test]
fn keys_that_exclude_each_other_are_told_where_the_last_one_stands() {
    for (below, line, expected) in [
        (
            "data_dir = \"/d\"",
            "experimental { event_timeout = \"1m\" sql_transaction_timeout = \"1m\" }",
            "s.conf:4:63: only one of event_timeout, sql_transaction_timeout may be set; remove the others",
        ),
        (
            "ca_bundle_path = \"/ca\"",
            "ca_bundle_paths = [\"/ca\"]",
            "s.conf:19:24: only one of ca_bundle_path, ca_bundle_paths may be set; remove the others",
        ),
        (
            "ca_bundle_path = \"/ca\"",
            "spiffe_prefix = \"/p\"",
            "s.conf:20:1: spiffe_prefix has no meaning with mode \"external_pki\"; remove it",
        ),
        (
            "ca_bundle_path = \"/ca\"",
            "mode = \"spiffe\"",
            "s.conf:19:7: ca_bundle_path has no meaning with mode \"spiffe\", where the trust domain's own bundle is \
             used; remove it",
        ),
        (
            "NodeAttestor \"x509pop\" {",
            "plugin_data_file = \"/f\"",
            "s.conf:17:16: only one of plugin_data, plugin_data_file may be set; remove the others",
        ),
        (
            "NodeAttestor \"x509pop\" {",
            "plugin_checksum = \"aa\"",
            "s.conf:18:1: plugin_checksum has no meaning without plugin_cmd; set that too, or remove this",
        ),
        (
            "plugins {",
            "KeyManager \"memory\" {}",
            "s.conf: exactly one KeyManager plugin must be configured, 2 are; known are \"disk\", \"memory\"",
        ),
        (
            "plugins {",
            "NodeAttestor \"x509pop\" {}",
            "s.conf:18:16: plugin NodeAttestor \"x509pop\" is declared more than once; keep one",
        ),
        (
            "data_dir = \"/d\"",
            "default_x509_svid_ttl = \"25h\"",
            "s.conf:4:25: default_x509_svid_ttl 25h is longer than ca_ttl 24h",
        ),
        ("data_dir = \"/d\"", "agent_ttl = \"25h\"", "s.conf:4:13: agent_ttl 25h is longer than ca_ttl 24h"),
        (
            "data_dir = \"/d\"",
            "default_jwt_svid_ttl = \"25h\"",
            "s.conf:4:24: default_jwt_svid_ttl 25h is longer than ca_ttl 24h",
        ),
    ] {
        let said = server_with(below, line);
        assert!(said.contains(expected), "{line}\n{said}\n{expected}");
    }
    for (below, line, expected) in [
        (
            "trust_bundle_path = \"/b\"",
            "trust_bundle_url = \"https://b\"",
            "a.conf:6:20: only one of trust_bundle_path, trust_bundle_url may be set; remove the others",
        ),
        (
            "trust_bundle_path = \"/b\"",
            "insecure_bootstrap = true",
            "a.conf:5:23: only one of insecure_bootstrap, trust_bundle_path may be set; remove the others",
        ),
        (
            "trust_bundle_path = \"/b\"",
            "trust_bundle_unix_socket = \"/s\"",
            "a.conf:6:28: trust_bundle_unix_socket has no meaning without trust_bundle_url; set that too, or remove this",
        ),
        (
            "trust_bundle_path = \"/b\"",
            "join_token = \"t\" join_token_file = \"/t\"",
            "only one of join_token, join_token_file may be set; remove the others",
        ),
        (
            "private_key_path = \"/k\"",
            "spiffe_endpoint_socket = \"unix:///x\"",
            "a.conf:15:7: private_key_path has no meaning with spiffe_endpoint_socket, where certificate and key come \
             from; remove it",
        ),
        (
            "plugins {",
            "NodeAttestor \"join_token\" {}",
            "a.conf: exactly one NodeAttestor plugin must be configured, 2 are; known are \"join_token\", \"x509pop\", \
             \"http_challenge\"",
        ),
    ] {
        let said = agent_with(below, line);
        assert!(said.contains(expected), "{line}\n{said}\n{expected}");
    }
}
