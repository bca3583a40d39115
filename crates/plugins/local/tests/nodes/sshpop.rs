//! The keys and certificates are of `ssh-keygen` (OpenSSH 9.2).

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use model::Attested;
use model::ports::{AttestError, NodeAttestor};
use plugins_local::sshpop::{Agent, Configuration, Server};

use super::conversation::{Saying, converse, trust_domain};

fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples/sshpop").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(sample(name)).unwrap()
}

fn authorities() -> Vec<String> {
    ["ca-ed25519.pub", "ca-rsa.pub", "ca-ecdsa.pub"].map(text).to_vec()
}

fn settings() -> Configuration {
    Configuration { cert_authorities: authorities(), ..Configuration::default() }
}

fn server(settings: &Configuration) -> Server {
    Server::new(trust_domain(), settings).map_err(|faults| format!("{faults:?}")).unwrap()
}

fn faults(settings: &Configuration) -> Vec<String> {
    let refused = Server::new(trust_domain(), settings).map(drop).unwrap_err();
    refused.iter().map(ToString::to_string).collect()
}

fn agent(name: &str) -> Agent {
    Agent::from_files(sample(name), sample(&format!("{name}-cert.pub"))).unwrap()
}

fn certificate(name: &str) -> Vec<u8> {
    let line = text(name);
    BASE64_STANDARD.decode(line.split(' ').nth(1).unwrap()).unwrap()
}

/// What a node is told that shows these bytes and has no key.
async fn show(settings: &Configuration, certificate: &[u8]) -> Result<Attested, AttestError> {
    let payload = format!(r#"{{"Certificate":"{}"}}"#, BASE64_STANDARD.encode(certificate));
    let mut node = Saying(|_| b"{}".to_vec());
    server(settings).attest(payload.as_bytes(), &mut node, SystemTime::now()).await
}

async fn path_by(template: &str, name: &str) -> Result<String, String> {
    let settings = Configuration { agent_path_template: Some(template.to_owned()), ..settings() };
    let attested = converse(&agent(name), &server(&settings), SystemTime::now()).await;
    attested.map(|it| it.agent_id().path().to_owned()).map_err(|cause| cause.to_string())
}

#[tokio::test]
async fn every_type_and_form_of_key_can_prove_itself() {
    let names = ["rsa", "p256", "p384", "p521", "ed25519", "rsa-pem", "p256-pem", "p384-pkcs8"];
    for name in names {
        let attested = converse(&agent(name), &server(&settings()), SystemTime::now()).await;
        let attested = attested.map_err(|cause| format!("{name}: {cause}")).unwrap();
        let digest =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &certificate(&format!("{name}-cert.pub")));
        let fingerprint = BASE64_URL_SAFE_NO_PAD.encode(digest);
        assert_eq!(
            attested.agent_id().as_str(),
            format!("spiffe://example.org/spire/agent/sshpop/{fingerprint}")
        );
        assert!(attested.can_reattest() && attested.selectors().is_empty() && !attested.is_on_first_use());
    }
}

