//! Forced rotation of a server's authorities, whoever made the server, the agent and the commands.

use std::time::{Duration, Instant};

use harness::{Domain, Program, eventually};

/// A polling agent asks every five seconds; what it is to know before the next step it knows after this.
const TOLD: Duration = Duration::from_secs(8);
const SOON: Duration = Duration::from_secs(40);

/// A family of authorities through the commands of either implementation.
pub(crate) struct Family<'a> {
    pub(crate) domain: &'a Domain,
    pub(crate) commands: Program,
    pub(crate) name: &'static str,
}

impl Family<'_> {
    fn run(&self, verb: &str, id: &str) {
        let mut arguments = vec!["localauthority", self.name, verb];
        if !id.is_empty() {
            arguments.extend(["-authorityID", id]);
        }
        let done = self.domain.cli_of(self.commands, &arguments).succeeds();
        assert!(id.is_empty() || done.stdout.contains(id), "{done}");
    }

    /// The name of the authority in a stage; empty if there is none.
    pub(crate) fn stage(&self, stage: &str) -> String {
        let show = ["localauthority", self.name, "show", "-output", "json"];
        let shown = self.domain.cli_of(self.commands, &show).succeeds().json();
        shown[stage]["authority_id"].as_str().unwrap_or_default().to_owned()
    }

    /// Prepares and activates; returns the name of the one that is old now.
    pub(crate) fn replace(&self) -> String {
        let active = self.stage("active");
        self.run("prepare", "");
        let prepared = self.stage("prepared");
        assert!(!prepared.is_empty() && prepared != active);
        std::thread::sleep(TOLD);
        self.run("activate", &prepared);
        assert_eq!((self.stage("active"), self.stage("old")), (prepared, active.clone()));
        active
    }

    pub(crate) fn taint(&self, id: &str) {
        self.run("taint", id);
    }

    pub(crate) fn revoke(&self, id: &str) {
        self.run("revoke", id);
        let show = ["bundle", "show", "-output", "json"];
        let bundle = self.domain.cli_of(self.commands, &show).succeeds().json();
        let names = if self.name == "jwt" { "jwt_authorities" } else { "x509_authorities" };
        let left = bundle[names].as_array().unwrap();
        assert_eq!(left.len(), 1, "the active one alone is left: {bundle}");
        assert_eq!(left[0]["tainted"], false, "{bundle}");
    }
}

/// The workload's X.509-SVID as the agent serves it now, in base64.
pub(crate) fn served(domain: &Domain) -> String {
    let fetched = domain.agent().cli(&["api", "fetch", "x509", "-output", "json"]);
    if !fetched.ok() {
        return String::new();
    }
    fetched.json()["svids"][0]["x509_svid"].as_str().unwrap_or_default().to_owned()
}

fn agent_serial(domain: &Domain) -> String {
    let listed = domain.cli(&["agent", "list", "-output", "json"]).succeeds().json();
    listed["agents"][0]["x509svid_serial_number"].as_str().unwrap().to_owned()
}

/// Replaces the X.509 authority of a server whose SVIDs would live for an hour: they are all replaced once the old one
/// is tainted, and work goes on once it is revoked. Returns how long after the taint the workload had its new SVID.
pub(crate) fn x509_is_replaced(domain: &Domain, commands: Program) -> Duration {
    let family = Family { domain, commands, name: "x509" };
    let (first, agent_first) = (served(domain), agent_serial(domain));
    let old = family.replace();
    assert_eq!(served(domain), first, "an activation alone replaces nothing");
    family.taint(&old);
    let tainted = Instant::now();
    eventually("the workload's SVID to be replaced", SOON, || {
        let now = served(domain);
        (!now.is_empty() && now != first).then_some(())
    });
    let took = tainted.elapsed();
    eventually("the agent's own SVID to be replaced", SOON, || {
        (agent_serial(domain) != agent_first).then_some(())
    });
    std::thread::sleep(TOLD);
    let replaced = served(domain);
    family.revoke(&old);
    std::thread::sleep(TOLD);
    assert_eq!(served(domain), replaced, "what the new authority signed stays");
    took
}

/// Replaces the JWT key: a token of the old key is believed until it is revoked, and fetched anew once it is tainted.
pub(crate) fn jwt_is_replaced(domain: &Domain, commands: Program) {
    let family = Family { domain, commands, name: "jwt" };
    let fetch = || {
        let fetched = domain.agent().cli(&["api", "fetch", "jwt", "-audience", "a", "-output", "json"]);
        fetched.succeeds().json()[0]["svids"][0]["svid"].as_str().unwrap().to_owned()
    };
    let believed =
        |token: &str| domain.agent().cli(&["api", "validate", "jwt", "-audience", "a", "-svid", token]).ok();
    let first = fetch();
    let old = family.replace();
    assert_eq!(fetch(), first, "cached");
    family.taint(&old);
    eventually("the cached token to be dropped", SOON, || (fetch() != first).then_some(()));
    assert!(believed(&first), "tainted is not revoked");
    family.revoke(&old);
    eventually("the old token to be refused", SOON, || (!believed(&first)).then_some(()));
    assert!(believed(&fetch()));
    domain.workload(&domain.id("after-the-revocation"), &[]);
}
