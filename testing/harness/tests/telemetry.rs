//! What monitoring systems see of real servers and agents.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "telemetry/collector.rs"]
mod collector;
#[path = "telemetry/log_messages.rs"]
mod log_messages;
#[path = "telemetry/metrics_tls.rs"]
mod metrics_tls;
#[path = "telemetry/otlp.rs"]
mod otlp;

#[path = "telemetry/profiles.rs"]
mod profiles;
#[path = "telemetry/reload.rs"]
mod reload;

use std::time::Duration;

use harness::{Domain, Options, eventually, free_port, get};

/// What SPIRE 1.16 showed after one start, an attestation, an entry, and fetches, where Bonafide measures it too.
const SERVER: &str = "ca_manager_jwt_key_prepare ca_manager_x509_ca_activate ca_manager_x509_ca_prepare \
    datastore_bundle_append datastore_ca_journal_set datastore_join_token_create datastore_join_token_delete \
    datastore_join_token_fetch datastore_node_create datastore_node_update datastore_registration_entry_create \
    datastore_registration_entry_delete entry_cache_reload manager_jwt_key_activate manager_x509_ca_rotate_expiration \
    manager_x509_ca_rotate_ttl rateLimit_agent_v1_agent_post_status rpc_agent_v1_agent_attest_agent \
    rpc_agent_v1_agent_create_join_token rpc_agent_v1_agent_list_agents rpc_agent_v1_agent_post_status \
    rpc_bundle_v1_bundle_get_bundle rpc_entry_v1_entry_batch_create_entry rpc_entry_v1_entry_batch_delete_entry \
    rpc_health_check rpc_svid_v1_svid_batch_new_x509svid rpc_svid_v1_svid_new_jwtsvid server_ca_sign_jwt_svid \
    server_ca_sign_x509_svid server_key_manager_generate_key server_key_manager_get_public_keys started svid_rotate \
    uptime_in_ms";
const AGENT: &str = "agent_key_manager_generate_key agent_key_manager_get_keys bootstrap_attempts bootstrap_seconds \
    bootstrapped jwt_svid_cache_size lru_cache_entry_add lru_cache_entry_remove lru_cache_entry_update \
    lru_cache_record_map_size lru_cache_svid_map_size manager_sync_fetch_entries_updates \
    manager_sync_fetch_svids_updates node_attestor_new_svid rpc_workload_api_fetch_jwt_bundles \
    rpc_workload_api_fetch_jwtsvid rpc_workload_api_fetch_x509svid started sync_bundles_total sync_entries_dropped \
    sync_entries_missing sync_entries_stale sync_entries_total uptime_in_ms workload_api_connection \
    workload_api_connections workload_api_discovered_selectors workload_api_workload_attestation \
    workload_api_workload_attestor";

/// A domain whose roles are measured, after something has happened in it; and their ports.
fn measured(lines: &str) -> (Domain, u16, u16) {
    let (server, agent) = (free_port(), free_port());
    let block = |port| format!("telemetry {{\n  Prometheus {{ port = {port} }}\n  {lines}\n}}");
    let domain = Domain::start(Options::default().server_block(&block(server)).agent_block(&block(agent)));
    domain.workload(&domain.id("seen"), &[]);
    domain.agent().cli(&["api", "fetch", "x509"]).succeeds();
    domain.agent().cli(&["api", "fetch", "jwt", "-audience", "someone"]).succeeds();
    (domain, server, agent)
}

#[track_caller]
fn has_all(text: &str, prefix: &str, names: &str) {
    for name in names.split_whitespace() {
        let lines = [' ', '{', '_'].map(|next| format!("\n{prefix}_{name}{next}"));
        assert!(lines.iter().any(|line| text.contains(line)), "{prefix}_{name} is not in\n{text}");
    }
}

#[test]
fn prometheus_finds_what_it_finds_at_spire() {
    let (domain, server, agent) = measured("");
    domain.cli(&["agent", "list"]).succeeds();
    let shown = domain.cli(&["entry", "show", "-spiffeID", &domain.id("seen")]).succeeds().stdout;
    let line = shown.lines().find(|line| line.starts_with("Entry ID")).unwrap();
    let id = line.split(':').nth(1).unwrap().trim().to_owned();
    domain.cli(&["entry", "delete", "-entryID", &id]).succeeds();
    let seen = |port: u16, wanted: &str| {
        eventually(wanted, Duration::from_secs(30), || {
            get(port, "/metrics").filter(|answer| answer.status == 200 && answer.body.contains(wanted))
        })
    };
    let text = seen(server, "spire_server_rateLimit_agent_v1_agent_post_status").body;
    has_all(&text, "spire_server", SERVER);
    assert!(text.contains("# TYPE spire_server_rpc_agent_v1_agent_attest_agent counter\n"), "{text}");
    assert!(text.contains("# TYPE spire_server_rpc_agent_v1_agent_attest_agent_elapsed_time summary\n"));
    assert!(text.contains("spire_server_rpc_agent_v1_agent_attest_agent{status=\"OK\",host="), "{text}");
    let text = seen(agent, "spire_agent_uptime_in_ms").body;
    has_all(&text, "spire_agent", AGENT);
    assert!(text.contains("workload_attestor{attestor=\"unix\",status=\"OK\",host="), "{text}");
}

