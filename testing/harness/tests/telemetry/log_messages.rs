//! The log messages that scripts and alerts wait for: SPIRE's words, levels and fields, in both forms of the log.

use std::collections::BTreeMap;
use std::time::Duration;

use harness::{Domain, Options, eventually};

const WAIT: Duration = Duration::from_secs(60);

/// What a message must carry: role, level, text, fields, separated by `|`. Those without a level are told when
/// something happens that this story has not; where in the sources they stand is said in its place.
const MESSAGES: &str = "\
server|info|Configured|admin_ids data_dir
server|info|Plugin loaded|external plugin_name plugin_type
server|info|Building in-memory entry cache|
server|info|Completed building in-memory entry cache|
server|info|Starting Server APIs|address network
server|info|Journal loaded|
server|info|X509 CA prepared|expiration issued_at slot local_authority_id upstream_authority_id self_signed
server|info|X509 CA activated|expiration issued_at slot local_authority_id upstream_authority_id self_signed
server|info|JWT key prepared|expiration issued_at slot local_authority_id
server|info|JWT key activated|expiration issued_at slot local_authority_id
server|info|X.509 authority tainted successfully|local_authority_id
server|info|X.509 authority revoked successfully|local_authority_id
server|info|JWT authority tainted successfully|local_authority_id
server|info|JWT authority revoked successfully|local_authority_id
server|info|Bundle set successfully|trust_domain_id
server|info|Agent attestation request completed|agent_id node_attestor_type
server|info|Renewing agent SVID|
server|info|Agent banned|spiffe_id
server|info|Agent deleted|spiffe_id
server|info|Stopping Server APIs|
server|info|Server APIs have stopped|
server|info|Catalog closed|
server|info|Server stopped gracefully|
server|crates/server/src/authority/keeper/obey.rs|X.509 upstream authority successfully revoked|
server|crates/server/src/authority/keeper/follow.rs|X.509 authority tainted|
server|crates/server/src/authority/keeper/follow.rs|Current root CA is signed by a tainted upstream authority, preparing rotation|
server|crates/server/src/authority/identity.rs|Server SVID signed using a tainted authority, forcing rotation of the Server SVID|
server|crates/server/src/authz/layer.rs|Agent is banned|
server|crates/server/src/authz/layer.rs|Agent is not attested|
server|crates/server/src/authz/layer.rs|Agent SVID is expired|
server|crates/server/src/authz/layer.rs|Agent SVID is not active|
server|crates/server/src/api/agent.rs|failed to attest: join token does not exist or has already been used|
server|crates/server/src/api/svid.rs|JWT functionality is disabled|
agent|info|Starting agent|data_dir version
agent|info|Plugin loaded|external plugin_name plugin_type
agent|crates/agent/src/node/start.rs|Bundle is not found|
agent|info|SVID is not found. Starting node attestation|
agent|info|Node attestation was successful|reattestable spiffe_id
agent|info|Starting agent APIs|address apis network
agent|info|Creating X509-SVID|entry_id spiffe_id
agent|info|Renewing X509-SVID|entry_id expires_at spiffe_id
agent|info|Successfully rotated agent SVID|spiffe_id
agent|info|Tainted X.509 SVIDs|
agent|error|No identity issued|method pid registered service
agent|debug|PID attested to have selectors|pid selectors
agent|warning|Ignoring entry with duplicate hint|entry_id hint
agent|info|Bundle loaded|
agent|info|SVID loaded|
agent|info|Agent stopped gracefully|
agent|error|Agent needs to re-attest: removing SVID and shutting down|
agent|warning|Agent is banned: removing SVID and shutting down|
agent|crates/agent/src/node/start.rs|Insecure bootstrap enabled; skipping server certificate verification|
agent|crates/agent/src/node/start.rs|SVID recovered, but no keys found. Generating new keypair|
agent|crates/agent/src/node/keeper.rs|Successfully reattested node|
agent|crates/agent/src/workload/api.rs|no identity issued|
agent|crates/agent/src/workload/api.rs|security header missing from request|";

/// Those of features that are not there, with the reason: such a one must not be in the list above.
const LATER: &[(&str, &str)] = &[
    ("Serving bundle endpoint", "no bundle endpoint is served yet"),
    ("Bundle refreshed", "bundles of other trust domains are not fetched yet"),
    ("Trust domain is now managed", "the same"),
    ("Trust Bundle and Server don't agree, rebootstrapping", "rebootstrap_mode is \"never\" yet"),
    ("Synchronize failed, non-recoverable error", "the same"),
];

/// A line of the log.
#[derive(Debug)]
struct Line {
    level: String,
    message: String,
    fields: BTreeMap<String, String>,
}

/// Reads logrus' text form, or its JSON.
fn line(text: &str) -> Option<Line> {
    let mut fields = match text.starts_with('{') {
        true => {
            let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).ok()?;
            object
                .into_iter()
                .map(|(key, value)| (key, value.to_string().trim_matches('"').to_owned()))
                .collect()
        }
        false => pairs(text),
    };
    Some(Line {
        level: fields.remove("level")?,
        message: fields.remove("msg")?.replace("\\\"", "\""),
        fields,
    })
}

