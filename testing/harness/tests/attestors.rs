//! Workloads told apart by who runs them: a container engine and a systemd of the test's own.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use harness::Program::{Bonafide, Spire};
use harness::{Containers, Docker, Domain, Options, Podman, Process, Program, Systemd, eventually, skip};

const SOON: Duration = Duration::from_secs(30);

/// An entry below the first node for what has all of these selectors.
fn entry(domain: &Domain, id: &str, selectors: &[&str]) {
    let parent = domain.id("node");
    let mut arguments = vec!["entry", "create", "-parentID", &parent, "-spiffeID", id];
    selectors.iter().for_each(|selector| arguments.extend(["-selector", selector]));
    domain.cli(&arguments).succeeds();
}

fn docker_plugin(docker: &Docker) -> String {
    format!(
        "WorkloadAttestor \"docker\" {{ plugin_data {{ docker_socket_path = \"{}\" }} }}",
        docker.address()
    )
}

/// The selectors of one kind that an agent has logged of any process.
fn logged(program: Program, log: &str, kind: &str) -> BTreeSet<String> {
    let lines = log.lines().filter(|line| line.contains("PID attested to have selectors"));
    let values = |line: &str| -> Vec<String> {
        let line = line.replace("\\\"", "\"");
        match program {
            Bonafide => {
                let list = line
                    .split_once("selectors=\"[")
                    .and_then(|(_, rest)| rest.split_once(']'))
                    .map(|(list, _)| list);
                let words = list.unwrap_or_default().split(' ').map(str::to_owned);
                words.filter_map(|word| word.strip_prefix(&format!("{kind}:")).map(str::to_owned)).collect()
            }
            Spire => line
                .split("type:\"")
                .filter_map(|rest| rest.strip_prefix(&format!("{kind}\"")))
                .filter_map(|rest| rest.split_once("value:\"")?.1.split_once('"'))
                .map(|(value, _)| value.to_owned())
                .collect(),
        }
    };
    lines.flat_map(values).collect()
}

#[test]
fn a_container_has_its_labels_environment_and_image_as_selectors() {
    let docker = match Docker::start() {
        Ok(docker) => docker,
        Err(missing) => return skip("containers", &missing),
    };
    let plugin = docker_plugin(&docker);
    let ours = containers(Bonafide, &docker, &plugin, "ours", &[]);
    for wanted in ["label:app:demo", "env:PLACE=here", "env:PATH=/bin", "image_id:rig/base:1"] {
        assert!(ours.contains(wanted), "{wanted} is not among {ours:?}");
    }
    assert_eq!(
        ours.iter().filter(|one| one.starts_with("image_config_digest:sha256:")).count(),
        1,
        "{ours:?}"
    );
    match Spire.available() {
        Ok(()) => assert_eq!(containers(Spire, &docker, &plugin, "theirs", &[]), ours),
        Err(missing) => skip("containers of SPIRE's agent", &missing),
    }
}

/// Runs a container that is entitled and one that is not; returns the selectors of the former.
fn containers(
    agent: Program,
    engine: &dyn Containers,
    plugin: &str,
    name: &str,
    more: &[&str],
) -> BTreeSet<String> {
    let domain = Domain::start(Options::default().programs(Bonafide, agent).agent_plugin(plugin));
    let sockets = domain.agent().socket().parent().unwrap().to_path_buf();
    let (id, other) = (domain.id("demo"), format!("{name}-other"));
    entry(&domain, &id, &["docker:label:app:demo", "docker:env:PLACE=here", "unix:uid:0"]);
    let labelled = |label: &'static str| [&["--label", label, "--env", "PLACE=here"], more].concat();
    engine.run(name, &sockets, &labelled("app=demo"));
    engine.run(&other, &sockets, &labelled("app=other"));
    let fetched = eventually("the container to have its SVID", SOON, || {
        let fetched = engine.fetch(name);
        fetched.ok().then_some(fetched)
    });
    assert!(fetched.stdout.contains(&id), "{fetched}");
    let selectors = logged(agent, &domain.agent().log(), "docker");
    let refused = engine.fetch(&other).fails();
    assert!(format!("{refused}").contains("no identity issued"), "{refused}");
    // what runs beside the containers has no selector of theirs
    let outside = domain.agent().cli(&["api", "fetch", "x509"]).fails();
    assert!(format!("{outside}").contains("no identity issued"), "{outside}");
    selectors
}

/// Limits that podman would raise otherwise, which not every root may.
const LIMITS: [&str; 4] = ["--ulimit", "nofile=1024:4096", "--ulimit", "nproc=1024:4096"];

#[test]
fn a_container_of_podman_is_asked_of_the_engine_of_its_owner() {
    for (uid, parent) in [(0, None), (1000, Some(Podman::USER_1000))] {
        let podman = match Podman::start(uid) {
            Ok(podman) => podman,
            Err(missing) => return skip("containers of Podman", &missing),
        };
        // root's engine has a fixed address, a user's the one of the template
        let root = podman.template().replace("%d", "0");
        let plugin = format!(
            "WorkloadAttestor \"docker\" {{ plugin_data {{\npodman_socket_path = \"{root}\"\n\
             podman_socket_path_template = \"{}\"\n}} }}",
            podman.template()
        );
        let parent = parent.map(|parent| vec!["--cgroup-parent", parent]).unwrap_or_default();
        let more = [&LIMITS[..], &parent].concat();
        let ours = containers(Bonafide, &podman, &plugin, "ours", &more);
        for wanted in ["label:app:demo", "env:PLACE=here", "image_id:localhost/rig/base:1"] {
            assert!(ours.contains(wanted), "{wanted} is not among {ours:?}");
        }
        match Spire.available() {
            Ok(()) => {
                let own = |all: BTreeSet<String>| -> BTreeSet<String> {
                    all.into_iter().filter(|one| !one.starts_with("env:HOSTNAME=")).collect()
                };
                assert_eq!(own(containers(Spire, &podman, &plugin, "theirs", &more)), own(ours));
            }
            Err(missing) => skip("containers of Podman, of SPIRE's agent", &missing),
        }
    }
}