#[tokio::test]
async fn a_certificate_without_its_key_proves_nothing() {
    let refused = show(&settings(), &certificate("ed25519-cert.pub")).await.unwrap_err().to_string();
    assert_eq!(refused, "failed to combine nonces: invalid response nonce size");
    let payload =
        format!(r#"{{"Certificate":"{}"}}"#, BASE64_STANDARD.encode(certificate("ed25519-cert.pub")));
    for (answer, said) in [
        (format!(r#"{{"Nonce":"{}"}}"#, BASE64_STANDARD.encode([1; 32])), "failed to verify signature"),
        (
            format!(
                r#"{{"Nonce":"{}","Signature":{{"Format":"ssh-ed25519","Blob":"{}"}}}}"#,
                BASE64_STANDARD.encode([1; 32]),
                BASE64_STANDARD.encode([2; 64])
            ),
            "failed to verify signature",
        ),
        ("{{".to_owned(), "failed to unmarshal challenge response"),
        (" ".repeat(70_000), "the challenge response is larger than 65536 bytes"),
    ] {
        let mut node = Saying(|_| answer.clone().into_bytes());
        let refused = server(&settings()).attest(payload.as_bytes(), &mut node, SystemTime::now()).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.starts_with(said), "{refused}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_to_be_believed_is_refused_by_name() {
    let only_rsa = Configuration { cert_authorities: vec![text("ca-rsa.pub")], ..Configuration::default() };
    for (settings, name, said) in [
        (
            &only_rsa,
            "p256-cert.pub",
            "failed to check host key: no authorities for hostname: p256.hosts.example:22",
        ),
        (&settings(), "user-cert.pub", "failed to check host key: it is of type 1, not a host's"),
        (&settings(), "expired-cert.pub", "failed to check host key: cert has expired"),
        (&settings(), "early-cert.pub", "failed to check host key: cert is not yet valid"),
        (&settings(), "nobody-cert.pub", "cert has no valid principals"),
        (
            &settings(),
            "critical-cert.pub",
            "failed to check host key: unsupported critical option \"x@example.org\" in certificate",
        ),
        (&settings(), "bare.pub", "failed to parse public key: it is a public key, not a certificate"),
    ] {
        let refused = show(settings, &certificate(name)).await.unwrap_err().to_string();
        assert_eq!(refused, said, "{name}");
    }
}

#[tokio::test]
async fn a_certificate_that_was_changed_anywhere_is_refused() {
    let whole = certificate("p256-cert.pub");
    let bytes = 0..whole.len();
    for place in bytes {
        let mut changed = whole.clone();
        changed[place] ^= 0x40;
        assert!(
            matches!(
                show(&settings(), &changed).await,
                Err(AttestError::Invalid(why) | AttestError::Denied(why)) if !why.contains("nonces")
            ),
            "byte {place}"
        );
    }
    for length in 0..whole.len() {
        let refused = show(&settings(), &whole[..length]).await.unwrap_err();
        assert!(matches!(refused, AttestError::Invalid(_)), "{length}: {refused}");
    }
}

#[tokio::test]
async fn a_host_is_named_within_its_domain() {
    let of = |domain: &str| Configuration { canonical_domain: Some(domain.to_owned()), ..settings() };
    let template = Some("/host/{{ .Hostname }}".to_owned());
    let inside = Configuration { agent_path_template: template, ..of("hosts.example") };
    let attested = converse(&agent("p256"), &server(&inside), SystemTime::now()).await.unwrap();
    assert_eq!(attested.agent_id().path(), "/spire/agent/host/p256");
    let refused = show(&of("other.example"), &certificate("p256-cert.pub")).await.unwrap_err().to_string();
    assert_eq!(
        refused,
        "failed to decanonicalize hostname: cert principal is not in domain \".other.example\""
    );
}

#[tokio::test]
async fn paths_are_made_of_what_the_certificate_says() {
    for (template, path) in [
        ("/static/{{ index .ValidPrincipals 1 }}", "/spire/agent/static/second.example"),
        (
            "/{{ .PluginName }}/{{ .Serial }}/{{ .Hostname | upper }}",
            "/spire/agent/sshpop/7/RSA.HOSTS.EXAMPLE",
        ),
        ("/{{ index .Extensions \"rack@example.org\" }}/{{ .ValidAfter }}", "/spire/agent/r7/0"),
    ] {
        assert_eq!(path_by(template, "rsa").await.as_deref(), Ok(path));
    }
    for (template, said) in [
        ("/{{ index .ValidPrincipals 2 }}", "the certificate has no valid principal of number 2"),
        ("/{{ index .Extensions \"x\" }}", "the certificate has no extension x"),
        ("/{{ .KeyId }}", "invalid agent path suffix \"/id of rsa\""),
    ] {
        let refused = path_by(template, "rsa").await.unwrap_err();
        assert!(refused.starts_with(&format!("failed to create AgentID: {said}")), "{refused}");
    }
}

#[test]
fn a_configuration_that_trusts_nothing_or_nonsense_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "# nothing\n\n").unwrap();
    let dss = "ssh-dss AAAAB3NzaC1kc3M=".to_owned();
    for (settings, said) in [
        (Configuration::default(), "missing required config value for \"cert_authorities\""),
        (
            Configuration { cert_authorities_path: Some(empty), ..Configuration::default() },
            "failed to get cert authorities from file: ",
        ),
        (
            Configuration { cert_authorities: vec!["bad authority".to_owned()], ..Configuration::default() },
            "failed to create cert checker: failed to parse public key \"bad authority\": ssh: no key found",
        ),
        (
            Configuration { cert_authorities: vec![dss], ..Configuration::default() },
            "failed to create cert checker: the public key \"ssh-dss AAAAB3NzaC1kc3M=\" cannot be used: its type \
             \"ssh-dss\" is not supported",
        ),
        (
            Configuration { agent_path_template: Some("/{{ .Nonce }}".to_owned()), ..settings() },
            "failed to parse agent svid template: \"/{{ .Nonce }}\": \".Nonce\" is not supported",
        ),
    ] {
        let faults = faults(&settings);
        assert!(faults.len() == 1 && faults[0].starts_with(said), "{faults:?}");
    }
}

#[tokio::test]
async fn authorities_of_both_settings_count() {
    let settings = Configuration {
        cert_authorities: vec![text("ca-rsa.pub")],
        cert_authorities_path: Some(sample("ca-ed25519.pub")),
        ..Configuration::default()
    };
    for name in ["rsa", "p256"] {
        assert!(converse(&agent(name), &server(&settings), SystemTime::now()).await.is_ok(), "{name}");
    }
    let later = SystemTime::now() + Duration::from_secs(100 * 365 * 24 * 3600);
    assert!(converse(&agent("rsa"), &server(&settings), later).await.is_ok(), "it is valid for ever");
}

#[test]
fn keys_that_cannot_be_used_say_why() {
    for (key, certificate, said) in [
        ("locked", "ed25519-cert.pub", "passphrase protected"),
        ("ed25519", "p256-cert.pub", "private key does not match public key"),
        ("ed25519", "bare.pub", "it is a public key, not a certificate"),
        ("ed25519-cert.pub", "ed25519-cert.pub", "ssh: no key found"),
        ("nothing", "ed25519-cert.pub", "failed to read host key file"),
        ("ed25519", "nothing", "failed to read host cert file"),
        ("ed25519", "ed25519", "ssh: no key found"),
    ] {
        let refused = Agent::from_files(sample(key), sample(certificate)).map(drop).unwrap_err().to_string();
        assert!(refused.contains(said), "{key} {certificate}: {refused}");
    }
}
