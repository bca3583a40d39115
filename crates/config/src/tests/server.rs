use std::time::Duration;

use kit::log::{Format, Level, Output};
use spiffe::key::KeyType;

use super::{server, server_mistakes, server_refuses, server_text};
use crate::server::{
    CaSubject, DataStore, KeyManager, NodeAttestor, Overrides, RateLimit, X509popMode, load,
};
use crate::{HealthChecks, Source};

#[test]
fn a_small_file_gets_the_defaults_of_spire() {
    let settings = server(&server_text("", "")).unwrap();
    assert_eq!(settings.trust_domain.as_str(), "example.org");
    assert_eq!((settings.bind_address.as_str(), settings.bind_port), ("0.0.0.0", 8081));
    assert_eq!(settings.socket_path.to_str(), Some("/tmp/spire-server/private/api.sock"));
    assert_eq!(settings.log.level, Level::Info);
    assert_eq!(settings.log.format, Format::Default);
    assert_eq!(settings.log.output, Output::Stdout);
    assert_eq!(settings.ca_ttl, Duration::from_secs(24 * 3600));
    assert_eq!(settings.default_x509_svid_ttl, Duration::from_secs(3600));
    assert_eq!(settings.agent_ttl, Duration::from_secs(3600));
    assert_eq!(settings.default_jwt_svid_ttl, Duration::from_secs(300));
    assert_eq!((settings.ca_key_type, settings.jwt_key_type), (KeyType::EcP256, KeyType::EcP256));
    assert_eq!(settings.ca_subject, CaSubject::default());
    assert_eq!(settings.rate_limit, RateLimit { attestation: true, signing: true });
    assert_eq!(settings.health_checks, HealthChecks::default());
    assert!(settings.admin_ids.is_empty() && settings.node_attestors.is_empty());
    assert!(settings.warnings.is_empty());
}

#[test]
fn every_supported_key_is_read() {
    let text = r#"
server {
    trust_domain = "spiffe://td.example"
    bind_address = "[::1]"
    bind_port = "9081"              # SPIRE takes a string too
    socket_path = "/run/s.sock"
    data_dir = "./data"
    log_level = "debug"
    log_format = "JSON"
    log_file = "/var/log/s.log"
    log_source_location = true
    ca_ttl = "168h"
    ca_key_type = "RSA-4096"
    jwt_key_type = "ec-p384"
    ca_subject {
        country = ["DE", "FR"]
        organization = ["Example"]
        common_name = "root"
    }
    default_x509_svid_ttl = "2h"
    default_jwt_svid_ttl = "10m"
    agent_ttl = "12h"
    jwt_issuer = "https://issuer.example"
    admin_ids = ["spiffe://other.example/admin"]
    disable_jwt_svids = true
    audit_log_enabled = false
    ratelimit { attestation = false }
}
plugins {
    DataStore "sql" {
        plugin_data {
            database_type = "sqlite3"
            connection_string = "db.sqlite3"
            max_open_conns = 4
        }
    }
    KeyManager "disk" { plugin_data { keys_path = "keys.json" } }
    NodeAttestor "join_token" { plugin_data {} }
    NodeAttestor "x509pop" {
        plugin_data {
            mode = "spiffe"
            spiffe_prefix = "/nodes"
            agent_path_template = "/x/{{ .SVIDPathTrimmed }}"
            max_intermediates = 2
            max_rsa_key_size = 4096
            verify_client_ip = true
        }
    }
    UpstreamAuthority "disk" {
        enabled = false
        plugin_data { key_file_path = "k" }
    }
}
health_checks {
    listener_enabled = true
    bind_address = "127.0.0.1"
    bind_port = "8080"
    ready_path = "/r"
    live_path = "/l"
}
"#;
    let settings = server(text).unwrap();
    assert_eq!(settings.trust_domain.as_str(), "td.example");
    assert_eq!((settings.bind_address.as_str(), settings.bind_port), ("::1", 9081));
    assert_eq!((settings.log.level, settings.log.format), (Level::Debug, Format::Json));
    assert_eq!(settings.log.output, Output::File("/var/log/s.log".into()));
    assert!(settings.log.source_location && settings.disable_jwt_svids);
    assert_eq!((settings.ca_key_type, settings.jwt_key_type), (KeyType::Rsa4096, KeyType::EcP384));
    assert_eq!(settings.ca_subject.country, ["DE", "FR"]);
    assert_eq!(settings.agent_ttl, Duration::from_secs(12 * 3600));
    assert_eq!(settings.jwt_issuer.as_deref(), Some("https://issuer.example"));
    assert_eq!(settings.admin_ids[0].as_str(), "spiffe://other.example/admin");
    assert_eq!(settings.rate_limit, RateLimit { attestation: false, signing: true });
    let DataStore::Sqlite(sqlite) = &settings.data_store;
    assert_eq!((sqlite.connection_string.as_str(), sqlite.max_open_conns), ("db.sqlite3", Some(4)));
    assert_eq!(settings.key_manager, KeyManager::Disk { keys_path: "keys.json".into() });
    assert_eq!(settings.node_attestors[0], NodeAttestor::JoinToken);
    let NodeAttestor::X509pop(x509pop) = &settings.node_attestors[1] else { panic!() };
    assert_eq!(x509pop.mode, X509popMode::Spiffe { prefix: "/nodes/".to_owned() });
    assert_eq!(x509pop.agent_path_template.as_deref(), Some("/x/{{ .SVIDPathTrimmed }}"));
    assert!(x509pop.verify_client_ip);
    assert_eq!(settings.health_checks.bind_port, 8080);
    assert_eq!(settings.health_checks.ready_path, "/r");
    assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
}

