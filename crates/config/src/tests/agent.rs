use std::time::Duration;

use spiffe::bundle::BundleForm;
use spiffe::key::KeyType;

use super::{INSECURE, agent, agent_mistakes, agent_refuses, agent_text, lines};
use crate::Source;
use crate::agent::{
    AgentSettings, Bootstrap, CallLimits, KeyManager, NodeAttestor, Overrides, Unix, WorkloadAttestor,
    X509pop, load,
};

#[test]
fn a_small_file_gets_the_defaults_of_spire() {
    let settings = agent(&agent_text("trust_bundle_path = \"/b.pem\"", "")).unwrap();
    assert_eq!(settings.server_address, "localhost");
    assert_eq!(settings.server_port, 8081);
    assert_eq!(settings.socket_path.to_str(), Some("/tmp/spire-agent/public/api.sock"));
    assert_eq!(settings.data_dir.to_str(), Some("."));
    let bootstrap = Bootstrap::File { path: "/b.pem".into(), format: BundleForm::Pem };
    assert_eq!(settings.bootstrap, bootstrap);
    assert_eq!(settings.workload_x509_svid_key_type, KeyType::EcP256);
    assert_eq!((settings.x509_svid_cache_max_size, settings.jwt_svid_cache_max_size), (1000, 1000));
    assert_eq!((settings.availability_target, settings.join_token), (None, None));
    assert_eq!(settings.sync_interval, Duration::from_secs(5));
    assert_eq!(settings.jwt_svid_cache_hit_timeout, Duration::from_secs(30));
    assert_eq!((settings.call_limits, settings.wit_svids), (CallLimits::default(), false));
    assert_eq!(settings.key_manager, KeyManager::Disk { directory: "/data".into() });
    assert_eq!(settings.node_attestor, NodeAttestor::JoinToken);
    let unix = Unix {
        discover_workload_path: false,
        workload_size_limit: 0,
        discover_parent_path: false,
        discover_ancestor_paths: false,
        discover_cgroup: false,
        discover_label: false,
    };
    assert_eq!(settings.workload_attestors, [WorkloadAttestor::Unix(unix)]);
    assert!(!settings.allow_unauthenticated_verifiers && settings.warnings.is_empty());
}

#[test]
fn every_supported_key_is_read() {
    let text = r#"
agent {
    trust_domain = "example.org"
    server_address = "10.0.0.1"
    server_port = "8443"
    socket_path = "/run/a.sock"
    data_dir = "/data"
    trust_bundle_url = "http://localhost/bundle?x=1"
    trust_bundle_unix_socket = "/run/bundle.sock"
    trust_bundle_format = "spiffe"
    join_token = "abc"
    log_level = "WARN"
    log_selectors = ["unix:uid"]
    workload_x509_svid_key_type = "rsa-2048"
    x509_svid_cache_max_size = 10
    jwt_svid_cache_max_size = 20
    availability_target = "48h"
    rebootstrap_mode = "never"
    allow_unauthenticated_verifiers = true
    allowed_foreign_jwt_claims = ["scope"]
    disable_sds_api = true
    experimental {
        sync_interval = "1s"
        jwt_svid_cache_hit_timeout = "5s"
        feature_flags = ["wit-svid"]
        ratelimit {
            fetch_jwt_svid = 50
            fetch_x509_svid = 0
        }
    }
}
plugins {
    KeyManager "memory" { plugin_data {} }
    NodeAttestor "x509pop" {
        plugin_data {
            private_key_path = "/k.pem"
            certificate_path = "/c.pem"
            intermediates_path = "/i.pem"
        }
    }
    WorkloadAttestor "unix" {
        plugin_data {
            discover_workload_path = true
            workload_size_limit = -1
        }
    }
}
health_checks { listener_enabled = true bind_port = 8090 }
"#;
    let settings = agent(text).unwrap();
    let Bootstrap::Url { url, format, unix_socket } = &settings.bootstrap else { panic!() };
    assert_eq!((url.as_str(), *format), ("http://localhost/bundle?x=1", BundleForm::Spiffe));
    assert_eq!(unix_socket.as_ref().unwrap().to_str(), Some("/run/bundle.sock"));
    assert_eq!(settings.join_token.as_ref().unwrap().reveal(), "abc");
    assert!(!format!("{settings:?}").contains("abc"));
    assert_eq!(settings.log_selectors, ["unix:uid"]);
    assert_eq!(settings.workload_x509_svid_key_type, KeyType::Rsa2048);
    assert_eq!((settings.x509_svid_cache_max_size, settings.jwt_svid_cache_max_size), (10, 20));
    assert_eq!(settings.availability_target, Some(Duration::from_secs(48 * 3600)));
    assert!(settings.allow_unauthenticated_verifiers);
    assert_eq!(settings.allowed_foreign_jwt_claims, ["scope"]);
    assert_eq!(settings.sync_interval, Duration::from_secs(1));
    assert_eq!(settings.jwt_svid_cache_hit_timeout, Duration::from_secs(5));
    assert!(settings.wit_svids);
    let limits = CallLimits { fetch_jwt_svid: Some(50), fetch_x509_svid: None, ..CallLimits::default() };
    assert_eq!(settings.call_limits, limits);
    let NodeAttestor::X509pop(X509pop::Files { intermediates_path, .. }) = &settings.node_attestor else {
        panic!()
    };
    assert_eq!(intermediates_path.as_ref().unwrap().to_str(), Some("/i.pem"));
    let WorkloadAttestor::Unix(unix) = settings.workload_attestors[0] else { panic!("unix was asked for") };
    assert_eq!((unix.discover_workload_path, unix.workload_size_limit), (true, -1));
    assert_eq!(settings.health_checks.bind_port, 8090);
    assert_eq!(settings.warnings.len(), 1, "keys in memory");
}

