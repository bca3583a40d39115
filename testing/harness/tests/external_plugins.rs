//! Programs built on SPIRE's unmodified plugin SDK (`testing/clients/plugin`), run by our server and our agent.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::{Domain, NodeAttestor, Options, eventually, free_port, get, plugin, skip};

const LIMIT: Duration = Duration::from_secs(30);

/// The program, or a word of why the test is skipped.
fn program(test: &str) -> Option<PathBuf> {
    match plugin() {
        Ok(path) => Some(path),
        Err(missing) => {
            skip(test, &missing);
            None
        }
    }
}

/// A plugin block for one of its roles.
fn block(kind: &str, name: &str, program: &Path, role: &str, notes: &Path) -> String {
    let (program, notes) = (program.display(), notes.display());
    format!(
        "{kind} \"{name}\" {{ plugin_cmd = \"{program}\" plugin_args = [\"{role}\"] plugin_data {{ file = \"{notes}\" }} }}"
    )
}

/// Has the block of the key manager name a program.
fn keep_keys(config: &Path, program: &Path, role: &str, notes: &Path) {
    let plain = "KeyManager \"memory\" {";
    let text = fs::read_to_string(config).unwrap();
    assert!(text.contains(plain), "{text}");
    let (program, notes) = (program.display(), notes.display());
    let lines = format!(
        "{plain} plugin_cmd = \"{program}\" plugin_args = [\"{role}\"] plugin_data {{ file = \"{notes}\" }}"
    );
    fs::write(config, text.replace(plain, &lines)).unwrap();
}

/// The children of a process.
fn children(parent: u32) -> Vec<PathBuf> {
    let all = fs::read_dir("/proc").unwrap().filter_map(Result::ok).map(|entry| entry.path());
    all.filter(|process| {
        let status = fs::read_to_string(process.join("status")).unwrap_or_default();
        status.lines().any(|line| line == format!("PPid:\t{parent}"))
    })
    .collect()
}

fn noted(notes: &Path, text: &str) {
    eventually(&format!("a plugin to note {text:?}"), LIMIT, || {
        fs::read_to_string(notes).unwrap_or_default().contains(text).then_some(())
    });
}

