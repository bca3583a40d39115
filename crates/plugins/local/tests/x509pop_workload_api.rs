//! x509pop with a certificate from another Workload API.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod other_agent;

use other_agent::{Other, serve};
use plugins_local::x509pop::{CredentialError, Source, WorkloadApi};
use proto::workload::{X509svid, X509svidResponse};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose, SanType};
use tonic::Status;

async fn fetched(answer: Result<X509svidResponse, Status>) -> Result<(Vec<Vec<u8>>, Vec<u8>), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.sock");
    serve(&path, Other(answer));
    let api = WorkloadApi::at(&format!("unix://{}", path.display())).unwrap();
    let fetched = api.fetch().await.map_err(|fault: CredentialError| fault.to_string())?;
    Ok((fetched.chain, fetched.key.to_vec()))
}

/// An SVID, the CA that issued it, and the key.
fn svid() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.subject_alt_names =
        vec![SanType::URI("spiffe://example.org/spire-exchange/host".try_into().unwrap())];
    let leaf = params.signed_by(&key, &ca).unwrap();
    (leaf.der().to_vec(), ca.der().to_vec(), key.serialize_der())
}

#[tokio::test]
async fn the_first_svid_is_taken_apart() {
    let (leaf, ca, key) = svid();
    let one = X509svid {
        x509_svid: [leaf.as_slice(), &ca].concat(),
        x509_svid_key: key.clone(),
        ..X509svid::default()
    };
    let answer = X509svidResponse { svids: vec![one, X509svid::default()], ..X509svidResponse::default() };
    assert_eq!(fetched(Ok(answer)).await, Ok((vec![leaf, ca], key)));
}

#[tokio::test]
async fn a_refusal_is_passed_on() {
    let refused = fetched(Err(Status::permission_denied("no identity issued"))).await.unwrap_err();
    assert!(refused.starts_with("unable to fetch SVID from workload API: no identity issued ("), "{refused}");
    let none = fetched(Ok(X509svidResponse::default())).await.unwrap_err();
    assert!(none.contains("it gave no SVID"), "{none}");
}

#[tokio::test]
async fn an_agent_that_is_not_there_is_named() {
    let fault = WorkloadApi::at("unix:///nowhere/agent.sock").unwrap().fetch().await.map(drop).unwrap_err();
    assert!(fault.to_string().contains("No such file"), "{fault}");
}