#[test]
fn json_says_the_same() {
    let text = r#"{
      "server": {"trust_domain": "example.org", "data_dir": "/data", "bind_port": 1234,
        "ca_subject": [{"country": ["US"], "organization": ["O"]}], "experimental": {}},
      "plugins": {
        "DataStore": [{"sql": {"plugin_data": {"database_type": "sqlite3", "connection_string": "/data/db"}}}],
        "KeyManager": {"memory": {"plugin_data": {}}},
        "NodeAttestor": {"x509pop": {"plugin_data": {"ca_bundle_paths": ["/a.pem", "/b.pem"]}}}
      },
      "health_checks": {"listener_enabled": true, "bind_port": "8080"}
    }"#;
    let settings = server(text).unwrap();
    assert_eq!(settings.bind_port, 1234);
    assert_eq!(settings.ca_subject.organization, ["O"]);
    assert_eq!(settings.key_manager, KeyManager::Memory);
    assert!(settings.health_checks.listener_enabled);
    let NodeAttestor::X509pop(x509pop) = &settings.node_attestors[0] else { panic!() };
    let X509popMode::ExternalPki { ca_bundle_paths } = &x509pop.mode else { panic!() };
    assert_eq!(ca_bundle_paths.len(), 2);
}

#[test]
fn flags_stand_over_the_file() {
    let flags = Overrides {
        bind_address: Some("127.0.0.1".to_owned()),
        server_port: Some(1),
        data_dir: Some("/other".to_owned()),
        log_level: Some("TRACE".to_owned()),
        log_source_location: true,
        socket_path: Some(String::new()),
        trust_domain: Some("other.example".to_owned()),
        ..Overrides::default()
    };
    let text = server_text("socket_path = \"/s.sock\"\nlog_level = \"ERROR\"\nbind_port = 2", "");
    let settings = load(&Source::new("s.conf", &text), &flags).unwrap();
    assert_eq!((settings.bind_address.as_str(), settings.bind_port), ("127.0.0.1", 1));
    assert_eq!(settings.data_dir.to_str(), Some("/other"));
    assert_eq!(settings.socket_path.to_str(), Some("/s.sock"));
    assert_eq!(settings.log.level, Level::Trace);
    assert!(settings.log.source_location);
    assert_eq!(settings.trust_domain.as_str(), "other.example");
}