#[test]
fn plugins_of_every_kind_serve_a_server_and_an_agent() {
    let Some(program) = program("plugins_of_every_kind_serve_a_server_and_an_agent") else { return };
    let folder = tempfile::tempdir().unwrap();
    let notes = |of: &str| folder.path().join(of);
    let metrics = free_port();
    let options = Options {
        node_attestor: NodeAttestor::Custom {
            server: block("NodeAttestor", "rack", &program, "attest", &notes("attest")),
            agent: block("NodeAttestor", "rack", &program, "prove", &notes("prove"))
                + "\n"
                + &block("WorkloadAttestor", "eye", &program, "workload", &notes("workload")),
        },
        key_manager: "memory".to_owned(),
        ..Options::default()
    };
    let options = options
        .server_plugin(&block("Notifier", "told", &program, "notify", &notes("notify")))
        .server_plugin(&block("BundlePublisher", "shown", &program, "publish", &notes("publish")))
        .server_block(&format!("telemetry {{ Prometheus {{ port = {metrics} }} }}"));
    let mut domain = Domain::prepare(options);
    keep_keys(&domain.server().config(), &program, "keys", &notes("keys"));
    domain.server().start();
    noted(&notes("keys"), "made x509-CA-A EC_P256");
    noted(&notes("keys"), "made JWT-Signer-A EC_P256");
    noted(&notes("notify"), "loaded example.org x509 1");
    noted(&notes("publish"), "published example.org x509 1 jwt 1");
    let told = "level=warning msg=\"Settings taken\" external=true file=";
    assert!(domain.server().log().contains(told), "{}", domain.server().log());

    let agent = domain.prepare_agent();
    let config = agent.config();
    keep_keys(&config, &program, "agent-keys", &notes("agent-keys"));
    domain.agent_mut(0).start();
    noted(&notes("agent-keys"), "made agent-svid-");
    let shown =
        domain.cli(&["agent", "show", "-spiffeID", "spiffe://example.org/spire/agent/rack/node"]).succeeds();
    for line in [
        "Attestation type  : rack",
        "Selectors         : rack:loud",
        "Selectors         : rack:row:7",
        "Can re-attest     : true",
    ] {
        assert!(shown.stdout.contains(line), "{line}: {shown}");
    }
    for text in [
        "from 127.0.0.1",
        "asked for 127.0.0.1\n",
        "agent NotFound",
        "key true, bundle of example.org with 1 authorities",
        "counted OK",
    ] {
        noted(&notes("attest"), text);
    }
    let scraped = get(metrics, "/metrics").unwrap().body;
    assert!(
        scraped.lines().any(|l| l.starts_with("spire_server_rack_seen{") && l.contains("row=\"7\"")),
        "{scraped}"
    );

    let (parent, id) = ("spiffe://example.org/spire/agent/rack/node", "spiffe://example.org/seen");
    let entry = ["entry", "create", "-parentID", parent, "-spiffeID", id, "-selector", "eye:seen:yes"];
    let _ = domain.cli(&entry).succeeds();
    eventually("the workload to have its identity", LIMIT, || {
        let fetched = domain.agent().cli(&["api", "fetch", "x509"]);
        (fetched.ok() && fetched.stdout.contains(id)).then_some(())
    });
    let token = domain.agent().cli(&["api", "fetch", "jwt", "-audience", "me"]).succeeds().stdout;
    let token = token.lines().nth(1).unwrap().trim().to_owned();
    let valid =
        domain.agent().cli(&["api", "validate", "jwt", "-audience", "me", "-svid", &token]).succeeds();
    assert!(valid.stdout.contains("SVID is valid"), "{valid}");
    noted(&notes("workload"), "asked for a pid true");

    // A move of the authorities is told of, by the key manager's new keys too.
    let _ = domain.cli(&["localauthority", "x509", "prepare"]).succeeds();
    noted(&notes("notify"), "updated example.org x509 2");
    noted(&notes("publish"), "published example.org x509 2 jwt 1");
    noted(&notes("keys"), "made x509-CA-B EC_P256");

    // A plugin that ends by itself is missed at once; nothing waits for it.
    let keys = children(domain.server().process().id())
        .into_iter()
        .find(|it| fs::read(it.join("cmdline")).unwrap_or_default().ends_with(b"\0keys\0"));
    let pid: i32 = keys.unwrap().file_name().unwrap().to_str().unwrap().parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    domain.server().process().wait_for_log("msg=\"plugin process exited\"", LIMIT);
    let mint = ["x509", "mint", "-spiffeID", "spiffe://example.org/late"];
    assert!(
        domain.cli(&mint).fails().stderr.contains("the key refused to sign"),
        "a key that is gone signs nothing"
    );

    // Whoever stops takes its plugins along, whoever is killed too.
    let running = children(domain.server().process().id());
    assert_eq!(running.len(), 3, "{running:?}");
    domain.server().kill9();
    eventually("the server's plugins to end", LIMIT, || running.iter().all(|it| !is_alive(it)).then_some(()));
    let running = children(domain.agent_mut(0).process().id());
    assert_eq!(running.len(), 3, "{running:?}");
    assert_eq!(domain.agent_mut(0).stop(), Some(0));
    assert!(running.iter().all(|it| !is_alive(it)), "an agent that stopped has ended its plugins");
    assert!(domain.agent().log().contains("msg=\"Plugin unloaded\" external=true plugin_name=eye"));
}

/// Whether a process is more than a name that waits to be read.
fn is_alive(process: &Path) -> bool {
    let status = fs::read_to_string(process.join("status")).unwrap_or_default();
    !status.is_empty() && !status.lines().any(|line| line.starts_with("State:\tZ"))
}

