//! Orders of an operator to a server that stops while it carries them out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use harness::{Domain, eventually};
use spiffe::bundle::Bundle;
use spiffe::x509::X509Svid;
use spiffe::{BundleSet, TrustDomain};

use crate::countdown::Countdown;
use crate::signed::{Signed, published, sign};
use crate::stage;

const SOON: Duration = Duration::from_secs(60);

/// What signs the server's X.509 authority.
pub(crate) enum Upstream {
    None,
    Disk(PathBuf),
    Server(Box<Domain>),
}

impl Upstream {
    /// The plugin of an authority on disk.
    pub(crate) fn plugin(&self) -> String {
        let Self::Disk(folder) = self else { return String::new() };
        format!(
            "UpstreamAuthority \"disk\" {{ plugin_data {{\n cert_file_path = \"{0}/cert.pem\"\n key_file_path = \
             \"{0}/key.pem\"\n }} }}",
            folder.display()
        )
    }

    /// Another authority signs from here on.
    pub(crate) fn renew(&self) {
        match self {
            Self::None => {}
            Self::Disk(folder) => root(folder),
            Self::Server(root) => {
                root.cli(&["localauthority", "x509", "prepare"]).succeeds();
                let prepared = stage(root, "x509", "prepared");
                root.cli(&["localauthority", "x509", "activate", "-authorityID", &prepared]).succeeds();
            }
        }
    }
}

/// A root with its key, as OpenSSL makes it.
fn root(folder: &Path) {
    let path = |file: &str| folder.join(file).display().to_string();
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "1",
        ])
        .args(["-subj", "/O=Above/serialNumber=1", "-addext", "basicConstraints=critical,CA:TRUE"])
        .args(["-addext", "keyUsage=critical,keyCertSign,cRLSign"])
        .args(["-keyout", &path("key.pem"), "-out", &path("cert.pem")])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// A server that gets orders, and all that it has signed.
pub(crate) struct Orders {
    domain: Domain,
    countdown: Countdown,
    upstream: Upstream,
    signed: Vec<Signed>,
}

impl Orders {
    pub(crate) fn new(domain: Domain, countdown: Countdown, upstream: Upstream) -> Self {
        let signed = sign(&domain);
        Self { domain, countdown, upstream, signed }
    }

    fn order(&self, arguments: &[&str]) -> bool {
        self.domain.cli(arguments).ok()
    }

    fn stages(&self, family: &str) -> [String; 3] {
        ["active", "prepared", "old"].map(|one| stage(&self.domain, family, one))
    }

    /// Gives an order with a stop after so many steps; where it stopped, if it did. The server runs afterwards, and what
    /// it had signed is believed, and what it signs.
    fn stopped(&mut self, steps: u32, arguments: &[&str]) -> Option<String> {
        self.settled();
        self.signed.extend(sign(&self.domain));
        self.countdown.stop_after(steps);
        let done = self.order(arguments);
        let stopped = self.countdown.stopped_at();
        assert_ne!(done, stopped.is_some(), "{arguments:?} after {steps} steps, {stopped:?}");
        if stopped.is_some() {
            self.start_again();
        }
        self.countdown.off();
        self.sound();
        stopped
    }

    fn start_again(&mut self) {
        let stopped = self.countdown.wait(self.domain.server());
        self.countdown.off();
        self.domain.server().start();
        assert!(!stopped.is_empty());
    }

    /// Below another server: what that one has is here, so that no step comes by itself.
    fn settled(&self) {
        let Upstream::Server(root) = &self.upstream else { return };
        eventually("the bundle above to be taken over", SOON, || {
            (names(&published(root)) == names(&published(&self.domain))).then_some(())
        });
    }

    fn sound(&mut self) {
        let mut now = sign(&self.domain);
        assert_eq!(now.len(), 2, "it signs both kinds");
        self.signed.append(&mut now);
        let bundle = published(&self.domain);
        let lost = self.signed.iter().filter(|one| !one.believed(&bundle)).count();
        assert_eq!(lost, 0, "what was signed is not believed any more: {bundle:?}");
    }

    /// Gives an order again and again, each time with a stop one step later, until it is carried out. `before` makes
    /// ready for it, and says what it is.
    fn at_each_step(
        &mut self,
        family: &str,
        expected: &[&str],
        before: impl Fn(&mut Self) -> Vec<String>,
        after: impl Fn(&str, [String; 3], [String; 3]),
    ) {
        let mut seen = Vec::new();
        for steps in 0.. {
            let order = before(self);
            let order: Vec<&str> = order.iter().map(String::as_str).collect();
            let then = self.stages(family);
            let Some(stopped) = self.stopped(steps, &order) else { break };
            after(&stopped, then, self.stages(family));
            seen.push(stopped);
        }
        let seen: Vec<&str> = seen.iter().map(|one| one.split_once(": ").unwrap().1).collect();
        assert_eq!(seen, expected, "{family}");
    }

