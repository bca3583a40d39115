//! Commands that handle certificates and keys, with real ones.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proto::spire::api::server::bundle::v1::{
    BatchSetFederatedBundleRequest, BatchSetFederatedBundleResponse, ListFederatedBundlesResponse,
    batch_set_federated_bundle_response,
};
use proto::spire::api::server::svid::v1::{MintX509svidRequest, MintX509svidResponse};
use proto::spire::api::types;
use proto::workload;
use spiffe::key::{KeyType, PrivateKey, Signer};
use spiffe::x509::{CaSubject, CaTemplate, Certificate, Csr, LeafTemplate, X509Issuer};
use spiffe::{SpiffeId, TrustDomain, pem};

use super::fake::{Fake, NOW};

const FETCH_X509: &str = "/SpiffeWorkloadAPI/FetchX509SVID";
const GET_BUNDLE: &str = "/spire.api.server.bundle.v1.Bundle/GetBundle";
const LIST_BUNDLES: &str = "/spire.api.server.bundle.v1.Bundle/ListFederatedBundles";
const SET_BUNDLE: &str = "/spire.api.server.bundle.v1.Bundle/BatchSetFederatedBundle";
const MINT: &str = "/spire.api.server.svid.v1.SVID/MintX509SVID";

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// An authority of a trust domain.
struct Authority {
    key: Arc<PrivateKey>,
    certificate: Certificate,
}

impl Authority {
    fn of(domain: &str) -> Self {
        let key = Arc::new(PrivateKey::generate(KeyType::EcP256).unwrap());
        let domain = TrustDomain::parse(domain).unwrap();
        let template = CaTemplate::new(domain, CaSubject::default(), at(NOW - 100), at(NOW + 7200));
        let certificate = template.self_sign(key.as_ref()).unwrap();
        Self { key, certificate }
    }

    fn der(&self) -> Vec<u8> {
        self.certificate.der().to_vec()
    }