#[test]
fn names_and_labels_follow_the_configuration() {
    let (_domain, server, agent) = measured(
        "MetricPrefix = \"mine\"\n  EnableTrustDomainLabel = true\n  EnableHostnameLabel = false\n  \
         BlockedPrefixes = [\"mine.datastore\"]\n  BlockedLabels = [\"version\"]",
    );
    for port in [server, agent] {
        let text = get(port, "/").unwrap().body;
        assert!(text.contains("mine_uptime_in_ms{trust_domain=\"example_org\"}"), "{text}");
        assert!(
            text.contains("mine_started{trust_domain_id=\"example_org\",trust_domain=\"example_org\"} 1"),
            "{text}"
        );
        assert!(!text.contains("mine_datastore") && !text.contains("host="), "{text}");
    }
}

#[test]
fn daemons_are_told_and_sigusr1_prints_what_is_in_memory() {
    let statsd = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let dogstatsd = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let m3 = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = |socket: &std::net::UdpSocket| socket.local_addr().unwrap().port();
    let block = format!(
        "telemetry {{\n  Statsd = [{{ address = \"localhost:{}\" }}]\n  DogStatsd {{ address = \"127.0.0.1:{}\" }}\n  \
         M3 {{ address = \"127.0.0.1:{}\" env = \"prod\" }}\n  InMem {{}}\n}}",
        port(&statsd),
        port(&dogstatsd),
        port(&m3)
    );
    let mut domain = Domain::start_server(Options::default().server_block(&block));
    domain.cli(&["agent", "list"]).succeeds();
    for (socket, wanted) in [
        (&statsd, "spire_server.rpc.agent.v1.agent.list_agents.OK."),
        (&dogstatsd, "spire_server.rpc.agent.v1.agent.list_agents:1|c|#status:OK,host:"),
        (&m3, "rpc_agent_v1_agent_list_agents"),
    ] {
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut datagram = vec![0; 65_536];
        let heard =
            std::iter::from_fn(|| socket.recv(&mut datagram).ok().map(|length| datagram[..length].to_vec()));
        let mut texts = heard.map(|datagram| String::from_utf8_lossy(&datagram).into_owned());
        assert!(texts.any(|text| text.contains(wanted)), "{wanted}");
    }
    eventually("the second to be over and printed", Duration::from_secs(20), || {
        domain.server().process().signal(rustix::process::Signal::USR1);
        domain.server().log().contains("][C] 'spire_server.rpc.agent.v1.agent.list_agents.OK.").then_some(())
    });
}

