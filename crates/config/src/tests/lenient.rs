use super::{INSECURE, agent, agent_text, lines, server, server_text};
use crate::server::{Overrides, load};
use crate::{Source, read};

#[test]
fn unknown_keys_pass_with_a_warning_where_spire_lets_them() {
    let text = server_text(
        "experimental { reqire_pq_kem = true }\nfederation { other = 1 }",
        "telemetry { InMemm {} }",
    );
    assert_eq!(
        lines(&server(&text).unwrap().warnings),
        "s.conf:4:16: unknown key \"reqire_pq_kem\" in server.experimental (did you mean \"require_pq_kem\"?). It is \
         ignored.\n\
         s.conf:5:14: unknown key \"other\" in server.federation. It is ignored.\n\
         s.conf:11:13: unknown key \"InMemm\" in telemetry (did you mean \"InMem\"?). It is ignored.\n"
    );
    let text = agent_text("trust_bundle_path = \"/b\" experimental { x = 1 }", "");
    assert_eq!(
        lines(&agent(&text).unwrap().warnings),
        "a.conf:5:41: unknown key \"x\" in agent.experimental. It is ignored.\n"
    );
}

#[test]
fn keys_about_polling_have_no_effect_and_say_so() {
    let keys = "experimental {\n cache_reload_interval = \"5s\"\n events_based_cache = true\n \
                prune_events_older_than = \"12h\"\n event_timeout = \"15m\"\n full_cache_reload_interval = \"24h\"\n}\n\
                max_attested_node_info_staleness = \"1m\"";
    let warnings = lines(&server(&server_text(keys, "")).unwrap().warnings);
    assert_eq!(warnings.lines().count(), 6, "{warnings}");
    assert!(warnings.starts_with(
        "s.conf:5:2: server.experimental.cache_reload_interval has no effect: changes are pushed from an ordered log; \
         nothing is reloaded on a timer\n"
    ));
    let bad = super::server_mistakes(&server_text("experimental { cache_reload_interval = \"5\" }", ""));
    assert!(bad.contains("cache_reload_interval \"5\": the unit is missing"), "{bad}");
    let both = "experimental { event_timeout = \"1m\" sql_transaction_timeout = \"1m\" }";
    let bad = super::server_mistakes(&server_text(both, ""));
    assert!(bad.contains("only one of event_timeout, sql_transaction_timeout may be set"), "{bad}");
}

#[test]
fn a_key_that_stands_twice_counts_the_second_time() {
    let settings = server(&server_text("bind_port = 1\nbind_port = 2", "")).unwrap();
    assert_eq!(settings.bind_port, 2);
    assert_eq!(
        lines(&settings.warnings),
        "s.conf:5:1: bind_port is set more than once; the last one counts\n"
    );
    let settings = server(&server_text("", "server { bind_port = 3 }")).unwrap();
    assert_eq!(settings.bind_port, 3);
}

#[test]
fn names_are_read_in_any_case_and_empty_values_are_none() {
    let settings = server(&server_text("Bind_Port = 5\nsocket_path = \"\"\nca_subject {}", "")).unwrap();
    assert_eq!(settings.bind_port, 5);
    assert_eq!(settings.socket_path.to_str(), Some("/tmp/spire-server/private/api.sock"));
    assert_eq!(
        lines(&settings.warnings),
        "s.conf:6:12: ca_subject is empty; the default C=US, O=SPIFFE is used\n"
    );
}

#[test]
fn rebootstrap_settings_have_no_effect_while_it_is_off() {
    let keys = "trust_bundle_path = \"/b\"\nrebootstrap_delay = \"10m\"\nprofiling_port = 1";
    assert_eq!(
        lines(&agent(&agent_text(keys, "")).unwrap().warnings),
        "a.conf:6:21: rebootstrap_delay has no effect: rebootstrap_mode is \"never\"\n\
         a.conf:7:1: profiling_port has no effect: profiling is off\n"
    );
    assert!(agent(&agent_text(&format!("{INSECURE} rebootstrap_mode = \"never\""), "")).is_ok());
}

#[test]
fn variables_in_a_file_are_expanded_on_demand_and_missing_ones_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.conf");
    let text =
        server_text("jwt_issuer = \"$HOME\" ca_subject { common_name = \"${NOT_SET_ANYWHERE}x\" }", "");
    std::fs::write(&path, &text).unwrap();
    let plain = load(&read(&path, false).unwrap(), &Overrides::default()).unwrap();
    assert_eq!(plain.jwt_issuer.as_deref(), Some("$HOME"));
    let expanded = load(&read(&path, true).unwrap(), &Overrides::default()).unwrap();
    assert_eq!(expanded.jwt_issuer, std::env::var("HOME").ok().filter(|home| !home.is_empty()));
    assert_eq!(expanded.ca_subject.common_name, "x");
    assert!(lines(&expanded.warnings).contains("environment variable NOT_SET_ANYWHERE is not set"));
}

#[test]
fn a_file_that_cannot_be_read_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.conf");
    let said = read(&path, false).unwrap_err().to_string();
    assert_eq!(
        said,
        format!("there is no configuration file at {}; name it with the -config flag", path.display())
    );
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(read(&path, false).unwrap_err().to_string().ends_with("is not UTF-8 text; save it as UTF-8"));
    std::fs::write(&path, vec![b' '; (1 << 20) + 1]).unwrap();
    assert!(read(&path, false).unwrap_err().to_string().contains("is longer than 1 MiB"));
    assert!(read(folder.path(), false).unwrap_err().to_string().contains("cannot be read"));
}

#[test]
fn source_text_that_is_not_hcl_is_one_mistake() {
    let report = load(&Source::new("s.conf", "server {"), &Overrides::default()).unwrap_err();
    assert_eq!(
        report.to_string(),
        "the configuration has a mistake:\n  s.conf:1:8: this \"{\" is never closed; add \"}\""
    );
}
