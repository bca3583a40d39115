//! Both halves of x509pop, speaking with one another and with what SPIRE's agents say.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use model::ports::{AttestError, Challenger, NodeAttestor, NodeProof, Prover};
use model::{Attested, Selector};
use plugins_local::x509pop::{
    Agent, Configuration, ConfigurationFault, CredentialError, Credentials, Server, Source,
};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, SerialNumber,
};
use spiffe::TrustDomain;
use spiffe::x509::Certificate;
use tempfile::TempDir;
use tokio::sync::mpsc;

/// A CA, or a node's certificate, with its key.
struct Made {
    params: CertificateParams,
    key: KeyPair,
    der: Vec<u8>,
    pem: String,
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn ca_params(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn leaf_params() -> CertificateParams {
    let mut params = named("node-1");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.serial_number = Some(SerialNumber::from_slice(&[0x0a, 0xbc]));
    // of no matter to the attestor
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    params
}

fn self_signed(params: CertificateParams) -> Made {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Made { der: certificate.der().to_vec(), pem: certificate.pem(), params, key }
}

impl Made {
    fn issue(&self, params: CertificateParams) -> Made {
        self.issue_for(params, KeyPair::generate().unwrap())
    }

    fn issue_for(&self, params: CertificateParams, key: KeyPair) -> Made {
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        Made { der: certificate.der().to_vec(), pem: certificate.pem(), params, key }
    }

    fn fingerprint(&self) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &self.der);
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Files of one test.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn agent(&self, leaf: &Made, between: &[&Made]) -> Agent {
        let key = self.put("key.pem", &leaf.key.serialize_pem());
        let chain: String = [leaf].iter().chain(between).map(|it| it.pem.as_str()).collect();
        Agent::from_files(key, self.put("chain.pem", &chain), None).unwrap()
    }

    fn trusting(&self, roots: &[&Made]) -> Configuration {
        let path = self.put("roots.pem", &roots.iter().map(|it| it.pem.as_str()).collect::<String>());
        Configuration { ca_bundle_path: Some(path), ..Configuration::default() }
    }
}

fn trust_domain() -> TrustDomain {
    TrustDomain::parse("example.org").unwrap()
}

fn server(settings: &Configuration) -> Server {
    Server::new(trust_domain(), settings, Arc::new(Vec::new)).map_err(|faults| format!("{faults:?}")).unwrap()
}

fn faults(settings: &Configuration) -> Vec<String> {
    let refused = Server::new(trust_domain(), settings, Arc::new(Vec::new)).map(drop).unwrap_err();
    refused.iter().map(ConfigurationFault::to_string).collect()
}

struct Node {
    to: mpsc::Sender<Vec<u8>>,
    from: mpsc::Receiver<Vec<u8>>,
    address: Option<IpAddr>,
}

#[async_trait]
impl Challenger for Node {
    async fn challenge(&mut self, challenge: Vec<u8>) -> Result<Vec<u8>, AttestError> {
        let gone = || AttestError::BrokenOff("the agent is gone".to_owned());
        self.to.send(challenge).await.map_err(|_| gone())?;
        self.from.recv().await.ok_or_else(gone)
    }

