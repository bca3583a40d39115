//! Everything that one server signs.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::Domain;
use serde_json::Value;
use spiffe::bundle::Bundle;
use spiffe::jwt::JwtSvid;
use spiffe::x509::{Certificate, X509Svid};
use spiffe::{BundleSet, TrustDomain, pem};

use crate::form;

/// One of each.
pub(crate) struct Everything {
    pub(crate) bundle: Arc<Bundle>,
    pub(crate) root: Certificate,
    pub(crate) server: Certificate,
    pub(crate) agent: Certificate,
    pub(crate) workload: Certificate,
    pub(crate) minted: Certificate,
    pub(crate) token: JwtSvid,
    pub(crate) minted_token: JwtSvid,
}

impl Everything {
    /// By what it is: what does not differ each time.
    pub(crate) fn forms(&self) -> Vec<(&'static str, Vec<String>)> {
        let certificates = [
            ("the authority", &self.root),
            ("the server's own SVID", &self.server),
            ("an agent's SVID", &self.agent),
            ("a workload's SVID", &self.workload),
            ("a minted SVID", &self.minted),
        ];
        let tokens = [("a workload's token", &self.token), ("a minted token", &self.minted_token)];
        let certificates = certificates.map(|(what, one)| (what, form::of_certificate(one.der())));
        let tokens = tokens.map(|(what, one)| (what, form::of_token(one.token())));
        certificates.into_iter().chain(tokens).collect()
    }
}

/// Fetches one of each, as those for whom they are do. All are believed.
pub(crate) fn everything(domain: &mut Domain) -> Everything {
    let shown = domain.cli(&["bundle", "show", "-format", "spiffe"]).succeeds().stdout;
    let bundle = Bundle::parse_spiffe_json(TrustDomain::parse("example.org").unwrap(), &shown).unwrap();
    let bundle = Arc::new(bundle);
    let leaf = |chain: Vec<Vec<u8>>| {
        let svid = X509Svid::parse_chain(chain).unwrap();
        let set: BundleSet = std::iter::once(bundle.clone()).collect();
        svid.verify(&set, SystemTime::now()).unwrap();
        svid.leaf().clone()
    };
    let token = |text: &str| {
        JwtSvid::verify(text, &*bundle, &["a"], SystemTime::now()).unwrap();
        JwtSvid::parse_unverified(text).unwrap()
    };
    let id = domain.id("minted");
    let mint = [
        "x509",
        "mint",
        "-spiffeID",
        &id,
        "-ttl",
        "15m",
        "-dns",
        "web.example.org",
        "-dns",
        "www.example.org",
    ];
    let minted = domain.cli(&mint).succeeds().stdout;
    let minted = minted.split("Private key:").next().unwrap();
    let mint = ["jwt", "mint", "-spiffeID", &id, "-audience", "a", "-ttl", "3m"];
    let minted_token = domain.cli(&mint).succeeds().stdout;
    let x509 = fetched(domain, &["api", "fetch", "x509", "-output", "json"]);
    let jwt = fetched(domain, &["api", "fetch", "jwt", "-audience", "a", "-output", "json"]);
    Everything {
        root: bundle.x509_authorities().first().unwrap().certificate.clone(),
        server: leaf(shown_by(domain.port())),
        agent: leaf(of_agent(domain)),
        workload: leaf(vec![decoded(&x509["svids"][0]["x509_svid"])]),
        minted: leaf(certificates(minted)),
        token: token(jwt[0]["svids"][0]["svid"].as_str().unwrap()),
        minted_token: token(minted_token.trim()),
        bundle: bundle.clone(),
    }
}

fn fetched(domain: &Domain, arguments: &[&str]) -> Value {
    domain.agent().cli(arguments).succeeds().json()
}

fn decoded(text: &Value) -> Vec<u8> {
    STANDARD.decode(text.as_str().unwrap()).unwrap()
}

fn certificates(text: &str) -> Vec<Vec<u8>> {
    let begin = text.find("-----").unwrap_or_default();
    let blocks = pem::decode_all(text[begin..].trim(), "CERTIFICATE").unwrap();
    blocks.into_iter().map(|block| block.der.to_vec()).collect()
}

/// The certificates that a server shows.
fn shown_by(port: u16) -> Vec<Vec<u8>> {
    let address = format!("127.0.0.1:{port}");
    let shown = Command::new("openssl")
        .args(["s_client", "-showcerts", "-alpn", "h2", "-connect", &address])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    let (begin, end) = (text.find("-----BEGIN").unwrap(), text.rfind("-----END CERTIFICATE-----").unwrap());
    certificates(&text[begin..end + "-----END CERTIFICATE-----\n".len()])
}

/// The SVID that our agent keeps.
fn of_agent(domain: &mut Domain) -> Vec<Vec<u8>> {
    let kept = fs::read_to_string(domain.agent().data().join("agent-data.json")).unwrap();
    let kept: Value = serde_json::from_str(&kept).unwrap();
    let pem = kept["svid"].as_array().unwrap().iter().map(|one| String::from_utf8(decoded(one)).unwrap());
    certificates(&pem.collect::<String>())
}
