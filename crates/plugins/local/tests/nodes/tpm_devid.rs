//! What a node with a software TPM (swtpm 0.7) has shown, and what is made of it and of its changes. Whole conversations
//! with a running TPM, SPIRE's programs among them, are in the harness.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::prelude::{BASE64_STANDARD, Engine};
use model::ports::{AttestError, NodeAttestor};
use plugins_local::tpm_devid::{Agent, AgentSettings, Configuration, Passwords, Server};
use serde_json::Value;

use super::conversation::{Saying, trust_domain};

/// When the samples were made: their certificates are valid for 30 days.
const THEN: Duration = Duration::from_secs(1795613190);

fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples/tpm_devid").join(name)
}

fn payload(kind: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(sample(&format!("payload-{kind}.json"))).unwrap()).unwrap()
}

fn settings() -> Configuration {
    Configuration {
        devid_ca_path: sample("devid-ca.pem"),
        endorsement_ca_path: sample("ek-ca.pem"),
        require_agent_key_in_tpm: false,
    }
}

fn server(settings: &Configuration) -> Server {
    Server::new(trust_domain(), settings).map_err(|faults| format!("{faults:?}")).unwrap()
}

/// What a node is told that shows this and has neither key nor TPM.
async fn show_at(settings: &Configuration, payload: &Value, now: SystemTime) -> AttestError {
    let mut node = Saying(|challenge: Vec<u8>| {
        let challenge: Value = serde_json::from_slice(&challenge).unwrap();
        let length = |value: &Value| BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap().len();
        assert_eq!(length(&challenge["DevID"]), 32);
        assert_eq!(length(&challenge["CredActivation"]["Secret"]), 256);
        assert_eq!(length(&challenge["CredActivation"]["Credential"]), 2 + 32 + 2 + 32);
        b"{}".to_vec()
    });
    server(settings).attest(payload.to_string().as_bytes(), &mut node, now).await.map(drop).unwrap_err()
}

async fn show(payload: &Value) -> AttestError {
    show_at(&settings(), payload, UNIX_EPOCH + THEN).await
}

/// With what stands in a field changed.
fn changed(payload: &Value, field: &str, change: impl FnOnce(&mut Vec<u8>)) -> Value {
    let mut payload = payload.clone();
    let mut bytes = BASE64_STANDARD.decode(payload[field].as_str().unwrap()).unwrap();
    change(&mut bytes);
    payload[field] = BASE64_STANDARD.encode(bytes).into();
    payload
}

/// What is said when everything but the answers to the challenges was in order.
const ASKED: &str = "devID challenge verification failed: the signature does not verify";

#[tokio::test]
async fn what_a_tpm_shows_is_believed_and_then_it_is_asked() {
    for kind in ["ecc", "rsa"] {
        assert_eq!(show(&payload(kind)).await.to_string(), ASKED, "{kind}");
    }
}

#[tokio::test]
async fn a_certificate_for_a_key_that_is_not_in_the_tpm_is_refused() {
    let mut mixed = payload("ecc");
    mixed["DevIDCert"] = payload("rsa")["DevIDCert"].clone();
    let refused = show(&mixed).await;
    let said =
        "cannot verify that DevID is in the same TPM than AK: the DevID certificate is for another key";
    assert_eq!(refused.to_string(), said);
    // the key of the other certificate, which this TPM has not certified here
    mixed["DevIDPub"] = payload("rsa")["DevIDPub"].clone();
    let refused = show(&mixed).await.to_string();
    assert_eq!(refused, "cannot verify that DevID is in the same TPM than AK: certify failed");
}

#[tokio::test]
async fn keys_that_could_leave_a_tpm_or_sign_anything_prove_nothing() {
    let (restricted, fixed) = (5, 7);
    let loose = changed(&payload("ecc"), "AKPub", |public| public[restricted] &= !1);
    let said = "cannot verify that DevID is in the same TPM than AK: the attestation key is no restricted signing key";
    assert!(show(&loose).await.to_string().starts_with(said));
    let movable = changed(&payload("ecc"), "DevIDPub", |public| public[fixed] &= !2);
    let said = "cannot verify that DevID is in the same TPM than AK: the DevID key may leave its TPM";
    assert!(show(&movable).await.to_string().starts_with(said));
}