#[test]
fn a_server_stands_below_an_authority_that_is_a_plugin() {
    let Some(program) = program("a_server_stands_below_an_authority_that_is_a_plugin") else { return };
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("upstream");
    let options =
        Options::default().server_plugin(&block("UpstreamAuthority", "above", &program, "upstream", &notes));
    let domain = Domain::start(options);
    noted(&notes, "minted for spiffe://example.org");
    domain.workload("spiffe://example.org/web", &[]);
    // What workloads trust is the plugin's root, not the certificate that it signed.
    let bundle = domain.cli(&["bundle", "show"]).succeeds().stdout;
    assert_eq!(bundle.matches("BEGIN CERTIFICATE").count(), 1, "{bundle}");
    let shown = domain.cli(&["localauthority", "x509", "show"]).succeeds();
    assert!(shown.stdout.contains("Upstream authority Subject Key ID"), "{shown}");
}

#[test]
fn fresh_settings_come_at_sigusr1_and_bad_ones_change_nothing() {
    let Some(program) = program("fresh_settings_come_at_sigusr1_and_bad_ones_change_nothing") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (data, old, new) =
        (folder.path().join("data.hcl"), folder.path().join("old"), folder.path().join("new"));
    let settings = |notes: &Path| format!("file = \"{}\"\n", notes.display());
    fs::write(&data, settings(&old)).unwrap();
    let block = format!(
        "Notifier \"told\" {{ plugin_cmd = \"{}\" plugin_args = [\"notify\"] plugin_data_file = \"{}\" }}",
        program.display(),
        data.display()
    );
    let mut domain = Domain::start_server(Options::default().server_plugin(&block));
    noted(&old, "loaded example.org");
    let server = domain.server().process();
    for (settings, said) in [
        (settings(&old), "Plugin not reconfigured since the config is unchanged"),
        ("nothing".to_owned(), "Failed to reconfigure plugin"),
        (settings(&new), "Plugin reconfigured"),
    ] {
        fs::write(&data, settings).unwrap();
        server.signal(rustix::process::Signal::USR1);
        server.wait_for_log(said, LIMIT);
    }
    let _ = domain.cli(&["localauthority", "x509", "prepare"]).succeeds();
    noted(&new, "updated example.org x509 2");
}

#[test]
fn a_program_that_is_no_such_plugin_keeps_the_server_from_starting() {
    let Some(program) = program("a_program_that_is_no_such_plugin_keeps_the_server_from_starting") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes");
    let shown = program.display().to_string();
    let sum = "plugin_checksum = \"0000000000000000000000000000000000000000000000000000000000000000\"";
    let good = block("Notifier", "it", &program, "notify", &notes);
    let bad = format!("plugin_cmd = \"{shown}\" plugin_args = [\"notify\"] plugin_data {{ colour = 1 }}");
    let cases = [
        (good.replace("plugin_args", &format!("{sum} plugin_args")), "checksums did not match"),
        (good.replace(&shown, "/bin/true"), "ended (exit status: 0) before it said where it serves"),
        (good.replace(&shown, "/bin/nobody"), "cannot start /bin/nobody: No such file or directory"),
        (good.replace(&shown, "/bin/echo"), "unrecognized remote plugin message: \"notify\""),
        (good.replace("[\"notify\"]", "[\"publish\"]"), "before it said where it serves"),
        (format!("Notifier \"it\" {{ {bad} }}"), "file is not set in \"colour = 1\""),
    ];
    for (block, said) in cases {
        let mut domain = Domain::prepare(Options::default().server_plugin(&block));
        for command in ["run", "validate"] {
            let config = domain.server().config();
            let ran =
                domain.peek_server().cli_without_socket(&[command, "-config", config.to_str().unwrap()]);
            let said = if said.starts_with("file is") && command == "validate" {
                "Notifier \"it\": file is not set"
            } else {
                said
            };
            assert!(ran.fails().stderr.contains(said), "{command} {block}: {said}");
        }
    }
    let objects = Options { trust_domain: "objectionable.test".to_owned(), ..Options::default() };
    let mut domain = Domain::prepare(objects.server_plugin(&good));
    let config = domain.server().config();
    let ran = domain.peek_server().cli_without_socket(&["run", "-config", config.to_str().unwrap()]).fails();
    assert!(ran.stderr.contains("notifier(it): not with me"), "{ran}");
}
