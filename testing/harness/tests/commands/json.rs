//! One line for each command with `-output`.

use harness::{Domain, Options, eventually};
use std::time::Duration;

/// What the line's command stands for in the text of a line.
struct Names {
    domain: Domain,
    entry: String,
    agent: String,
    bundle: String,
}

/// Command lines, a command once. `ENTRY`, `AGENT` and `BUNDLE` are put in.
const LINES: &[&str] = &[
    "server token generate -ttl 60",
    "server entry show -entryID ENTRY",
    "server entry create -parentID spiffe://example.org/p -spiffeID spiffe://example.org/made -selector unix:uid:9 -entryID made",
    "server entry update -entryID made -parentID spiffe://example.org/p -spiffeID spiffe://example.org/made -selector unix:uid:8",
    "server entry count",
    "server entry delete -entryID made",
    "server agent list",
    "server agent count",
    "server agent show -spiffeID AGENT",
    "server agent purge -dryRun",
    "server bundle show",
    "server bundle set -id spiffe://other.test -path BUNDLE -format spiffe",
    "server bundle list",
    "server bundle count",
    "server federation create -trustDomain spiffe://f.test -bundleEndpointURL https://f.test/b -bundleEndpointProfile https_web",
    "server federation update -trustDomain spiffe://f.test -bundleEndpointURL https://f.test/c -bundleEndpointProfile https_web",
    "server federation show -trustDomain spiffe://f.test",
    "server federation list",
    "server federation delete -id spiffe://f.test",
    "server bundle delete -id spiffe://other.test",
    "server debug getinfo",
    "server x509 mint -spiffeID spiffe://example.org/minted",
    "server jwt mint -spiffeID spiffe://example.org/minted -audience a",
    "server logger get",
    "server logger set -level debug",
    "server logger reset",
    "server localauthority x509 show",
    "server localauthority x509 prepare",
    "server localauthority jwt show",
    "server localauthority jwt prepare",
    "agent api fetch x509",
    "agent api fetch jwt -audience a",
    "server agent ban -spiffeID AGENT",
    "server agent evict -spiffeID AGENT",
];

/// Commands that cannot be run here with success, and where they are.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "server federation refresh",
        "needs a bundle endpoint: its answer is a list of results, as that of delete",
    ),
    ("server localauthority x509 activate", "the scenario of a forced rotation"),
    ("server localauthority x509 taint", "the scenario of a forced rotation"),
    ("server localauthority x509 revoke", "the scenario of a forced rotation"),
    ("server localauthority jwt activate", "the scenario of a forced rotation"),
    ("server localauthority jwt taint", "the scenario of a forced rotation"),
    ("server localauthority jwt revoke", "the scenario of a forced rotation"),
    ("server upstreamauthority taint", "needs an authority above"),
    ("server upstreamauthority revoke", "needs an authority above"),
    ("server wit mint", "the scenario of WIT-SVIDs"),
    ("agent api validate jwt", "needs a token: below"),
    ("agent debug getinfo", "needs the agent's admin socket"),
    ("agent logger get", "needs the agent's admin socket"),
    ("agent logger set", "needs the agent's admin socket"),
    ("agent logger reset", "needs the agent's admin socket"),
];

/// Runs the line of each of these commands; each must print one JSON value.
pub(crate) fn answers(commands: &[&str]) {
    for command in commands {
        let stands = LINES.iter().any(|line| is_of(line, command))
            || ELSEWHERE.iter().any(|(known, _)| known == command);
        assert!(stands, "{command} has -output: give it a line in LINES, or a row in ELSEWHERE");
    }
    let names = prepare();
    let minted = names.domain.cli(&["jwt", "mint", "-spiffeID", "spiffe://example.org/x", "-audience", "a"]);
    let token = minted.succeeds().stdout.trim().to_owned();
    let validated = names.domain.agent().cli(&[
        "api",
        "validate",
        "jwt",
        "-audience",
        "a",
        "-svid",
        &token,
        "-output",
        "json",
    ]);
    assert!(validated.succeeds().json().is_object());
    for line in LINES.iter().filter(|line| commands.iter().any(|command| is_of(line, command))) {
        let line = line
            .replace("ENTRY", &names.entry)
            .replace("AGENT", &names.agent)
            .replace("BUNDLE", &names.bundle);
        let mut words: Vec<&str> = line.split(' ').collect();
        let role = words.remove(0);
        words.extend(["-output", "json"]);
        let ran = match role {
            "server" => names.domain.cli(&words),
            _ => names.domain.agent().cli(&words),
        };
        let value = ran.succeeds().json();
        assert!(value.is_object() || value.is_array(), "{line}: {value}");
    }
}

fn is_of(line: &str, command: &str) -> bool {
    line.strip_prefix(command).is_some_and(|rest| rest.is_empty() || rest.starts_with(" -"))
}

fn prepare() -> Names {
    let domain = Domain::start(Options::default());
    let entry = domain.workload(&domain.id("client"), &[]);
    eventually("an identity for this process", Duration::from_secs(30), || {
        domain.agent().cli(&["api", "fetch", "x509"]).ok().then_some(())
    });
    let listed = domain.cli(&["agent", "list", "-output", "json"]).succeeds().json();
    let path = listed["agents"][0]["id"]["path"].as_str().expect("an agent has a path").to_owned();
    let file = domain.folder().join("bundle.json");
    let bundle = domain.cli(&["bundle", "show", "-format", "spiffe"]).succeeds().stdout;
    std::fs::write(&file, bundle).expect("a temporary folder can be written");
    let (agent, bundle) = (format!("spiffe://example.org{path}"), file.display().to_string());
    Names { domain, entry, agent, bundle }
}
