//! What monitoring systems see of real servers and agents.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

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