/// A kubelet's read-only port that answers everyone with these pods.
fn kubelet(pods: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let length = pods.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all((head + &pods).as_bytes());
        }
    });
    port
}

#[test]
fn an_entry_may_ask_for_a_service_account_and_an_exact_image_together() {
    let docker = match Docker::start() {
        Ok(docker) => docker,
        Err(missing) => return skip("service accounts and images", &missing),
    };
    let sockets = tempfile::tempdir().unwrap();
    docker.run("web", sockets.path(), &[]);
    docker.run("other", sockets.path(), &[]);
    let pod = |name: &str, account: &str| {
        format!(
            r#"{{"metadata":{{"name":"{name}","namespace":"shop","uid":"{name}"}},"spec":{{"serviceAccountName":"{account}"}},
            "status":{{"containerStatuses":[{{"name":"c","containerID":"docker://{}"}}]}}}}"#,
            docker.inspect(name, "{{.Id}}")
        )
    };
    let port = kubelet(format!(r#"{{"items":[{},{}]}}"#, pod("web", "cart"), pod("other", "till")));
    let k8s = format!("WorkloadAttestor \"k8s\" {{ plugin_data {{ kubelet_read_only_port = {port} }} }}");
    let options = Options::default().agent_plugin(&docker_plugin(&docker)).agent_plugin(&k8s);
    let mut domain = Domain::start_server(options);
    let agent = domain.prepare_agent();
    // the containers were there before the agent: the folder of its socket is theirs
    let theirs = sockets.path().join("api.sock").display().to_string();
    let text = fs::read_to_string(agent.config()).unwrap();
    fs::write(agent.config(), text.replace(&agent.socket().display().to_string(), &theirs)).unwrap();
    agent.spawn();
    let digest = format!("docker:image_config_digest:{}", docker.inspect("web", "{{.Image}}"));
    entry(&domain, &domain.id("web"), &["k8s:sa:cart", &digest]);
    entry(&domain, &domain.id("forgery"), &["k8s:sa:cart", "docker:image_config_digest:sha256:00"]);
    let fetched = eventually("the container to have its SVID", SOON, || {
        let fetched = docker.fetch("web");
        fetched.ok().then_some(fetched)
    });
    assert!(fetched.stdout.contains(&domain.id("web")) && !fetched.stdout.contains("forgery"), "{fetched}");
    // the same image under another account
    let refused = docker.fetch("other").fails();
    assert!(format!("{refused}").contains("no identity issued"), "{refused}");
}

#[test]
fn an_engine_that_is_gone_takes_no_other_attestor_down() {
    let plugin =
        "WorkloadAttestor \"docker\" { plugin_data { docker_socket_path = \"unix:///nonexistent/d.sock\" } }";
    let domain = Domain::start(Options::default().agent_plugin(plugin));
    domain.workload(&domain.id("web"), &[]);
}

#[test]
fn a_unit_has_its_name_and_file_as_selectors() {
    let systemd = match Systemd::start() {
        Ok(systemd) => systemd,
        Err(missing) => return skip("units", &missing),
    };
    let ours = units(Bonafide, &systemd);
    assert!(ours.contains("id:mine.service"), "{ours:?}");
    assert!(
        ours.iter().any(|one| one.starts_with("fragment_path:/") && one.ends_with("/units/mine.service")),
        "{ours:?}"
    );
    match Spire.available() {
        Ok(()) => assert_eq!(units(Spire, &systemd), ours),
        Err(missing) => skip("units of SPIRE's agent", &missing),
    }
}

/// Runs a unit that is entitled and one that is not; returns the selectors of both.
fn units(agent: Program, systemd: &Systemd) -> BTreeSet<String> {
    let options = Options::default()
        .programs(Bonafide, agent)
        .agent_plugin("WorkloadAttestor \"systemd\" { plugin_data {} }");
    let mut domain = Domain::start_server(options);
    let started = domain.prepare_agent();
    started.run_by(systemd.enter());
    started.start();
    let id = domain.id("mine");
    entry(&domain, &id, &["systemd:id:mine.service", "unix:uid:0"]);
    let told = domain.folder().join("told");
    let fetch = format!(
        "Type=oneshot\nStandardOutput=append:{}\nExecStart={} agent api fetch x509 -socketPath {}",
        told.display(),
        Process::bonafide().display(),
        domain.agent().socket().display()
    );
    systemd.unit("mine.service", &fetch);
    systemd.unit("other.service", &fetch);
    eventually("the unit to have its SVID", SOON, || {
        systemd.systemctl(&["start", "mine.service"]).ok().then_some(())
    });
    let said = fs::read_to_string(&told).unwrap();
    assert!(said.contains(&id), "{said}");
    let selectors = logged(agent, &domain.agent().log(), "systemd");
    systemd.systemctl(&["start", "other.service"]).fails();
    assert!(domain.agent().log().contains("No identity issued"));
    selectors
}
