//! Debian's Prometheus fetches from a real server and a real agent, and its `promtool` reads what they say.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use harness::{Domain, Missing, Options, Process, eventually, free_port, get, skip};

/// What the linter has against SPIRE's names, which are what they are.
const NAMES: [&str; 6] = [
    "counter metrics should have \"_total\" suffix",
    "non-counter metrics should not have \"_total\" suffix",
    "use base unit \"seconds\"",
    "metric names should not contain abbreviated units",
    "non-histogram and non-summary metrics should not have \"_count\" suffix",
    "metric names should be written in 'snake_case' not 'camelCase'",
];

fn has(tool: &str) -> bool {
    Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

fn measured() -> (Domain, u16, u16) {
    let (server, agent) = (free_port(), free_port());
    let block = |port| format!("telemetry {{\n  Prometheus {{ port = {port} }}\n}}");
    let domain = Domain::start(Options::default().server_block(&block(server)).agent_block(&block(agent)));
    domain.workload(&domain.id("seen"), &[]);
    domain.agent().cli(&["api", "fetch", "x509"]).succeeds();
    (domain, server, agent)
}

#[test]
fn promtool_has_nothing_against_it_but_spires_names() {
    const TEST: &str = "promtool_has_nothing_against_it_but_spires_names";
    if !has("promtool") {
        return skip(TEST, &Missing::Tool("there is no promtool; run scripts/install-test-tools".to_owned()));
    }
    let (_domain, server, agent) = measured();
    for port in [server, agent] {
        let page = get(port, "/metrics").unwrap().body;
        let mut promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        promtool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
        let output = promtool.wait_with_output().unwrap();
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        // 3: it could be read, and the linter has remarks.
        assert!(matches!(output.status.code(), Some(0 | 3)), "{said}\n{page}");
        let other: Vec<&str> =
            said.lines().filter(|line| !NAMES.iter().any(|known| line.contains(known))).collect();
        assert!(other.is_empty(), "{}\n{page}", other.join("\n"));
    }
}

#[test]
fn a_stock_prometheus_fetches_from_both_roles() {
    const TEST: &str = "a_stock_prometheus_fetches_from_both_roles";
    if !has("prometheus") {
        return skip(
            TEST,
            &Missing::Tool("there is no prometheus; run scripts/install-test-tools".to_owned()),
        );
    }
    let (domain, server, agent) = measured();
    let (folder, port) = (domain.folder().join("prometheus"), free_port());
    std::fs::create_dir_all(&folder).unwrap();
    let config = format!(
        "global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: bonafide\n    static_configs:\n      - targets: \
         ['localhost:{server}', 'localhost:{agent}']\n"
    );
    std::fs::write(folder.join("prometheus.yml"), config).unwrap();
    let mut command = Command::new("prometheus");
    command
        .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let _prometheus = Process::spawn("prometheus", &mut command, &folder.join("log"));
    for (query, wanted) in [
        ("up", "\"1\"]},{\"metric\""),
        ("spire_server_started", "\"trust_domain_id\":\"example_org\""),
        ("spire_agent_started", "\"trust_domain_id\":\"example_org\""),
        ("spire_server_rpc_agent_v1_agent_attest_agent_elapsed_time_count", "\"status\":\"OK\""),
        ("spire_agent_workload_api_workload_attestor", "\"attestor\":\"unix\""),
    ] {
        eventually(&format!("Prometheus to know {query}"), Duration::from_secs(60), || {
            get(port, &format!("/api/v1/query?query={query}"))
                .filter(|answer| answer.status == 200 && answer.body.contains(wanted))
        });
    }
}
