//! What a server signs under each of its settings: authorities, its own SVID, agents' and workloads', tokens. With
//! `SPIRE_BIN` set, SPIRE's server signs the same, and the forms are compared.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod form;
mod numbers;
mod signed;

use std::time::Duration;

use form::life;
use harness::Program::{Bonafide, Spire};
use harness::{Domain, Options, Program, skip};
use signed::Everything;

/// `ca_key_type`, `jwt_key_type` (that of the CA without one), and the types that must come out, each by the length of its
/// public keys in DER.
type Row = (&'static str, Option<&'static str>, usize, usize);

const P256: usize = 91;
const P384: usize = 120;
const RSA_2048: usize = 294;
const RSA_4096: usize = 550;

const ROWS: [Row; 4] = [
    ("rsa-2048", None, RSA_2048, RSA_2048),
    ("rsa-4096", Some("ec-p384"), RSA_4096, P384),
    ("ec-p256", Some("rsa-4096"), P256, RSA_4096),
    ("ec-p384", Some("ec-p256"), P384, P256),
];

const HOUR: Duration = Duration::from_secs(3600);
/// What is signed begins this much earlier.
const BACKDATE: Duration = Duration::from_secs(10);

fn options(program: Program, (ca, jwt, ..): Row) -> Options {
    let mut options = Options::default()
        .programs(program, Bonafide)
        .server_line(&format!("ca_key_type = \"{ca}\""))
        .server_line("ca_ttl = \"30h\"")
        .server_line("agent_ttl = \"2h\"")
        .server_line("default_x509_svid_ttl = \"90m\"")
        .server_line("default_jwt_svid_ttl = \"7m\"")
        .server_line("jwt_issuer = \"https://issuer.example.org\"")
        .server_line("ca_subject { country = [\"DE\", \"AT\"] organization = [\"Acme, Inc.\"] common_name = \"Äcme\" }")
        .server_plugin("CredentialComposer \"uniqueid\" {}");
    if let Some(jwt) = jwt {
        options = options.server_line(&format!("jwt_key_type = \"{jwt}\""));
    }
    options
}

/// Has a server of this make sign everything.
fn everything(program: Program, row: Row) -> Everything {
    let mut domain = Domain::start(options(program, row));
    let names = ["-dns", "web.example.org", "-dns", "www.example.org"];
    domain.workload(&domain.id("web"), &names);
    signed::everything(&mut domain)
}

/// The settings show in what was signed.
fn as_set((.., ca, jwt): Row, made: &Everything) {
    assert!(made.root.spki().len() == ca, "{:?}", made.root);
    assert_eq!(life(&made.root), 30 * HOUR + BACKDATE);
    let subject = made.root.subject_name();
    assert_eq!(
        (subject.country, subject.organization),
        (vec!["AT".into(), "DE".into()], vec!["Acme, Inc.".into()])
    );
    assert_eq!((subject.common_name.as_str(), subject.serial_number), ("Äcme", made.root.serial_decimal()));

    let lives = [(&made.server, 90), (&made.agent, 120), (&made.workload, 90), (&made.minted, 15)];
    for (svid, minutes) in lives {
        let about = life(svid).as_secs().abs_diff(minutes * 60 + BACKDATE.as_secs());
        assert!(about <= 2, "{minutes} minutes: {svid:?} lives {:?}", life(svid));
        assert_eq!(svid.issuer_der(), made.root.subject_der());
        assert_eq!(svid.authority_key_id(), made.root.subject_key_id());
    }
    for svid in [&made.workload, &made.minted] {
        assert_eq!(svid.dns_names(), ["web.example.org", "www.example.org"]);
        assert_eq!(svid.common_name(), Some("web.example.org"));
        assert_eq!(svid.subject_name().other.len(), 1, "a unique identifier");
    }
    for svid in [&made.root, &made.server, &made.agent] {
        assert!(svid.subject_name().other.is_empty(), "no unique identifier");
    }
    let key = made.bundle.jwt_authorities().first().unwrap();
    assert!(key.public_key.spki_der().len() == jwt, "{key:?}");
    for token in [&made.token, &made.minted_token] {
        assert_eq!(token.key_id(), Some(key.key_id.as_str()));
        assert_eq!(token.claims_json()["iss"], "https://issuer.example.org");
    }
    let left = made.token.expires_at().duration_since(made.token.issued_at().unwrap()).unwrap();
    assert_eq!(left, Duration::from_secs(7 * 60));
}

fn holds(row: Row) {
    let ours = everything(Bonafide, row);
    as_set(row, &ours);
    if let Err(missing) = Spire.available() {
        return skip("the forms of what SPIRE's server signs", &missing);
    }
    let theirs = everything(Spire, row);
    as_set(row, &theirs);
    for ((what, ours), (_, theirs)) in ours.forms().into_iter().zip(theirs.forms()) {
        assert_eq!(ours, theirs, "{what}: ours, then SPIRE's");
    }
}

#[test]
fn an_authority_of_rsa_2048_signs_both_kinds() {
    holds(ROWS[0]);
}

#[test]
fn an_authority_of_rsa_4096_signs_and_p384_signs_tokens() {
    holds(ROWS[1]);
}

#[test]
fn an_authority_of_p256_signs_and_rsa_4096_signs_tokens() {
    holds(ROWS[2]);
}

#[test]
fn an_authority_of_p384_signs_and_p256_signs_tokens() {
    holds(ROWS[3]);
}