    pub(crate) fn prepare(&mut self, family: &str, steps: &[&str]) {
        self.replace(family);
        let order = |_: &mut Self| words(&["localauthority", family, "prepare"]);
        self.at_each_step(family, steps, order, |stopped, then, now| {
            assert_eq!(then[0], now[0], "{stopped}: the active one stays");
            match stopped.ends_with(": published") {
                true => assert!(!now[1].is_empty() && now[1] != then[1], "{stopped}: {now:?}"),
                // The key of one that was prepared before is gone; an old one is still known.
                false => assert!(now[1].is_empty() && now[2] == then[2], "{stopped}: {then:?} {now:?}"),
            }
        });
    }

    /// Makes the next authority, if there is none. Returns its name.
    fn prepared(&self, family: &str) -> String {
        if stage(&self.domain, family, "prepared").is_empty() {
            if family == "x509" {
                self.upstream.renew();
            }
            assert!(self.order(&["localauthority", family, "prepare"]));
        }
        let prepared = stage(&self.domain, family, "prepared");
        self.agents_know(family, &prepared);
        prepared
    }

    /// An agent that has been told of an authority knows the server that shows an SVID of it after a restart.
    fn agents_know(&self, family: &str, name: &str) {
        if family == "jwt" || !matches!(self.upstream, Upstream::None) {
            return;
        }
        eventually("the agent to be told of the next authority", SOON, || {
            let roots = self.fetched()?["svids"][0]["bundle"].as_str()?.to_owned();
            let known = Bundle::parse_x509_concatenated(self.trust_domain(), &decode(&roots)).ok()?;
            names(&known).contains(name).then_some(())
        });
    }

    fn trust_domain(&self) -> TrustDomain {
        published(&self.domain).trust_domain().clone()
    }

    fn fetched(&self) -> Option<serde_json::Value> {
        let fetched = self.domain.agent().cli(&["api", "fetch", "x509", "-output", "json"]);
        fetched.ok().then(|| fetched.json())
    }

    pub(crate) fn activate(&mut self, family: &str, steps: &[&str]) {
        let order = |this: &mut Self| {
            words(&["localauthority", family, "activate", "-authorityID", &this.prepared(family)])
        };
        self.at_each_step(family, steps, order, |stopped, then, now| {
            match stopped.ends_with("written down") {
                true => assert_eq!((&now[0], &now[2]), (&then[1], &then[0]), "{stopped}"),
                false => assert_eq!(now, then, "{stopped}"),
            }
        });
    }

    /// The old authority or the one above it, untainted; the order to taint it, without its name.
    fn old(&self, family: &str) -> (String, Vec<String>) {
        match (&self.upstream, family) {
            (Upstream::Disk(_), "x509") => {
                let show = ["localauthority", "x509", "show", "-output", "json"];
                let shown = self.domain.cli(&show).succeeds().json();
                let name = shown["old"]["upstream_authority_subject_key_id"].as_str().unwrap().to_owned();
                (name, words(&["upstreamauthority", "taint", "-subjectKeyID"]))
            }
            _ => (
                stage(&self.domain, family, "old"),
                words(&["localauthority", family, "taint", "-authorityID"]),
            ),
        }
    }

    /// Has another authority take over, so that there is an old one.
    fn replace(&self, family: &str) {
        let prepared = self.prepared(family);
        assert!(self.order(&["localauthority", family, "activate", "-authorityID", &prepared]));
    }

    pub(crate) fn taint_and_revoke(&mut self, family: &str) {
        for (verb, tainted) in [("taint", false), ("revoke", true)] {
            for steps in 0..3 {
                // All is signed anew before anything is revoked.
                self.replace(family);
                let (name, mut order) = self.old(family);
                order.push(name.clone());
                if tainted {
                    self.tainted(&order, family);
                }
                order.iter_mut().filter(|word| *word == "taint").for_each(|word| *word = verb.to_owned());
                let order: Vec<&str> = order.iter().map(String::as_str).collect();
                let stopped = self.stopped(steps, &order);
                let expected = ["order: to be carried out", "order: carried out"];
                assert_eq!(stopped.as_deref(), expected.get(steps as usize).copied());
                let in_force = stopped.as_deref() != Some("order: to be carried out");
                let found = tainted_in(&published_with_taints(&self.domain), family, &name);
                match verb {
                    "taint" => assert_eq!(found, Some(in_force), "{stopped:?}"),
                    _ => assert_eq!(found, (!in_force).then_some(true), "{stopped:?}"),
                }
            }
        }
    }

