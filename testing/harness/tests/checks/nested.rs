//! Servers of one trust domain below each other.

use std::time::Duration;

use harness::{Client, Domain, Options, Program, eventually};

use crate::checks::number;
use crate::forced::{Family, served};

const SOON: Duration = Duration::from_secs(60);

/// Three servers: each but the first has its X.509 authority signed by the one above, and gets its identity there from
/// an agent of that server.
pub(crate) struct Levels {
    pub(crate) root: Domain,
    pub(crate) middle: Domain,
    pub(crate) leaf: Domain,
}

/// Whose servers the three are, from the top. Agents are ours but on SPIRE's servers, where they are SPIRE's.
pub(crate) fn levels(programs: [Program; 3], options: &Options) -> Levels {
    let start = |program, options: Options| Domain::start(options.programs(program, program));
    let [first, second, third] = programs;
    let root = start(first, options.clone());
    let middle = start(second, below(&root, "middle", options));
    let leaf = start(third, below(&middle, "leaf", options));
    leaf.workload(&leaf.id("client"), &[]);
    Levels { root, middle, leaf }
}

/// Options of a server below this one, once it has an identity there.
fn below(above: &Domain, name: &str, options: &Options) -> Options {
    above.workload(&above.id(name), &["-downstream"]);
    options.clone().server_plugin(&format!(
        "UpstreamAuthority \"spire\" {{ plugin_data {{\n server_address = \"127.0.0.1\"\n server_port = \"{}\"\n \
         workload_api_socket = \"{}\"\n }} }}",
        above.port(),
        above.agent().socket().display(),
    ))
}

impl Levels {
    fn roots(domain: &Domain) -> (usize, usize) {
        let bundle = domain.cli(&["bundle", "show", "-output", "json"]).succeeds().json();
        let roots = bundle["x509_authorities"].as_array().unwrap();
        (roots.len(), roots.iter().filter(|root| root["tainted"] == true).count())
    }

    /// A token of the lowest server is believed at the top.
    pub(crate) fn keys_are_published(&self) {
        let fetch = ["api", "fetch", "jwt", "-audience", "a", "-output", "json"];
        let fetched = self.leaf.agent().cli(&fetch).succeeds().json();
        let token = fetched[0]["svids"][0]["svid"].as_str().unwrap().to_owned();
        for domain in [&self.root, &self.middle] {
            eventually("the key of the lowest server to be known above", SOON, || {
                let validate = ["api", "validate", "jwt", "-audience", "a", "-svid", &token];
                domain.agent().cli(&validate).ok().then_some(())
            });
        }
    }

    /// Workloads of the lowest and of the highest server talk mutual TLS for so long.
    pub(crate) fn mutual_tls(&self, seconds: &str, issuers: u64) {
        let (low, high) = (self.leaf.id("client"), self.root.id("middle"));
        let mut server = Client::Rust.start(&self.leaf.agent().endpoint(), &["serve", "0", &high]);
        let port = server.next_line()["listening"].to_string();
        let dialled = Client::Rust.run(&self.root.agent().endpoint(), &["dial", &port, &low, seconds]);
        let totals = dialled.succeeds().json_lines().pop().unwrap();
        let served = server.finish().succeeds();
        assert_eq!(number(&totals["failures"]), 0, "{totals}");
        assert!(
            number(&totals["requests"]) > 10 && number(&totals["issuers"]) >= issuers,
            "{totals} {served}"
        );
    }

    /// A forced rotation at the top reaches the workloads at the bottom, and so does the revocation.
    pub(crate) fn root_is_replaced(&self, commands: Program) {
        let first = served(&self.leaf);
        let family = Family { domain: &self.root, commands, name: "x509" };
        let known = |count| {
            eventually("the lowest server to follow the roots", SOON, || {
                (Self::roots(&self.leaf) == count).then_some(())
            });
        };
        let active = family.stage("active");
        family.domain.cli_of(commands, &["localauthority", "x509", "prepare"]).succeeds();
        known((2, 0));
        let prepared = family.stage("prepared");
        let activate = ["localauthority", "x509", "activate", "-authorityID", &prepared];
        family.domain.cli_of(commands, &activate).succeeds();
        family.taint(&active);
        eventually("the SVID at the bottom to be replaced", SOON, || {
            let now = served(&self.leaf);
            (!now.is_empty() && now != first).then_some(())
        });
        known((2, 1));
        // The agent of the server in the middle has to get a new SVID, too.
        std::thread::sleep(Duration::from_secs(12));
        family.revoke(&active);
        known((1, 0));
        self.mutual_tls("5", 1);
    }
}
