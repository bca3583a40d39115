//! Profiles over HTTP and in files.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use harness::{Domain, Options, eventually, free_port, get};

const WAIT: Duration = Duration::from_secs(60);
const GZIP: [u8; 3] = [0x1f, 0x8b, 8];

/// The status and the body of an answer that is no text.
fn fetch(port: u16, path: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
    stream.set_read_timeout(Some(WAIT)).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let status = String::from_utf8_lossy(&answer[9..12]).into_owned();
    (status, answer.split_off(end + 4))
}

#[test]
fn profiles_are_served_and_written_and_those_that_are_not_say_why() {
    let ports = [free_port(), free_port()];
    let lines = |port: u16| {
        format!(
            "profiling_enabled = true\n  profiling_port = {port}\n  profiling_freq = 1\n  profiling_names = [\"cpu\", \
             \"threadcreate\", \"heap\"]"
        )
    };
    let options = Options::default().server_line(&lines(ports[0])).agent_line(&lines(ports[1]));
    let folder = tempfile::tempdir().unwrap();
    let mut domain = Domain::prepare(options);
    domain.server().run_in(folder.path());
    domain.server().start();
    let agent = domain.prepare_agent();
    agent.run_in(folder.path());
    agent.start();
    domain.workload(&domain.id("w"), &[]);
    for (port, role) in ports.into_iter().zip(["server", "agent"]) {
        let index = eventually("the index", WAIT, || get(port, "/debug/pprof/"));
        assert!(index.status == 200 && index.body.contains("profile?seconds=30"), "{index:?}");
        let threads = get(port, "/debug/pprof/threadcreate?debug=1").unwrap().body;
        assert!(threads.contains(" bonafide\n"), "{threads}");
        assert!(get(port, "/debug/pprof/cmdline").unwrap().body.contains("\0run\0"));
        for (name, why) in [("heap", "allocator"), ("goroutine", "no goroutines"), ("block", "not recorded")]
        {
            let answer = get(port, &format!("/debug/pprof/{name}")).unwrap();
            assert!(answer.status == 404 && answer.body.contains(why), "{answer:?}");
        }
        let (status, body) = fetch(port, "/debug/pprof/threadcreate");
        assert!(status == "200" && body.starts_with(&GZIP), "{status}");
        let (status, body) = fetch(port, "/debug/pprof/profile?seconds=1");
        // While processor time goes to files, nobody else can have it: as in Go.
        assert!(status == "503" && String::from_utf8_lossy(&body).contains("already"), "{status}");
        for name in ["cpu", "threadcreate"] {
            let wanted = format!("_{role}_{name}.pb.gz");
            let found = eventually(&wanted, WAIT, || {
                let all = std::fs::read_dir(folder.path().join(".profiles")).ok()?;
                let mut paths = all.filter_map(|one| Some(one.ok()?.path()));
                paths.find(|path| path.to_string_lossy().ends_with(&wanted))
            });
            assert!(std::fs::read(&found).unwrap().starts_with(&GZIP), "{found:?}");
        }
    }
    domain.server().process().wait_for_log("There is no profile of this name", WAIT);
}

#[test]
fn go_reads_a_profile_of_processor_time() {
    let port = free_port();
    let lines = format!("profiling_enabled = true\n  profiling_port = {port}");
    let domain = Domain::start_server(Options::default().server_line(&lines));
    let asked = std::thread::spawn(move || fetch(port, "/debug/pprof/profile?seconds=2"));
    while !asked.is_finished() {
        domain.cli(&["entry", "show"]).succeeds();
    }
    let (status, body) = asked.join().unwrap();
    assert!(status == "200" && body.starts_with(&GZIP), "{status}");
    let file = domain.folder().join("cpu.pb.gz");
    std::fs::write(&file, body).unwrap();
    let Ok(read) = std::process::Command::new("go").args(["tool", "pprof", "-raw"]).arg(&file).output()
    else {
        return harness::skip(
            "go_reads_a_profile_of_processor_time",
            &harness::Missing::Tool("there is no go; run scripts/install-test-tools".to_owned()),
        );
    };
    let said = String::from_utf8_lossy(&read.stdout);
    assert!(read.status.success() && said.contains("cpu/nanoseconds"), "{said}{read:?}");
    assert!(said.contains("Samples:") && said.contains("bonafide"), "{said}");
}