#[test]
fn the_log_level_changes_and_the_file_is_opened_anew() {
    let folder = std::env::temp_dir().join(format!("bonafide-log-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (file, moved) = (folder.join("log"), folder.join("log.1"));
    let line = format!("log_file = \"{}\"", file.display());
    let mut domain = Domain::start_server(Options::default().server_line(&line));
    let shown = domain.cli(&["logger", "get"]).succeeds().stdout;
    assert_eq!(shown, "Logger Level : debug\nLaunch Level : debug\n\n");
    let shown = domain.cli(&["logger", "set", "-level", "WARN", "-output", "json"]).succeeds().json();
    assert_eq!((&shown["current_level"], &shown["launch_level"]), (&"WARN".into(), &"DEBUG".into()));
    let loud = || std::fs::read_to_string(&file).unwrap_or_default().matches("GetLogger Called").count();
    let before = loud();
    domain.cli(&["logger", "get"]).succeeds();
    assert_eq!(loud(), before, "what is logged below a warning is not printed");
    domain.cli(&["logger", "set", "-level", "loud"]).fails();
    let shown = domain.cli(&["logger", "reset"]).succeeds().stdout;
    assert_eq!(shown, "Logger Level : debug\nLaunch Level : debug\n\n");
    std::fs::rename(&file, &moved).unwrap();
    domain.server().process().signal(rustix::process::Signal::USR2);
    eventually("the log to be opened anew", Duration::from_secs(10), || {
        std::fs::read_to_string(&file).ok().filter(|text| text.contains("Log file reopened"))
    });
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn sigusr1_gives_an_attestor_fresh_settings_and_bad_ones_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x509pop.hcl");
    std::fs::write(&file, "mode = \"spiffe\"\n").unwrap();
    let server = format!("NodeAttestor \"x509pop\" {{\n plugin_data_file = \"{}\"\n }}", file.display());
    let node_attestor = harness::NodeAttestor::Custom { server, agent: String::new() };
    let mut domain = Domain::start_server(Options { node_attestor, ..Options::default() });
    let mut told = |text: &str, wanted: &str| {
        std::fs::write(&file, text).unwrap();
        domain.server().process().signal(rustix::process::Signal::USR1);
        let server = domain.server();
        eventually(wanted, Duration::from_secs(10), || server.log().contains(wanted).then_some(()));
    };
    told("mode = \"spiffe\"\n", "Plugin not reconfigured since the config is unchanged");
    told("mode = \"spiffe\"\nmax_intermediates = 3\n", "\"Plugin reconfigured\" plugin_name=x509pop");
    told("mode = \"nonsense\"\n", "Failed to reconfigure plugin");
    domain.cli(&["healthcheck"]).succeeds();
}

#[test]
fn health_says_what_is_waited_for_and_then_that_all_is_well() {
    let (server, agent) = (free_port(), free_port());
    let block = |port| format!("health_checks {{\n  listener_enabled = true\n  bind_port = \"{port}\"\n}}");
    let options = Options::default().server_block(&block(server)).agent_block(&block(agent));
    let mut domain = Domain::start(options);
    let well = |port, body: &str| {
        eventually("health to be told", Duration::from_secs(20), || {
            get(port, "/ready").filter(|answer| answer.status == 200 && answer.body.trim_end() == body)
        });
    };
    well(server, r#"{"server":{},"server.ca":{},"server.ca.rotator":{},"catalog.datastore":{}}"#);
    well(agent, r#"{"agent":{}}"#);
    assert_eq!(get(server, "/live").unwrap().status, 200);
    assert_eq!(get(server, "/").unwrap().status, 404);
    // An agent that comes back while its server is away is alive, and not ready.
    domain.server().stop();
    domain.agent_mut(0).stop();
    domain.agent_mut(0).spawn();
    eventually("the agent to say what it waits for", Duration::from_secs(20), || {
        get(agent, "/ready").filter(|answer| answer.status == 500 && answer.body.contains("waiting_for"))
    });
    assert_eq!(get(agent, "/live").unwrap().status, 200);
}

#[test]
fn every_access_leaves_a_record_that_says_who_and_what() {
    let domain = Domain::start(Options::default().server_line("audit_log_enabled = true"));
    domain.workload(&domain.id("audited"), &[]);
    domain.agent().cli(&["api", "fetch", "x509"]).succeeds();
    domain.cli(&["entry", "delete", "-entryID", "nothing-of-that-name"]).fails();
    let records: Vec<String> = domain
        .peek_server()
        .log()
        .lines()
        .filter(|line| line.contains("type=audit"))
        .map(str::to_owned)
        .collect();
    let has = |wanted: &[&str]| {
        assert!(
            records.iter().any(|record| wanted.iter().all(|part| record.contains(part))),
            "{wanted:?} is not in\n{}",
            records.join("\n")
        );
    };
    let uid = format!("caller_uid={}", rustix::process::getuid().as_raw());
    has(&[
        "msg=\"API accessed\"",
        "method=BatchCreateEntry",
        "authorized_as=local",
        "authorized_via=transport",
        "request_id=",
        "service=entry.v1.Entry",
        "status=success",
        "spiffe_id=\"spiffe://example.org/audited\"",
        "parent_id=",
        "selectors=\"unix:uid:",
        "entry_id=",
        "caller_gid=",
        "caller_path=/",
        &uid,
    ]);
    has(&[
        "method=BatchDeleteEntry",
        "entry_id=nothing-of-that-name",
        "status=error",
        "status_code=NotFound",
        "status_message=\"entry not found\"",
    ]);
    has(&[
        "method=AttestAgent",
        "authorized_as=nobody",
        "node_attestor_type=join_token",
        "caller_addr=\"127.0.0.1:",
        "agent_id=\"spiffe://example.org/spire/agent/join_token/",
        "csr=",
    ]);
    has(&[
        "method=BatchNewX509SVID",
        "authorized_as=agent",
        "authorized_via=datastore",
        "entry_id=",
        "csr=",
        "caller_id=\"spiffe://example.org/spire/agent/",
        "status=success",
    ]);
}
