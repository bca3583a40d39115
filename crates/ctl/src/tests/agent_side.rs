use std::collections::BTreeMap;

use proto::workload::{
    JwtBundlesResponse, Jwtsvid, JwtsvidRequest, JwtsvidResponse, ValidateJwtsvidRequest,
    ValidateJwtsvidResponse,
};
use tonic::Status;
use tonic_health::pb::HealthCheckResponse;

use super::fake::{Fake, run};

const HEALTH: &str = "/grpc.health.v1.Health/Check";
const FETCH_X509: &str = "/SpiffeWorkloadAPI/FetchX509SVID";
const FETCH_JWT: &str = "/SpiffeWorkloadAPI/FetchJWTSVID";
const FETCH_BUNDLES: &str = "/SpiffeWorkloadAPI/FetchJWTBundles";
const VALIDATE: &str = "/SpiffeWorkloadAPI/ValidateJWTSVID";

#[test]
fn a_healthy_agent_is_said_to_be() {
    let fake = Fake::start().answer(HEALTH, &HealthCheckResponse { status: 1 });
    assert_eq!(fake.agent(&["healthcheck"]).out, "Agent is healthy.\n");
    let said = run(crate::agent, &["healthcheck", "-socketPath", "/nowhere"].map(str::to_owned), "", &[]);
    assert_eq!(
        said.err,
        "Agent is unhealthy: unable to determine health: cannot reach the agent at /nowhere: there is no such socket\n\
         Hint: is the agent running? If its socket is elsewhere, name it with -socketPath or SPIRE_AGENT_PUBLIC_SOCKET\n"
    );
}

#[test]
fn a_workload_without_identity_is_told_what_to_look_at() {
    let fake = Fake::start().refuse(FETCH_X509, Status::permission_denied("no identity issued"));
    for line in [&["api", "fetch"][..], &["api", "fetch", "x509"]] {
        let said = fake.agent(line);
        assert_eq!(said.code, 1);
        assert!(
            said.err.starts_with(
                "rpc error: code = PermissionDenied desc = no identity issued\nHint: no registration entry matches"
            ),
            "{}",
            said.err
        );
    }
}

#[test]
fn tokens_are_printed_with_bundles() {
    let svid = |id: &str, hint: &str| Jwtsvid {
        spiffe_id: id.to_owned(),
        svid: "e30".to_owned(),
        hint: hint.to_owned(),
    };
    let bundles = BTreeMap::from([("spiffe://example.org".to_owned(), b"{\"keys\":[]}".to_vec())]);
    let fake = Fake::start().answer(FETCH_BUNDLES, &JwtBundlesResponse { bundles }).answer(
        FETCH_JWT,
        &JwtsvidResponse {
            svids: vec![svid("spiffe://example.org/a", "h"), svid("spiffe://example.org/b", "")],
        },
    );
    let said =
        fake.agent(&["api", "fetch", "jwt", "-audience", "x,y", "-spiffeID", "spiffe://example.org/a"]);
    assert_eq!(
        said.out,
        "token(spiffe://example.org/a):\n\te30\nhint(spiffe://example.org/a):\n\th\n\
         token(spiffe://example.org/b):\n\te30\nbundle(spiffe://example.org):\n\t{\"keys\":[]}\n"
    );
    let asked = fake.asked::<JwtsvidRequest>(FETCH_JWT).remove(0);
    assert_eq!(
        (asked.audience, asked.spiffe_id.as_str()),
        (vec!["x".to_owned(), "y".to_owned()], "spiffe://example.org/a")
    );

    for flag in ["-output", "-format"] {
        let said = fake.agent(&["api", "fetch", "jwt", "-audience", "x", flag, "json"]);
        assert_eq!(
            said.out,
            concat!(
                r#"[{"svids":[{"hint":"h","spiffe_id":"spiffe://example.org/a","svid":"e30"},"#,
                r#"{"hint":"","spiffe_id":"spiffe://example.org/b","svid":"e30"}]},"#,
                r#"{"bundles":{"spiffe://example.org":"eyJrZXlzIjpbXX0="}}]"#,
                "\n"
            )
        );
    }
    let said = fake.agent(&["api", "fetch", "jwt"]);
    assert!(said.err.starts_with("audience must be specified"));
}

#[test]
fn a_token_is_validated() {
    let answer = ValidateJwtsvidResponse { spiffe_id: "spiffe://example.org/a".to_owned(), claims: None };
    let fake = Fake::start()
        .answer(VALIDATE, &answer)
        .refuse(VALIDATE, Status::invalid_argument("token has expired"));
    let line = ["api", "validate", "jwt", "-audience", "x", "-svid", "e30.e30.e30"];
    let said = fake.agent(&line);
    assert_eq!(said.out, "SVID is valid.\nSPIFFE ID : spiffe://example.org/a\nClaims    : {}\n");
    let said = fake.agent(&line);
    assert_eq!((said.err.as_str(), said.code), ("SVID is not valid: token has expired\n", 1));
    assert_eq!(fake.asked::<ValidateJwtsvidRequest>(VALIDATE)[0].svid, "e30.e30.e30");
    assert!(fake.agent(&["api", "validate", "jwt"]).err.starts_with("audience must be specified"));
}