#[test]
fn a_mistake_in_a_flag_names_the_flag() {
    let flags = Overrides {
        trust_domain: Some("Not A Domain".to_owned()),
        server_port: Some(70_000),
        ..Overrides::default()
    };
    let report = load(&Source::new("s.conf", &server_text("", "")), &flags).unwrap_err().to_string();
    assert!(report.starts_with("the configuration has 2 mistakes:\n"), "{report}");
    assert!(report.contains("flag -trustDomain: trust_domain \"Not A Domain\" cannot be used: "), "{report}");
    assert!(report.contains("flag -serverPort: bind_port \"70000\" cannot be used: a port is"), "{report}");
}

#[test]
fn flags_may_stand_in_for_the_server_block() {
    let flags = Overrides {
        data_dir: Some("/d".to_owned()),
        trust_domain: Some("example.org".to_owned()),
        ..Overrides::default()
    };
    let text = server_text("", "").split_once("plugins").map(|(_, rest)| format!("plugins{rest}")).unwrap();
    assert!(load(&Source::new("s.conf", &text), &flags).is_ok());
    assert!(server_mistakes(&text).contains("s.conf: trust_domain must be configured"));
}

#[test]
fn all_mistakes_are_reported_at_once_in_the_order_they_stand() {
    let text = "\
server {
    trust_domian = \"example.org\"
    bind_port = \"eighty\"
    data_dir = [\"/data\"]
    ca_key_type = \"dsa\"
    log_level = \"loud\"
    ca_ttl = \"1d\"
    admin_ids = [\"https://example.org\"]
    ratelimit { attestation = \"yes\" }
    experimental { require_pq_kem = true }
}
plugins {
    DataStore \"sql\" {
        plugin_data { database_type = \"postgres\" connection_string = \"host=db\" }
    }
    KeyManager \"disc\" {}
    NodeAttestr \"join_token\" {}
}
health_check {}
";
    let said = server_mistakes(text);
    let expected = [
        "s.conf:1:8: trust_domain must be configured: the name of the trust domain, as in \"example.org\"",
        "s.conf:1:8: data_dir must be configured: the folder that the server keeps its state in",
        "s.conf:2:5: unknown key \"trust_domian\" in server; did you mean \"trust_domain\"?",
        "s.conf:3:17: bind_port must be a whole number, not a string",
        "s.conf:4:16: data_dir must be a string in double quotes, not a list",
        "s.conf:5:19: ca_key_type \"dsa\" cannot be used: it must be one of ec-p256, ec-p384, rsa-2048, rsa-4096",
        "s.conf:6:17: log_level \"loud\" cannot be used: log level \"loud\" is unknown; use panic, fatal, error, \
         warn, info, debug or trace",
        "s.conf:7:14: ca_ttl \"1d\": the unit is unknown; units are h, m, s, ms, us, ns (a day is \"24h\")",
    ];
    let starts: Vec<&str> = said.lines().collect();
    assert_eq!(starts[..expected.len()], expected);
    let rest = [
        "s.conf:8:18: admin_ids \"https://example.org\" cannot be used: ",
        "s.conf:9:31: attestation must be true or false, without quotes, not a string",
        "s.conf:10:20: server.experimental.require_pq_kem is not supported yet: it would ",
        "s.conf:14:39: database_type \"postgres\" is not supported yet: it would keep the registry in that database;",
        "s.conf:16:16: unknown key \"disc\" in plugins.KeyManager; did you mean \"disk\"?",
        "s.conf:17:5: unknown key \"NodeAttestr\" in plugins; did you mean \"NodeAttestor\"?",
        "s.conf:19:1: unknown key \"health_check\" in the top of the file; did you mean \"health_checks\"?",
    ];
    for (line, expected) in starts[8..].iter().zip(rest) {
        assert!(line.starts_with(expected), "{line}\n{expected}");
    }
    assert_eq!(starts.len(), 15, "{said}");
}

#[test]
fn a_syntax_error_names_its_place() {
    let said = server_mistakes("server {\n  data_dir = /data\n}\n");
    assert_eq!(
        said,
        "s.conf:2:14: a single \"/\" means nothing; a comment begins with \"//\", \"#\" or \"/*\"\n"
    );
}

#[test]
fn keys_of_later_features_are_refused_unless_they_ask_for_nothing() {
    for harmless in [
        "prune_attested_nodes_expired_for = \"\"",
        "prune_tofu_nodes = false",
        "proxy_protocol_trusted_cidrs = []",
        "profiling_enabled = false",
        "experimental { require_pq_kem = false  feature_flags = [] named_pipe_name = \"\" }",
        "federation {}",
    ] {
        assert!(server(&server_text(harmless, "")).unwrap().warnings.is_empty(), "{harmless}");
    }
    server_refuses(
        "experimental { require_pq_kem = true }",
        "s.conf:4:16: server.experimental.require_pq_kem is not supported yet: it would refuse TLS without a \
         post-quantum key exchange; remove it to go on without",
    );
    server_refuses(
        "experimental { named_pipe_name = \"x\" }",
        "s.conf:4:16: server.experimental.named_pipe_name is for Windows; use socket_path here",
    );
    server_refuses(
        "experimental { feature_flags = [\"x\"] }",
        "s.conf:4:33: feature_flags \"x\" cannot be used: there is no such feature flag",
    );
}

#[test]
fn federation_is_refused_by_name() {
    let said = server_mistakes(&server_text(
        "federation { bundle_endpoint { port = 8443 } federates_with \"a.example\" {} }",
        "",
    ));
    let starts = [
        "s.conf:4:14: server.federation.bundle_endpoint is not supported yet",
        "s.conf:4:46: server.federation.federates_with is not supported yet",
    ];
    for (line, start) in said.lines().zip(starts) {
        assert!(line.starts_with(start), "{said}");
    }
    assert_eq!(said.lines().count(), 2);
}

#[test]
fn a_missing_plugins_block_is_one_mistake() {
    let said = server_mistakes("server { trust_domain = \"example.org\" data_dir = \"/d\" }");
    assert_eq!(said, "s.conf: plugins must be configured: it holds the plugins to run with\n");
}

#[test]
fn wit_svids_are_off_unless_their_flag_is_set() {
    let read = |text: &str| server(&server_text(text, "")).unwrap().wit;
    assert_eq!(read("experimental { wit_key_type = \"rsa-2048\" wit_issuer = \"i\" }"), None);
    let flag = "feature_flags = [\"wit-svid\"]";
    let wit = read(&format!("ca_key_type = \"ec-p384\" experimental {{ {flag} }}")).unwrap();
    assert_eq!((wit.key_type, wit.issuer), (KeyType::EcP384, None));
    let text = format!("experimental {{ {flag} wit_key_type = \"rsa-2048\" wit_issuer = \"i\" }}");
    let wit = read(&text).unwrap();
    assert_eq!((wit.key_type, wit.issuer.as_deref()), (KeyType::Rsa2048, Some("i")));
}

#[test]
fn profiles_are_wanted_by_name() {
    let keys = "profiling_enabled = true profiling_port = 6060 profiling_freq = 5 profiling_names = [\"cpu\", \"cpus\"]";
    let read = server(&server_text(keys, "")).unwrap();
    let profiling = read.profiling.unwrap();
    assert_eq!((profiling.port, profiling.every), (Some(6060), Some(Duration::from_secs(5))));
    assert_eq!(profiling.names, ["cpu"]);
    let warnings: String = read.warnings.iter().map(ToString::to_string).collect();
    assert!(
        warnings.contains("unknown key \"cpus\" in profiling_names (did you mean \"cpu\"?)"),
        "{warnings}"
    );
}