#[test]
fn x509pop_takes_its_certificate_from_files_or_from_another_agent() {
    let text = |keys: &str| {
        let plugins = "KeyManager \"memory\" {}\nWorkloadAttestor \"unix\" {}\n";
        let agent = "agent { trust_domain = \"example.org\" insecure_bootstrap = true server_address = \"s\" \
                     server_port = 8081 }";
        format!("{agent}\nplugins {{\n{plugins}NodeAttestor \"x509pop\" {{ plugin_data {{ {keys} }} }}\n}}\n")
    };
    let socket = "spiffe_endpoint_socket = \"unix:///outer.sock\"";
    let settings = agent(&text(socket)).unwrap();
    let outer = X509pop::WorkloadApi { address: "unix:///outer.sock".to_owned() };
    assert_eq!(settings.node_attestor, NodeAttestor::X509pop(outer));
    let said = agent_mistakes(&text(&format!("{socket} private_key_path = \"/k.pem\"")));
    assert!(said.contains("private_key_path has no meaning with spiffe_endpoint_socket"), "{said}");
    let said = agent_mistakes(&text(""));
    assert!(
        said.contains("private_key_path must be configured") && said.contains("certificate_path must be"),
        "{said}"
    );
}

#[test]
fn exactly_one_way_to_bootstrap_is_wanted() {
    let none = "a.conf:1:7: trust_bundle_path, trust_bundle_url or insecure_bootstrap must be configured: without \
                one the agent cannot tell the server from an impostor";
    agent_refuses("", none);
    agent_refuses("insecure_bootstrap = false", none);
    agent_refuses(
        "insecure_bootstrap = true\ntrust_bundle_path = \"/b\"",
        "a.conf:6:21: only one of insecure_bootstrap, trust_bundle_path may be set; remove the others",
    );
    agent_refuses(
        "trust_bundle_url = \"https://x\"\ntrust_bundle_path = \"/b\"\ninsecure_bootstrap = true",
        "a.conf:5:20: only one of insecure_bootstrap, trust_bundle_path, trust_bundle_url may be set; remove the \
         others",
    );
    agent_refuses(
        "trust_bundle_spiffe_workload_api = \"unix:///x\"",
        "a.conf:5:1: trust_bundle_spiffe_workload_api is not supported yet: it would fetch the bundle from another \
         Workload API; remove it to go on without",
    );
    assert_eq!(
        lines(&agent(&agent_text(INSECURE, "")).unwrap().warnings),
        "a.conf:5:22: insecure_bootstrap is set: the first server that answers is believed without proof\n"
    );
}