    /// Taints the old authority, has all its SVIDs replaced, and forgets those that are to be believed no more.
    fn tainted(&mut self, order: &[String], family: &str) {
        let Some(name) = order.last() else { return };
        let order: Vec<&str> = order.iter().map(String::as_str).collect();
        assert!(self.order(&order));
        if family == "x509" && matches!(self.upstream, Upstream::None) {
            eventually("the workload to have an SVID of another authority", SOON, || {
                self.served().is_some_and(|svid| signed_by(&svid) != *name).then_some(())
            });
        }
        self.signed.clear();
    }

    /// What the agent serves.
    fn served(&self) -> Option<X509Svid> {
        let text = self.fetched()?["svids"][0]["x509_svid"].as_str()?.to_owned();
        X509Svid::parse_concatenated(&decode(&text)).ok()
    }

    /// The agent has come through all of that, and what it serves is believed.
    pub(crate) fn workloads_are_served(&self) {
        let set: BundleSet = std::iter::once(published(&self.domain)).collect();
        let svid = self.served().unwrap();
        svid.verify(&set, SystemTime::now()).unwrap();
        self.domain.workload(&self.domain.id("after-all-stops"), &[]);
    }

    /// The authority above is replaced while this server is down; it stops after each step of following that.
    pub(crate) fn follow(&mut self, expected: &[&str]) {
        let mut seen = BTreeSet::new();
        for steps in 0..expected.len() {
            self.signed = sign(&self.domain);
            let Upstream::Server(root) = &self.upstream else { unreachable!() };
            self.domain.server().stop();
            self.upstream.renew();
            let old = stage(root, "x509", "old");
            assert!(root.cli(&["localauthority", "x509", "taint", "-authorityID", &old]).ok());
            self.countdown.stop_after(steps.try_into().unwrap());
            self.domain.server().spawn();
            seen.insert(self.countdown.wait(self.domain.server()));
            self.countdown.off();
            self.domain.server().start();
            eventually("the taint to come down", SOON, || {
                let bundle = published_with_taints(&self.domain);
                (tainted_in(&bundle, "x509", &old) == Some(true)).then_some(())
            });
            let show = ["localauthority", "x509", "show", "-output", "json"];
            let shown = self.domain.cli(&show).succeeds().json();
            assert_ne!(shown["active"]["upstream_authority_subject_key_id"], old.as_str());
            self.sound();
        }
        assert_eq!(seen, expected.iter().map(|one| (*one).to_owned()).collect());
        let Upstream::Server(root) = &self.upstream else { unreachable!() };
        let old = stage(root, "x509", "old");
        root.cli(&["localauthority", "x509", "revoke", "-authorityID", &old]).succeeds();
        let told = format!("msg=\"X.509 authority revoked\" subject_key_id={old}");
        self.domain.server().process().wait_for_log(&told, SOON);
        assert_eq!(tainted_in(&published_with_taints(&self.domain), "x509", &old), None);
    }
}

/// The authorities of a bundle.
fn names(bundle: &Bundle) -> BTreeSet<String> {
    let x509 = bundle.x509_authorities().iter().map(|one| one.certificate.subject_key_id());
    let x509 = x509.map(|id| hex(id.unwrap_or_default()));
    x509.chain(bundle.jwt_authorities().iter().map(|one| one.key_id.clone())).collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The name of the authority that signed it.
fn signed_by(svid: &X509Svid) -> String {
    hex(svid.leaf().authority_key_id().unwrap_or_default())
}

fn decode(base64: &str) -> Vec<u8> {
    base64::Engine::decode(&base64::engine::general_purpose::STANDARD, base64).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bundle as operators see it, which says what is tainted.
fn published_with_taints(domain: &Domain) -> serde_json::Value {
    domain.cli(&["bundle", "show", "-output", "json"]).succeeds().json()
}

/// Whether the bundle has the authority of this name, and if so whether it is tainted.
fn tainted_in(bundle: &serde_json::Value, family: &str, name: &str) -> Option<bool> {
    let held = bundle[format!("{family}_authorities")].as_array().unwrap().iter().find(|one| match family {
        "jwt" => one["key_id"] == name,
        _ => subject_key_id(one["asn1"].as_str().unwrap()) == name,
    });
    held.map(|one| one["tainted"] == true)
}

fn subject_key_id(text: &str) -> String {
    let certificate = spiffe::x509::Certificate::parse(decode(text)).unwrap();
    hex(certificate.subject_key_id().unwrap_or_default())
}