    fn svid(&self, id: &str) -> workload::X509svid {
        let key = PrivateKey::generate(KeyType::EcP256).unwrap();
        let id = SpiffeId::parse(id).unwrap();
        let issuer = X509Issuer::new(self.certificate.clone(), vec![], self.key.clone()).unwrap();
        let template = LeafTemplate::new(id.clone(), key.public().clone(), at(NOW - 10), at(NOW + 3600));
        workload::X509svid {
            spiffe_id: id.to_string(),
            x509_svid: template.issue(&issuer).unwrap().der().to_vec(),
            x509_svid_key: key.to_pkcs8().to_vec(),
            bundle: self.der(),
            hint: "external".to_owned(),
        }
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn block(label: &str, der: &[u8]) -> String {
    pem::encode(label, der)
}

#[test]
fn x509_svids_are_printed_with_their_times_and_written_to_files() {
    let (ours, other) = (Authority::of("example.org"), Authority::of("other.org"));
    let svid = ours.svid("spiffe://example.org/web");
    let answer = workload::X509svidResponse {
        svids: vec![svid.clone()],
        crl: vec![],
        federated_bundles: BTreeMap::from([("spiffe://other.org".to_owned(), other.der())]),
    };
    let fake = Fake::start().answer(FETCH_X509, &answer);
    let folder = fake.folder().display().to_string();
    let said = fake.agent(&["api", "fetch", "x509", "-write", &folder]);
    assert_eq!((said.err.as_str(), said.code), ("", 0));
    assert_eq!(
        said.out,
        format!(
            "\
Received 1 svid after 0s

SPIFFE ID:\t\tspiffe://example.org/web
Hint:\t\t\texternal
SVID Valid After:\t2023-11-14 22:13:10 +0000 UTC
SVID Valid Until:\t2023-11-14 23:13:20 +0000 UTC
CA #1 Valid After:\t2023-11-14 22:11:40 +0000 UTC
CA #1 Valid Until:\t2023-11-15 00:13:20 +0000 UTC
[spiffe://other.org] CA #1 Valid After:\t2023-11-14 22:11:40 +0000 UTC
[spiffe://other.org] CA #1 Valid Until:\t2023-11-15 00:13:20 +0000 UTC

Writing SVID #0 to file {folder}/svid.0.pem.
Writing key #0 to file {folder}/svid.0.key.
Writing bundle #0 to file {folder}/bundle.0.pem.
Writing federated bundle #0 for trust domain spiffe://other.org to file {folder}/federated_bundle.0.0.pem.
"
        )
    );
    let read = |name: &str| fs::read_to_string(fake.folder().join(name)).unwrap();
    assert_eq!(read("svid.0.pem"), block(pem::CERTIFICATE, &svid.x509_svid));
    assert_eq!(read("svid.0.key"), block(pem::PRIVATE_KEY, &svid.x509_svid_key));
    assert_eq!(read("bundle.0.pem"), block(pem::CERTIFICATE, &ours.der()));
    assert_eq!(read("federated_bundle.0.0.pem"), block(pem::CERTIFICATE, &other.der()));
    assert_eq!(mode(&fake.folder().join("svid.0.key")), 0o600);

    assert_eq!(fake.agent(&["api", "fetch", "x509", "-silent"]).out, "");
    assert!(
        fake.agent(&["api", "fetch", "-output", "json"])
            .out
            .starts_with("{\"crl\":[],\"federated_bundles\":{")
    );
}

#[test]
fn an_svid_that_does_not_hold_is_refused() {
    let (ours, other) = (Authority::of("example.org"), Authority::of("example.org"));
    let svid = ours.svid("spiffe://example.org/web");
    let answer =
        |svid: workload::X509svid| workload::X509svidResponse { svids: vec![svid], ..Default::default() };
    let fake = Fake::start()
        .answer(FETCH_X509, &answer(workload::X509svid { bundle: other.der(), ..svid.clone() }))
        .answer(
            FETCH_X509,
            &answer(workload::X509svid { spiffe_id: "spiffe://example.org/db".to_owned(), ..svid.clone() }),
        )
        .answer(
            FETCH_X509,
            &answer(workload::X509svid {
                x509_svid_key: ours.svid("spiffe://example.org/web").x509_svid_key,
                ..svid.clone()
            }),
        )
        .answer(FETCH_X509, &workload::X509svidResponse::default());
    let complaint = || {
        let said = fake.agent(&["api", "fetch"]);
        assert_eq!((said.out.as_str(), said.code), ("", 1));
        said.err
    };
    let prefix = "the answer makes no sense: SVID #0 with SPIFFE ID";
    let text = complaint();
    assert!(
        text.starts_with(&format!(
            "{prefix} \"spiffe://example.org/web\": the certificate chain does not verify"
        )),
        "{text}"
    );
    assert_eq!(
        complaint(),
        format!("{prefix} \"spiffe://example.org/db\": the certificate is for spiffe://example.org/web\n")
    );
    assert_eq!(
        complaint(),
        format!("{prefix} \"spiffe://example.org/web\": the key does not belong to the certificate\n")
    );
    assert_eq!(complaint(), "the answer makes no sense: workload response contains no svids\n");
}

#[test]
fn an_x509_svid_is_minted_with_a_key_that_stays_here() {
    let ours = Authority::of("example.org");
    let leaf = ours.svid("spiffe://example.org/m").x509_svid;
    let svid = types::X509svid {
        cert_chain: vec![leaf.clone()],
        expires_at: (NOW + 3600) as i64,
        ..Default::default()
    };
    let bundle = types::Bundle {
        x509_authorities: vec![types::X509Certificate { asn1: ours.der(), tainted: false }],
        ..Default::default()
    };
    let fake =
        Fake::start().answer(MINT, &MintX509svidResponse { svid: Some(svid) }).answer(GET_BUNDLE, &bundle);
    let line = ["x509", "mint", "-spiffeID", "spiffe://example.org/m", "-dns", "m.example.org"];
    let said = fake.server(&[&line[..], &["-ttl", "2h"]].concat());
    assert_eq!(
        said.err,
        "X509-SVID lifetime was capped shorter than specified ttl; expires \"2023-11-14T23:13:20Z\"\n"
    );
    let (before, after) = (block(pem::CERTIFICATE, &leaf), block(pem::CERTIFICATE, &ours.der()));
    assert!(
        said.out.starts_with(&format!("X509-SVID:\n{before}\nPrivate key:\n-----BEGIN PRIVATE KEY-----\n"))
    );
    assert!(said.out.ends_with(&format!("-----END PRIVATE KEY-----\n\nRoot CAs:\n{after}\n")));

    let said = fake.server(&[&line[..], &["-output", "json"]].concat());
    let document: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        document.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["x509_svid", "private_key", "root_cas"]
    );

    let folder = fake.folder().display().to_string();
    let said = fake.server(&[&line[..], &["-write", &folder]].concat());
    assert_eq!(
        said.out,
        format!(
            "X509-SVID written to {folder}/svid.pem\nPrivate key written to {folder}/key.pem\n\
             Root CAs written to {folder}/bundle.pem\n"
        )
    );
    assert_eq!(mode(&fake.folder().join("key.pem")), 0o600);
    let blocks = pem::decode(&fs::read_to_string(fake.folder().join("key.pem")).unwrap()).unwrap();
    let key = PrivateKey::from_pkcs8(&blocks[0].der).unwrap();
    let asked = fake.asked::<MintX509svidRequest>(MINT);
    let csr = Csr::parse(&asked[2].csr).unwrap();
    assert_eq!(csr.public_key(), key.public());
    assert_eq!(
        (csr.uri_sans(), csr.dns_names()),
        (&["spiffe://example.org/m".to_owned()][..], &["m.example.org".to_owned()][..])
    );
    assert_eq!(asked[0].ttl, 7200);
}

#[test]
fn bundles_are_printed_in_both_forms() {
    let ours = Authority::of("example.org");
    let jwt = PrivateKey::generate(KeyType::EcP256).unwrap();
    let bundle = types::Bundle {
        trust_domain: "example.org".to_owned(),
        x509_authorities: vec![types::X509Certificate { asn1: ours.der(), tainted: false }],
        jwt_authorities: vec![types::JwtKey {
            public_key: jwt.public().spki_der().to_vec(),
            key_id: "k".to_owned(),
            ..Default::default()
        }],
        refresh_hint: 60,
        sequence_number: 3,
        wit_authorities: vec![],
    };
    let list = ListFederatedBundlesResponse {
        bundles: vec![bundle.clone(), bundle.clone()],
        next_page_token: String::new(),
    };
    let fake = Fake::start().answer(GET_BUNDLE, &bundle).answer(LIST_BUNDLES, &list);
    let pem = block(pem::CERTIFICATE, &ours.der());
    assert_eq!(fake.server(&["bundle", "show"]).out, pem);
    let stars = "****************************************";
    let header = format!("{stars}\n* example.org\n{stars}\n");
    assert_eq!(fake.server(&["bundle", "list"]).out, format!("{header}{pem}\n{header}{pem}"));

    let document = fake.server(&["bundle", "show", "-format", "spiffe"]).out;
    assert!(document.starts_with("{\n    \"keys\": [\n        {\n            \"use\": \"x509-svid\",\n            \"kty\": \"EC\",\n            \"crv\": \"P-256\",\n"), "{document}");
    assert!(document.contains(
        "            \"use\": \"jwt-svid\",\n            \"kty\": \"EC\",\n            \"kid\": \"k\",\n"
    ));
    assert!(document.ends_with("    \"spiffe_sequence\": 3,\n    \"spiffe_refresh_hint\": 60\n}\n"));
}

#[test]
fn a_bundle_is_set_from_both_forms() {
    let other = Authority::of("other.org");
    let result = batch_set_federated_bundle_response::Result {
        status: Some(types::Status { code: 0, message: "OK".to_owned() }),
        bundle: None,
    };
    let shown = types::Bundle {
        trust_domain: "other.org".to_owned(),
        x509_authorities: vec![types::X509Certificate { asn1: other.der(), tainted: false }],
        refresh_hint: 60,
        ..Default::default()
    };
    let fake = Fake::start()
        .answer(SET_BUNDLE, &BatchSetFederatedBundleResponse { results: vec![result] })
        .answer(GET_BUNDLE, &shown);
    let pem = block(pem::CERTIFICATE, &other.der());
    let said = fake.server_with_input(&["bundle", "set", "-id", "spiffe://other.org"], &pem);
    assert_eq!((said.out.as_str(), said.err.as_str()), ("bundle set.\n", ""));
    let path = fake.folder().join("bundle.json");
    fs::write(&path, fake.server(&["bundle", "show", "-format", "spiffe"]).out).unwrap();
    let path = path.display().to_string();
    fake.server(&["bundle", "set", "-id", "other.org", "-format", "spiffe", "-path", &path]);
    let asked: Vec<_> = fake.asked::<BatchSetFederatedBundleRequest>(SET_BUNDLE);
    assert_eq!(asked[0].bundle, [types::Bundle { refresh_hint: 0, ..shown.clone() }]);
    assert_eq!(asked[1].bundle, [shown]);

    let said = fake.server(&["bundle", "set", "-id", "other.org", "-path", &path]);
    assert_eq!(
        said.err,
        format!(
            "Error: the bundle in {path} cannot be used: no PEM block was found: expected a line -----BEGIN \
             CERTIFICATE----- (is it a document in the form \"spiffe\"?)\n"
        )
    );

    let document = fs::read_to_string(&path).unwrap().replacen("[\n", "[\n{\"use\":\"new-svid\"},", 1);
    let set = ["bundle", "set", "-id", "other.org", "-format", "spiffe"];
    let said = fake.server_with_input(&set, &document);
    assert_eq!(said.out, "bundle set.\n");
    assert_eq!(said.err, "key 0 of the bundle is passed over: its use \"new-svid\" is not known\n");
}