#[test]
fn a_bundle_url_is_https_or_http_over_a_socket() {
    for (keys, why) in [
        ("trust_bundle_url = \"http://x\"", "it must begin with https://"),
        ("trust_bundle_url = \"x\"", "it must begin with https://"),
        (
            "trust_bundle_url = \"https://x\" trust_bundle_unix_socket = \"/s\"",
            "with trust_bundle_unix_socket it must begin with http://",
        ),
        (
            "trust_bundle_url = \"http://x/?a=1&spire-x=2\" trust_bundle_unix_socket = \"/s\"",
            "its parameter \"spire-x\" begins with a prefix that the agent keeps for itself",
        ),
    ] {
        let said = agent_mistakes(&agent_text(keys, ""));
        assert!(said.starts_with("a.conf:5:20: trust_bundle_url "), "{said}");
        assert!(said.trim_end().ends_with(why), "{said}");
    }
    agent_refuses(
        "insecure_bootstrap = true trust_bundle_unix_socket = \"/s\"",
        "a.conf:5:54: trust_bundle_unix_socket has no meaning without trust_bundle_url; set that too, or remove this",
    );
    assert!(
        agent_mistakes(&agent_text("trust_bundle_path = \"/b\" trust_bundle_format = \"der\"", ""))
            .contains("trust_bundle_format \"der\" cannot be used: it must be \"pem\" or \"spiffe\"")
    );
}

#[test]
fn a_join_token_may_stand_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let keys = format!("{INSECURE} join_token_file = \"{}\"", path.display());
    assert!(agent_mistakes(&agent_text(&keys, "")).contains("join_token_file names "));
    std::fs::write(&path, "\n").unwrap();
    assert!(agent_mistakes(&agent_text(&keys, "")).contains("which cannot be read: it is empty"));
    std::fs::write(&path, " token-1\n").unwrap();
    let settings = agent(&agent_text(&keys, "")).unwrap();
    assert_eq!(settings.join_token.unwrap().reveal(), "token-1");
    let both = format!("{keys} join_token = \"t\"");
    assert!(
        agent_mistakes(&agent_text(&both, "")).contains("only one of join_token, join_token_file may be set")
    );
}

#[test]
fn flags_stand_over_the_file() {
    let flags = Overrides {
        server_address: Some("other".to_owned()),
        server_port: Some(9),
        trust_bundle: Some("/flag.pem".to_owned()),
        join_token: Some("t".to_owned()),
        allow_unauthenticated_verifiers: true,
        log_level: Some("DEBUG".to_owned()),
        rebootstrap_mode: Some("never".to_owned()),
        ..Overrides::default()
    };
    let text = agent_text("trust_bundle_path = \"/file.pem\" rebootstrap_mode = \"always\"", "");
    let settings = load(&Source::new("a.conf", &text), &flags).unwrap();
    assert_eq!((settings.server_address.as_str(), settings.server_port), ("other", 9));
    let bootstrap = Bootstrap::File { path: "/flag.pem".into(), format: BundleForm::Pem };
    assert_eq!(settings.bootstrap, bootstrap);
    assert!(settings.allow_unauthenticated_verifiers);
    assert_eq!(settings.join_token.unwrap().reveal(), "t");
}