/// `key=value`, the value in quotes where it has to be.
fn pairs(text: &str) -> BTreeMap<String, String> {
    let (mut found, mut rest) = (BTreeMap::new(), text);
    while let Some((key, after)) = rest.split_once('=') {
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => {
                let mut escaped = false;
                let end = quoted.find(|letter| {
                    let ends = letter == '"' && !escaped;
                    escaped = letter == '\\' && !escaped;
                    ends
                });
                quoted.split_at(end.unwrap_or(quoted.len()))
            }
            None => after.split_at(after.find(' ').unwrap_or(after.len())),
        };
        found.insert(key.trim().to_owned(), value.to_owned());
        rest = next.trim_start_matches(['"', ' ']);
    }
    found
}

/// One authority after another, the old one tainted and, after `learned`, revoked.
fn replace_authorities(domain: &Domain, family: &str, learned: impl FnOnce()) {
    let run = |verb: &str, id: &str| {
        let mut arguments = vec!["localauthority", family, verb];
        if !id.is_empty() {
            arguments.extend(["-authorityID", id]);
        }
        domain.cli(&arguments).succeeds();
    };
    let stage = |stage: &str| {
        let shown = domain.cli(&["localauthority", family, "show", "-output", "json"]).succeeds().json();
        shown[stage]["authority_id"].as_str().unwrap_or_default().to_owned()
    };
    let old = stage("active");
    if stage("prepared").is_empty() {
        run("prepare", "");
    }
    run("activate", &stage("prepared"));
    run("taint", &old);
    learned();
    run("revoke", &old);
}

/// What server and agent logged in a story in which much happens.
fn story(form: &str) -> [String; 2] {
    let format = format!("log_format = \"{form}\"");
    let options = Options::default()
        .short_svids()
        .server_line("agent_ttl = \"20s\"")
        .server_line(&format)
        .agent_line(&format)
        .agent_line("log_selectors = [\"unix\"]");
    let mut domain = Domain::start(options);
    domain.agent().cli(&["api", "fetch", "x509"]).fails();
    domain.workload(&domain.id("one"), &["-hint", "same"]);
    domain.workload(&domain.id("two"), &["-hint", "other"]);
    domain.entry(&domain.id("three"), &["-hint", "same"]);
    let bundle = domain.folder().join("foreign.pem");
    std::fs::write(&bundle, domain.cli(&["bundle", "show"]).succeeds().stdout).unwrap();
    domain
        .cli(&["bundle", "set", "-id", "spiffe://other.example", "-path", bundle.to_str().unwrap()])
        .succeeds();
    let told = |domain: &Domain, text: &str| {
        eventually(text, WAIT, || {
            let _ = domain.agent().cli(&["api", "fetch", "x509"]);
            domain.agent().log().contains(text).then_some(())
        });
    };
    for text in
        ["Ignoring entry with duplicate hint", "Renewing X509-SVID", "Successfully rotated agent SVID"]
    {
        told(&domain, text);
    }
    replace_authorities(&domain, "jwt", || ());
    let rotations = || domain.agent().log().matches("Successfully rotated agent SVID").count();
    let before = rotations();
    replace_authorities(&domain, "x509", || {
        told(&domain, "Tainted X.509 SVIDs");
        // Two: one may have been under way.
        eventually("the agent's own SVID to be replaced", WAIT, || (rotations() > before + 1).then_some(()));
    });
    domain.agent_mut(0).restart();
    let agents = domain.cli(&["agent", "list", "-output", "json"]).succeeds().json();
    let path = agents["agents"][0]["id"]["path"].as_str().unwrap().to_owned();
    domain.cli(&["agent", "evict", "-spiffeID", &format!("spiffe://example.org{path}")]).succeeds();
    domain.agent_mut(0).process().wait(WAIT);
    let mut log = domain.agent().log();
    let other = domain.add_agent();
    log.push_str(&other.log());
    let agents = domain.cli(&["agent", "list", "-output", "json"]).succeeds().json();
    let path = agents["agents"][0]["id"]["path"].as_str().unwrap().to_owned();
    domain.cli(&["agent", "ban", "-spiffeID", &format!("spiffe://example.org{path}")]).succeeds();
    domain.agent_mut(1).process().wait(WAIT);
    log.push_str(&std::fs::read_to_string(domain.folder().join("node-1/log")).unwrap());
    domain.server().stop();
    [domain.peek_server().log(), log]
}

fn told_in(form: &str) {
    let [server, agent] = story(form);
    let lines = |log: &str| log.lines().filter_map(line).collect::<Vec<_>>();
    let (server, agent) = (lines(&server), lines(&agent));
    let mut missing = Vec::new();
    for row in MESSAGES.lines() {
        let [role, level, message, fields] = row.split('|').collect::<Vec<_>>()[..] else { panic!("{row}") };
        if level.contains('/') {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../").to_owned() + level;
            if !std::fs::read_to_string(path).unwrap().contains(message) {
                missing.push(format!("{row}: not in that file"));
            }
            continue;
        }
        let all = if role == "server" { &server } else { &agent };
        let alike: Vec<&Line> = all.iter().filter(|line| line.message == message).collect();
        let whole = |line: &&&Line| {
            line.level == level && fields.split_whitespace().all(|field| line.fields.contains_key(field))
        };
        if !alike.iter().any(|line| whole(&line)) {
            missing.push(format!("{row}\n  was {alike:?}"));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    for (message, reason) in LATER {
        assert!(
            !server.iter().chain(&agent).any(|line| line.message.contains(message)),
            "{message:?} is said after all, though \"{reason}\""
        );
    }
}

#[test]
fn what_scripts_wait_for_is_said_in_text() {
    told_in("text");
}

#[test]
fn what_scripts_wait_for_is_said_in_json() {
    told_in("json");
}
