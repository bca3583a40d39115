//! Clocks that are wrong, moved by Debian's `faketime` below one process alone.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::Duration;

use harness::{Domain, Missing, Options, skip};

fn faketime() -> Result<String, Missing> {
    let library = format!("/usr/lib/{}-linux-gnu/faketime/libfaketime.so.1", std::env::consts::ARCH);
    match Path::new(&library).exists() {
        true => Ok(library),
        false => {
            Err(Missing::Tool("Debian's faketime is missing: scripts/install-test-tools installs it".into()))
        }
    }
}

#[test]
fn an_agent_whose_clock_is_seconds_off_works() {
    let library = match faketime() {
        Ok(library) => library,
        Err(missing) => return skip("an agent whose clock is seconds off", &missing),
    };
    for offset in ["-5s", "+5s"] {
        let mut domain = Domain::start_server(Options::default());
        let agent = domain.prepare_agent();
        agent.set_env("LD_PRELOAD", &library);
        agent.set_env("FAKETIME", offset);
        agent.start();
        domain.workload(&domain.id("client"), &[]);
    }
}

#[test]
fn an_agent_whose_clock_is_far_off_says_that_certificates_are_not_valid_now() {
    let library = match faketime() {
        Ok(library) => library,
        Err(missing) => return skip("an agent whose clock is far off", &missing),
    };
    for (offset, word) in [("-2h", "not valid yet"), ("+48h", "expired")] {
        let mut domain = Domain::start_server(Options::default());
        let agent = domain.prepare_agent();
        agent.set_env("LD_PRELOAD", &library);
        agent.set_env("FAKETIME", offset);
        agent.spawn();
        agent.process().wait_for_log("clock", Duration::from_secs(60));
        let log = agent.log();
        assert!(log.contains(word), "{log}");
    }
}