#[tokio::test]
async fn any_change_of_what_the_tpm_says_is_found() {
    let whole = payload("ecc");
    for field in ["DevIDPub", "AKPub", "EKPub", "CertifiedDevID", "CertificationSignature"] {
        let length = BASE64_STANDARD.decode(whole[field].as_str().unwrap()).unwrap().len();
        for place in (0..length).step_by(3) {
            let said = show(&changed(&whole, field, |bytes| bytes[place] ^= 0x10)).await.to_string();
            let asked = said == ASKED;
            // what an endorsement or attestation key is for is part of the secret's wrapping: its TPM will not unwrap it
            let bound = ["EKPub", "AKPub"].contains(&field) && place < 52;
            let harmless = bound || field == "CertificationSignature" && place < 4;
            assert!(!asked || harmless, "{field} {place}: {said}");
        }
        let cut = changed(&whole, field, |bytes| bytes.truncate(bytes.len() - 1));
        assert!(!show(&cut).await.to_string().starts_with("devID"), "{field}");
        let longer = changed(&whole, field, |bytes| bytes.push(0));
        assert!(!show(&longer).await.to_string().starts_with("devID"), "{field}");
    }
}

#[tokio::test]
async fn certificates_lead_to_their_own_authorities_and_are_valid_now() {
    let swapped = Configuration {
        devid_ca_path: sample("ek-ca.pem"),
        endorsement_ca_path: sample("devid-ca.pem"),
        ..settings()
    };
    let refused = show_at(&swapped, &payload("ecc"), UNIX_EPOCH + THEN).await.to_string();
    assert!(refused.starts_with("unable to verify DevID signature: verification failed: "), "{refused}");
    let no_makers = Configuration {
        devid_ca_path: sample("devid-ca.pem"),
        endorsement_ca_path: sample("devid-ca.pem"),
        ..settings()
    };
    let refused = show_at(&no_makers, &payload("ecc"), UNIX_EPOCH + THEN).await.to_string();
    assert!(refused.starts_with("cannot verify EK signature: "), "{refused}");
    let later = UNIX_EPOCH + THEN + Duration::from_secs(31 * 24 * 3600);
    let refused = show_at(&settings(), &payload("ecc"), later).await.to_string();
    assert!(refused.starts_with("unable to verify DevID signature"), "{refused}");
}

#[tokio::test]
async fn what_is_missing_is_named_in_spires_words() {
    for (field, said) in [
        ("DevIDCert", "no DevID certificate to attest"),
        ("AKPub", "missing attestation key public blob"),
        ("DevIDPub", "missing DevID key public blob"),
        ("EKCert", "missing endorsement certificate"),
        ("EKPub", "missing endorsement key public blob"),
    ] {
        let mut partial = payload("ecc");
        partial[field] = Value::Null;
        assert_eq!(show(&partial).await.to_string(), said);
    }
    let mut many = payload("ecc");
    let leaf = many["DevIDCert"][0].clone();
    many["DevIDCert"].as_array_mut().unwrap().extend((0..9).map(|_| leaf.clone()));
    assert_eq!(show(&many).await.to_string(), "too many DevID intermediate certificates");
}

#[test]
fn a_configuration_that_names_no_files_is_refused_with_both() {
    let nowhere = Configuration {
        devid_ca_path: "/none".into(),
        endorsement_ca_path: sample("payload-ecc.json"),
        ..settings()
    };
    let faults = Server::new(trust_domain(), &nowhere).map(drop).unwrap_err();
    let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2);
    assert!(said[0].starts_with("unable to load DevID trust bundle: /none: "), "{said:?}");
    assert!(said[1].starts_with("unable to load endorsement trust bundle: "), "{said:?}");
}

#[test]
fn an_agent_says_which_file_is_missing() {
    let settings = |name: &str| AgentSettings {
        tpm_device_path: Some("/none".into()),
        devid_cert_path: sample(name),
        devid_priv_path: sample("devid-ca.pem"),
        devid_pub_path: sample("devid-ca.pem"),
    };
    let refused = |name| Agent::new(settings(name), Passwords::default()).map(drop).unwrap_err().to_string();
    assert!(refused("none").starts_with("unable to load DevID files: cannot load certificate(s): "));
    let said = refused("devid-ca.pem");
    assert!(said.starts_with("unable to load DevID files: the public key cannot be used: "), "{said}");
}

#[tokio::test]
async fn an_agents_key_outside_the_tpm_is_refused_where_it_must_be_inside() {
    let strict = Configuration { require_agent_key_in_tpm: true, ..settings() };
    let refused = show_at(&strict, &payload("ecc"), UNIX_EPOCH + THEN).await.to_string();
    assert!(refused.starts_with("the agent's key is not certified to be in the TPM"), "{refused}");
    // a certification that is there is looked at, wanted or not
    let mut other = payload("ecc");
    other["BonafideAgentKey"] = serde_json::json!({
        "Pub": other["DevIDPub"], "Certified": other["CertifiedDevID"], "Signature": other["CertificationSignature"],
    });
    let refused = show(&other).await.to_string();
    assert!(refused.ends_with("the SVID is asked for another key"), "{refused}");
}
