//! SIGUSR1, for key managers and an agent's plugins.

use std::time::Duration;

use harness::{Domain, Options, eventually};

#[test]
fn sigusr1_moves_the_keys_of_both_roles_and_changes_what_an_agent_looks_at() {
    let mut domain = Domain::prepare(Options::default());
    let folder = domain.folder().to_path_buf();
    let write = |name: &str, text: String| {
        let file = folder.join(name);
        std::fs::write(&file, text).unwrap();
        format!("plugin_data_file = \"{}\"", file.display())
    };
    let keys = domain.peek_server().data().join("keys.json");
    let inline = format!("plugin_data {{\n      keys_path = \"{}\"\n    }}", keys.display());
    let file = write("server-keys.hcl", format!("keys_path = \"{}\"", keys.display()));
    domain.server().edit_config(&inline, &file);
    domain.server().start();
    let agent = domain.prepare_agent();
    let data = agent.data();
    let inline = format!("plugin_data {{\n      directory = \"{}\"\n    }}", data.display());
    let text = std::fs::read_to_string(agent.config()).unwrap();
    assert!(text.contains(&inline), "{text}");
    let file = write("agent-keys.hcl", format!("directory = \"{}\"", data.display()));
    let text = text.replace(&inline, &file);
    let unix = "WorkloadAttestor \"unix\" {\n    plugin_data {}";
    assert!(text.contains(unix), "{text}");
    let seen = write("unix.hcl", "discover_workload_path = false\n".to_owned());
    let text = text.replace(unix, &format!("WorkloadAttestor \"unix\" {{\n    {seen}"));
    std::fs::write(agent.config(), text).unwrap();
    agent.start();
    domain.workload(&domain.id("w"), &[]);
    let bundle = domain.cli(&["bundle", "show"]).succeeds().stdout;
    assert!(!domain.agent().log().contains("unix:path:"));
    let (server_to, agent_to) = (folder.join("elsewhere.json"), folder.join("elsewhere"));
    write("server-keys.hcl", format!("keys_path = \"{}\"", server_to.display()));
    write("agent-keys.hcl", format!("directory = \"{}\"", agent_to.display()));
    write("unix.hcl", "discover_workload_path = true\n".to_owned());
    domain.server().process().signal(rustix::process::Signal::USR1);
    domain.agent_mut(0).process().signal(rustix::process::Signal::USR1);
    let told = |log: &dyn Fn() -> String, plugin: &str| {
        let wanted = format!("\"Plugin reconfigured\" {plugin}");
        eventually(&wanted, Duration::from_secs(30), || log().contains(&wanted).then_some(()));
    };
    told(&|| domain.peek_server().log(), "plugin_name=disk plugin_type=KeyManager");
    told(&|| domain.agent().log(), "plugin_name=disk plugin_type=KeyManager");
    told(&|| domain.agent().log(), "plugin_name=unix plugin_type=WorkloadAttestor");
    domain.agent().cli(&["api", "fetch", "x509"]).succeeds();
    assert!(domain.agent().log().contains("unix:path:"), "{}", domain.agent().log());
    // The old files are gone, and both go on with the keys that they had.
    assert!(server_to.exists() && agent_to.join("keys.json").exists());
    std::fs::remove_file(keys).unwrap();
    std::fs::remove_file(data.join("keys.json")).unwrap();
    domain.server().restart();
    domain.agent_mut(0).restart();
    assert_eq!(domain.cli(&["bundle", "show"]).succeeds().stdout, bundle);
    domain.agent().cli(&["api", "fetch", "x509"]).succeeds();
}