#[test]
fn sds_has_spires_names_unless_others_are_given() {
    let loaded = |keys: &str| {
        let text = agent_text(&format!("trust_bundle_path = \"/b\" {keys}"), "");
        load(&Source::new("a.conf", &text), &Overrides::default()).unwrap()
    };
    let names = |settings: &AgentSettings| {
        let sds = settings.sds.as_ref().unwrap();
        let plain = sds.disable_spiffe_cert_validation.to_string();
        [&sds.default_svid_name, &sds.default_bundle_name, &sds.default_all_bundles_name, &plain]
            .map(Clone::clone)
    };
    let settings = loaded("");
    assert_eq!(names(&settings), ["default", "ROOTCA", "ALL", "false"]);
    assert!(settings.workload_api);
    let settings = loaded(
        "sds { default_svid_name = \"\" default_bundle_name = \"null\" default_all_bundles_name = \"ROOTCA\" \
         disable_spiffe_cert_validation = true } disable_workload_api = true",
    );
    assert_eq!(names(&settings), ["default", "null", "ROOTCA", "true"]);
    assert!(!settings.workload_api);
    assert_eq!(loaded("disable_sds_api = true").sds, None);
    let flags = Overrides { disable_sds_api: true, disable_workload_api: true, ..Overrides::default() };
    let text = agent_text("trust_bundle_path = \"/b\"", "");
    let settings = load(&Source::new("a.conf", &text), &flags).unwrap();
    assert!(settings.sds.is_none() && !settings.workload_api);
}

#[test]
fn a_name_for_all_bundles_that_is_never_reached_is_warned_of() {
    let text = agent_text("trust_bundle_path = \"/b\" sds { default_all_bundles_name = \"ROOTCA\" }", "");
    let settings = load(&Source::new("a.conf", &text), &Overrides::default()).unwrap();
    let warnings: Vec<String> = settings.warnings.iter().map(ToString::to_string).collect();
    assert!(
        warnings.iter().any(
            |one| one.contains("default_all_bundles_name has no effect: default_bundle_name is the same")
        ),
        "{warnings:?}"
    );
}

#[test]
fn keys_of_later_features_are_refused() {
    for (keys, start) in [
        ("admin_socket_path = \"/a\"", "a.conf:6:1: admin_socket_path is not supported yet"),
        ("authorized_delegates = [\"spiffe://example.org/d\"]", "a.conf:6:1: authorized_delegates is not"),
        ("rebootstrap_mode = \"auto\"", "a.conf:6:20: rebootstrap_mode \"auto\" is not supported yet"),
        ("rebootstrap_mode = \"x\"", "a.conf:6:20: rebootstrap_mode \"x\" cannot be used"),
        ("rebootstrap_delay = \"x\"", "a.conf:6:21: rebootstrap_delay \"x\": not a duration"),
        ("experimental { broker {} }", "a.conf:6:16: agent.experimental.broker is not supported yet"),
        ("experimental { use_sync_authorized_entries = false }", "a.conf:6:16: agent.experimental.use_sync"),
        (
            "experimental { named_pipe_name = \"x\" }",
            "a.conf:6:16: agent.experimental.named_pipe_name is for Win",
        ),
        ("x509_svid_cache_max_size = -1", "a.conf:6:28: x509_svid_cache_max_size \"-1\" cannot be used"),
        (
            "availability_target = \"1h\"",
            "a.conf:6:23: availability_target \"1h0m0s\" cannot be used: it must be at",
        ),
        (
            "workload_x509_svid_key_type = \"rsa-4096\"",
            "a.conf:6:31: workload_x509_svid_key_type \"rsa-4096\"",
        ),
        ("bind_port = 1", "a.conf:6:1: unknown key \"bind_port\" in agent; remove it"),
    ] {
        let said = agent_mistakes(&agent_text(&format!("{INSECURE}\n{keys}"), ""));
        assert!(said.starts_with(start), "{said}\n{start}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn what_must_be_there_is_asked_for() {
    let said = agent_mistakes("agent { x = 1 }\nplugins {}");
    for wanted in [
        "trust_domain must be configured",
        "server_address must be configured",
        "server_port must be configured",
        "a.conf: exactly one KeyManager plugin must be configured, 0 are; known are \"disk\", \"memory\"",
        "a.conf: exactly one NodeAttestor plugin must be configured, 0 are",
        "a.conf: at least one WorkloadAttestor plugin must be configured, 0 are; known are \"unix\", \"docker\", \"k8s\", \"systemd\", \"slurm\"",
    ] {
        assert!(said.contains(wanted), "{said}");
    }
}