    fn address(&self) -> Option<IpAddr> {
        self.address
    }
}

struct Wire {
    to: mpsc::Sender<Vec<u8>>,
    from: mpsc::Receiver<Vec<u8>>,
}

#[async_trait]
impl Prover for Wire {
    async fn send(&mut self, message: Vec<u8>) -> Result<Option<Vec<u8>>, AttestError> {
        let sent = self.to.send(message).await;
        sent.map_err(|_| AttestError::BrokenOff("the server is gone".to_owned()))?;
        Ok(self.from.recv().await)
    }
}

async fn converse_from(
    address: Option<IpAddr>,
    agent: &Agent,
    server: &Server,
    now: SystemTime,
) -> Result<Attested, AttestError> {
    let (to, mut from_agent) = mpsc::channel(1);
    let (to_agent, from) = mpsc::channel(1);
    let mut wire = Wire { to, from };
    let serve = async move {
        let payload = from_agent.recv().await.unwrap();
        server.attest(&payload, &mut Node { to: to_agent, from: from_agent, address }, now).await
    };
    let prove = async {
        let proven = agent.prove(&mut wire).await;
        drop(wire);
        proven
    };
    let (proven, attested) = tokio::join!(prove, serve);
    proven.unwrap();
    attested
}

async fn converse(agent: &Agent, server: &Server) -> Result<Attested, AttestError> {
    converse_from(None, agent, server, SystemTime::now()).await
}

fn values(attested: &Attested) -> Vec<&str> {
    assert!(attested.selectors().iter().all(|selector| selector.kind() == "x509pop"));
    attested.selectors().iter().map(Selector::value).collect()
}

fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

#[tokio::test]
async fn a_node_is_known_by_the_fingerprint_of_its_certificate() {
    let files = Files::new();
    let root = self_signed(ca_params("root"));
    let between = root.issue(ca_params("between"));
    let mut params = leaf_params();
    params.subject_alt_names = vec![uri("x509pop://example.org/rack/7/b"), uri("https://example.org/x")];
    let leaf = between.issue(params);
    let attested =
        converse(&files.agent(&leaf, &[&between]), &server(&files.trusting(&[&root]))).await.unwrap();
    assert_eq!(
        attested.agent_id().as_str(),
        format!("spiffe://example.org/spire/agent/x509pop/{}", leaf.fingerprint())
    );
    assert!(attested.can_reattest());
    let mut expected = vec![
        format!("ca:fingerprint:{}", root.fingerprint()),
        format!("ca:fingerprint:{}", between.fingerprint()),
        "san:rack:7/b".to_owned(),
        "serialnumber:0abc".to_owned(),
        "subject:cn:node-1".to_owned(),
    ];
    expected.sort();
    assert_eq!(values(&attested), expected);
}

#[tokio::test]
async fn every_type_of_key_can_prove_itself() {
    let root = self_signed(ca_params("root"));
    for how in [
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_ECDSA_P521_SHA512,
        &rcgen::PKCS_RSA_SHA256,
    ] {
        let files = Files::new();
        let leaf = root.issue_for(leaf_params(), KeyPair::generate_for(how).unwrap());
        let attested = converse(&files.agent(&leaf, &[]), &server(&files.trusting(&[&root]))).await;
        attested.unwrap_or_else(|fault| panic!("{how:?}: {fault}"));
    }
}

#[tokio::test]
async fn every_chain_to_a_root_gives_its_fingerprints() {
    let files = Files::new();
    let (one, two) = (self_signed(ca_params("one")), self_signed(ca_params("two")));
    let between = one.issue(ca_params("between"));
    let crossed =
        two.issue_for(ca_params("between"), KeyPair::from_pem(&between.key.serialize_pem()).unwrap());
    let leaf = between.issue(leaf_params());
    let agent = files.agent(&leaf, &[&between, &crossed]);
    let attested = converse(&agent, &server(&files.trusting(&[&one, &two]))).await.unwrap();
    for above in [&one, &two, &between, &crossed] {
        let fingerprint = format!("ca:fingerprint:{}", above.fingerprint());
        assert!(values(&attested).contains(&fingerprint.as_str()));
    }
}

#[tokio::test]
async fn a_certificate_that_is_itself_a_root_is_trusted() {
    let files = Files::new();
    let leaf = self_signed(leaf_params());
    let attested = converse(&files.agent(&leaf, &[]), &server(&files.trusting(&[&leaf]))).await.unwrap();
    assert_eq!(values(&attested), ["serialnumber:0abc", "subject:cn:node-1"]);
}

async fn refused(agent: &Agent, server: &Server) -> String {
    match converse(agent, server).await {
        Err(AttestError::Denied(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// Of payloads that are turned down before any challenge: the error.
async fn answer_to(payload: &[u8], server: &Server) -> AttestError {
    struct Nobody;
    #[async_trait]
    impl Challenger for Nobody {
        async fn challenge(&mut self, _: Vec<u8>) -> Result<Vec<u8>, AttestError> {
            panic!("challenged");
        }
    }
    server.attest(payload, &mut Nobody, SystemTime::now()).await.unwrap_err()
}

fn payload(chain: &[&Made]) -> Vec<u8> {
    use base64::prelude::{BASE64_STANDARD, Engine};
    let chain: Vec<String> = chain.iter().map(|it| BASE64_STANDARD.encode(&it.der)).collect();
    serde_json::to_vec(&serde_json::json!({ "certificates": chain })).unwrap()
}

#[tokio::test]
async fn a_certificate_of_another_root_is_denied_before_any_challenge() {
    let files = Files::new();
    let (root, other) = (self_signed(ca_params("root")), self_signed(ca_params("root")));
    let server = server(&files.trusting(&[&root]));
    let denied = answer_to(&payload(&[&other.issue(leaf_params())]), &server).await;
    assert!(denied.to_string().starts_with("certificate verification failed: "), "{denied}");
    assert!(matches!(denied, AttestError::Denied(_)));
}

#[tokio::test]
async fn dates_are_looked_at_on_every_certificate() {
    let (past, future) = (rcgen::date_time_ymd(2001, 1, 1), rcgen::date_time_ymd(2090, 1, 1));
    for which in 0..3 {
        for (from, to) in
            [(past, rcgen::date_time_ymd(2002, 1, 1)), (future, rcgen::date_time_ymd(2091, 1, 1))]
        {
            let mut all = [ca_params("root"), ca_params("between"), leaf_params()];
            (all[which].not_before, all[which].not_after) = (from, to);
            let [root, between, leaf] = all;
            let root = self_signed(root);
            let between = root.issue(between);
            let leaf = between.issue(leaf);
            let files = Files::new();
            let denied = answer_to(&payload(&[&leaf, &between]), &server(&files.trusting(&[&root]))).await;
            assert!(matches!(denied, AttestError::Denied(_)), "{which}: {denied}");
        }
    }
}

#[tokio::test]
async fn a_stolen_certificate_is_of_no_use() {
    let files = Files::new();
    let root = self_signed(ca_params("root"));
    let leaf = root.issue(leaf_params());
    let server = server(&files.trusting(&[&root]));
    struct Thief(Made);
    #[async_trait]
    impl Source for Thief {
        async fn fetch(&self) -> Result<Credentials, CredentialError> {
            Ok(Credentials {
                chain: vec![self.0.der.clone()],
                key: KeyPair::generate().unwrap().serialize_der().into(),
            })
        }
    }
    // our own agent does not even try
    let thief = Agent::from_source(Arc::new(Thief(root.issue(leaf_params()))));
    let (to, _held) = mpsc::channel(1);
    let (_kept, from) = mpsc::channel(1);
    let fault = thief.prove(&mut Wire { to, from }).await.unwrap_err();
    assert_eq!(fault.to_string(), "unable to load keypair: private key does not match public key");
    // and one that answers with another key's signature, or an old answer, is denied
    struct Replay(Vec<u8>);
    #[async_trait]
    impl Challenger for Replay {
        async fn challenge(&mut self, _: Vec<u8>) -> Result<Vec<u8>, AttestError> {
            Ok(self.0.clone())
        }
    }
    let zeros = |length: usize| base64::Engine::encode(&base64::prelude::BASE64_STANDARD, vec![1; length]);
    let signature = serde_json::json!({ "nonce": zeros(32), "r": zeros(32), "s": zeros(32) });
    let rsa = serde_json::json!({ "nonce": zeros(32), "signature": zeros(256) });
    for (answer, why) in [
        (serde_json::json!({ "ecdsa_signature": signature }), "ECDSA signature verify failed"),
        (serde_json::json!({ "rsa_signature": rsa }), "expecting ECDSA response"),
        (serde_json::json!({}), "expecting ECDSA response"),
        (
            serde_json::json!({ "ecdsa_signature": { "nonce": zeros(31), "r": "", "s": "" } }),
            "invalid response nonce",
        ),
        (
            serde_json::json!({ "ecdsa_signature": { "nonce": zeros(32), "r": "", "s": "" } }),
            "ECDSA signature verify failed",
        ),
    ] {
        let mut node = Replay(serde_json::to_vec(&answer).unwrap());
        let denied = server.attest(&payload(&[&leaf]), &mut node, SystemTime::now()).await.unwrap_err();
        assert_eq!(denied.to_string(), format!("challenge response verification failed: {why}"));
    }
    let long = server.attest(&payload(&[&leaf]), &mut Replay(vec![b' '; 20_000]), SystemTime::now()).await;
    assert!(matches!(long, Err(AttestError::Invalid(_))));
}

#[tokio::test]
async fn a_key_that_is_not_for_signing_is_not_challenged() {
    let root = self_signed(ca_params("root"));
    for usages in [vec![], vec![KeyUsagePurpose::KeyEncipherment]] {
        let files = Files::new();
        let mut params = leaf_params();
        params.key_usages = usages;
        let failed = answer_to(&payload(&[&root.issue(params)]), &server(&files.trusting(&[&root]))).await;
        assert_eq!(
            failed.to_string(),
            "unable to generate challenge: certificate not intended for digital signature use"
        );
    }
}

#[tokio::test]
async fn payloads_are_bounded_in_every_dimension() {
    let files = Files::new();
    let root = self_signed(ca_params("root"));
    let leaf = root.issue_for(leaf_params(), KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap());
    let settings = Configuration { max_intermediates: Some(2), ..files.trusting(&[&root]) };
    let many = answer_to(&payload(&[&leaf, &root, &root, &root]), &server(&settings)).await;
    assert_eq!(many.to_string(), "too many intermediate certificates");
    let small = Configuration { max_rsa_key_size: Some(2047), ..settings.clone() };
    let large = answer_to(&payload(&[&leaf]), &server(&small)).await;
    assert_eq!(large.to_string(), "leaf certificate key size too large");
    let other = root.issue(leaf_params());
    let large = answer_to(&payload(&[&other, &root, &leaf]), &server(&small)).await;
    assert_eq!(large.to_string(), "intermediate certificate 1 key size too large");
    let long = answer_to(&vec![b' '; 600 * 1024], &server(&settings)).await;
    assert!(matches!(long, AttestError::Invalid(_)));
}

#[tokio::test]
async fn malformed_payloads_are_invalid() {
    let files = Files::new();
    let server = server(&files.trusting(&[&self_signed(ca_params("root"))]));
    for (payload, start) in [
        (&b""[..], "failed to unmarshal data: "),
        (b"{}", "no certificate to attest"),
        (br#"{"certificates":null}"#, "no certificate to attest"),
        (br#"{"certificates":["!"]}"#, "failed to unmarshal data: "),
        (br#"{"certificates":["AAAA"]}"#, "unable to parse leaf certificate: "),
    ] {
        let fault = answer_to(payload, &server).await;
        assert!(matches!(fault, AttestError::Invalid(_)));
        assert!(fault.to_string().starts_with(start), "{fault}");
    }
}

#[tokio::test]
async fn the_address_must_be_in_the_certificate_when_asked_for() {
    let files = Files::new();
    let root = self_signed(ca_params("root"));
    let mut params = leaf_params();
    params.subject_alt_names = vec![SanType::IpAddress("192.0.2.7".parse().unwrap())];
    let agent = files.agent(&root.issue(params), &[]);
    let settings = Configuration { verify_client_ip: true, ..files.trusting(&[&root]) };
    let server = server(&settings);
    for address in ["192.0.2.7", "::ffff:192.0.2.7"] {
        converse_from(Some(address.parse().unwrap()), &agent, &server, SystemTime::now()).await.unwrap();
    }
    // the agent hears of a refusal from its server, and sees an end here
    let Err(AttestError::Denied(why)) =
        converse_from("192.0.2.8".parse().ok(), &agent, &server, SystemTime::now()).await
    else {
        panic!("accepted");
    };
    assert_eq!(why, "client IP 192.0.2.8 does not match any certificate IP SAN");
    let unknown = converse(&agent, &server).await.unwrap_err();
    assert_eq!(unknown.to_string(), "client IP not available for verification");
}

#[tokio::test]
async fn a_path_template_makes_the_identity() {
    let files = Files::new();
    let root = self_signed(ca_params("root"));
    let agent = files.agent(&root.issue(leaf_params()), &[]);
    let with = |template: &str| Configuration {
        agent_path_template: Some(template.to_owned()),
        ..files.trusting(&[&root])
    };
    let attested = converse(&agent, &server(&with("/cn/{{ .Subject.CommonName }}"))).await.unwrap();
    assert_eq!(attested.agent_id().as_str(), "spiffe://example.org/spire/agent/cn/node-1");
    let failed = converse(&agent, &server(&with("/{{ .SVIDPathTrimmed }}"))).await.unwrap_err();
    assert!(failed.to_string().starts_with("failed to make spiffe id: "), "{failed}");
}

/// A server in mode `spiffe` whose trust domain has this authority.
fn exchanging(root: &Made, prefix: Option<&str>) -> Server {
    let settings = Configuration {
        mode: Some("spiffe".to_owned()),
        spiffe_prefix: prefix.map(str::to_owned),
        ..Configuration::default()
    };
    let own = Certificate::parse(root.der.clone()).unwrap();
    Server::new(trust_domain(), &settings, Arc::new(move || vec![own.clone()]))
        .map_err(|_| "refused")
        .unwrap()
}

fn svid(root: &Made, id: &str) -> Made {
    let mut params = leaf_params();
    params.subject_alt_names = vec![uri(id)];
    root.issue(params)
}

#[tokio::test]
async fn an_svid_is_exchanged_for_an_agents() {
    let (files, root) = (Files::new(), self_signed(ca_params("root")));
    let agent = files.agent(&svid(&root, "spiffe://example.org/spire-exchange/host/1"), &[]);
    let attested = converse(&agent, &exchanging(&root, None)).await.unwrap();
    assert_eq!(attested.agent_id().as_str(), "spiffe://example.org/spire/agent/x509pop/host/1");
    assert_eq!(
        refused(&agent, &exchanging(&root, Some("/other"))).await,
        "x509 cert doesnt match SVID prefix"
    );
    let attested = converse(&agent, &exchanging(&root, Some(""))).await.unwrap();
    assert_eq!(
        attested.agent_id().as_str(),
        "spiffe://example.org/spire/agent/x509pop/spire-exchange/host/1"
    );
}

#[tokio::test]
async fn an_svid_outside_the_prefix_or_the_trust_domain_is_not_exchanged() {
    let (files, root) = (Files::new(), self_signed(ca_params("root")));
    let server = exchanging(&root, None);
    let agent = |id: &str| files.agent(&svid(&root, id), &[]);
    assert_eq!(
        refused(&agent("spiffe://example.org/host"), &server).await,
        "x509 cert doesnt match SVID prefix"
    );
    assert_eq!(
        refused(&agent("spiffe://example.org/spire-exchanges/host"), &server).await,
        "x509 cert doesnt match SVID prefix"
    );
    assert_eq!(refused(&agent("https://example.org/"), &server).await, "valid SVID x509 cert not found");
    let other = refused(&agent("spiffe://other.org/spire-exchange/host"), &server).await;
    assert_eq!(other, "spiffe://other.org/spire-exchange/host is not of trust domain example.org");
}

#[tokio::test]
async fn without_an_authority_nothing_is_exchanged() {
    let root = self_signed(ca_params("root"));
    let settings = Configuration { mode: Some("spiffe".to_owned()), ..Configuration::default() };
    let leaf = svid(&root, "spiffe://example.org/spire-exchange/host");
    assert!(matches!(answer_to(&payload(&[&leaf]), &server(&settings)).await, AttestError::Denied(_)));
}

#[test]
fn all_that_is_wrong_with_a_configuration_is_said_at_once() {
    let files = Files::new();
    let root = self_signed(ca_params("root"));
    assert_eq!(
        faults(&Configuration::default()),
        ["one of ca_bundle_path or ca_bundle_paths must be configured"]
    );
    let both = Configuration {
        ca_bundle_paths: vec![files.put("more.pem", &root.pem)],
        max_intermediates: Some(0),
        max_rsa_key_size: Some(-1),
        agent_path_template: Some("/{{ .Issuer }}".to_owned()),
        ..files.trusting(&[&root])
    };
    let said = faults(&both);
    assert_eq!(said.len(), 4, "{said:?}");
    assert_eq!(said[0], "only one of ca_bundle_path or ca_bundle_paths can be configured, not both");
    assert!(said[1].starts_with("failed to parse agent svid template: "));
    assert_eq!(said[2], "max_intermediates must be greater than 0");
    assert_eq!(said[3], "max_rsa_key_size must be greater than 0");
    let mode = Configuration { mode: Some("tpm".to_owned()), ..Configuration::default() };
    assert_eq!(faults(&mode), ["mode can only be either spiffe or external_pki"]);
    let spiffe = Configuration { mode: Some("spiffe".to_owned()), ..files.trusting(&[&root]) };
    assert_eq!(faults(&spiffe), ["you can not use ca_bundle_path or ca_bundle_paths in spiffe mode"]);
    let empty = Configuration { ca_bundle_path: Some(files.put("e.pem", "")), ..Configuration::default() };
    assert!(faults(&empty)[0].ends_with("no certificates found in file"), "{:?}", faults(&empty));
}

#[test]
fn an_agent_says_which_file_is_wrong() {
    let files = Files::new();
    let root = self_signed(ca_params("root"));
    let leaf = root.issue(leaf_params());
    let key = files.put("key.pem", &leaf.key.serialize_pem());
    let chain = files.put("chain.pem", &leaf.pem);
    let fault = |key: &PathBuf, chain: &PathBuf, more: Option<PathBuf>| {
        Agent::from_files(key.clone(), chain.clone(), more).map(drop).unwrap_err().to_string()
    };
    let missing = files.0.path().join("missing.pem");
    assert!(fault(&missing, &chain, None).starts_with("unable to load keypair: "));
    assert!(fault(&key, &missing, None).contains("missing.pem"));
    assert!(fault(&key, &chain, Some(missing)).starts_with("unable to load intermediate certificates: "));
    assert!(fault(&chain, &chain, None).ends_with("no private key found in file"));
    let other = files.put("other.pem", &KeyPair::generate().unwrap().serialize_pem());
    assert!(fault(&other, &chain, None).ends_with("private key does not match public key"));
}

#[tokio::test]
async fn intermediates_may_be_in_a_file_of_their_own_and_files_are_read_again_each_time() {
    let files = Files::new();
    let root = self_signed(ca_params("root"));
    let between = root.issue(ca_params("between"));
    let leaf = between.issue(leaf_params());
    let key = files.put("key.pem", &leaf.key.serialize_pem());
    let chain = files.put("chain.pem", &leaf.pem);
    let agent = Agent::from_files(key, chain, Some(files.put("between.pem", &between.pem))).unwrap();
    let server = server(&files.trusting(&[&root]));
    let first = converse(&agent, &server).await.unwrap();
    let renewed = between.issue(leaf_params());
    files.put("key.pem", &renewed.key.serialize_pem());
    files.put("chain.pem", &renewed.pem);
    let second = converse(&agent, &server).await.unwrap();
    assert_ne!(first.agent_id(), second.agent_id());
}

#[tokio::test]
async fn keys_in_older_forms_load() {
    let openssl = |arguments: &[&str], text: &str| {
        use std::io::Write;
        let mut child = std::process::Command::new("openssl")
            .args(arguments)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    };
    let root = self_signed(ca_params("root"));
    for (how, arguments, form) in [
        (&rcgen::PKCS_RSA_SHA256, &["rsa", "-traditional"][..], "BEGIN RSA PRIVATE KEY"),
        (&rcgen::PKCS_ECDSA_P256_SHA256, &["ec"], "BEGIN EC PRIVATE KEY"),
        (&rcgen::PKCS_ECDSA_P384_SHA384, &["ec"], "BEGIN EC PRIVATE KEY"),
    ] {
        let files = Files::new();
        let leaf = root.issue_for(leaf_params(), KeyPair::generate_for(how).unwrap());
        let key = openssl(arguments, &leaf.key.serialize_pem());
        assert!(key.contains(form), "{key}");
        let agent =
            Agent::from_files(files.put("key.pem", &key), files.put("chain.pem", &leaf.pem), None).unwrap();
        converse(&agent, &server(&files.trusting(&[&root]))).await.unwrap();
    }
}
