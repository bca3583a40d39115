//! `localauthority …` and `upstreamauthority …`.

use proto::spire::api::server::localauthority::v1::{
    ActivateX509AuthorityRequest, ActivateX509AuthorityResponse, AuthorityState,
    GetJwtAuthorityStateResponse, GetX509AuthorityStateResponse, PrepareJwtAuthorityResponse,
    RevokeX509UpstreamAuthorityResponse, TaintX509UpstreamAuthorityRequest,
    TaintX509UpstreamAuthorityResponse,
};
use tonic::Status;

use super::fake::{Fake, NOW};

const SERVICE: &str = "/spire.api.server.localauthority.v1.LocalAuthority/";

fn path(method: &str) -> &'static str {
    // A test's handful of names may live as long as the test.
    Box::leak(format!("{SERVICE}{method}").into_boxed_str())
}

fn state(id: &str, upstream: &str) -> Option<AuthorityState> {
    Some(AuthorityState {
        authority_id: id.to_owned(),
        expires_at: NOW.cast_signed(),
        upstream_authority_subject_key_id: upstream.to_owned(),
    })
}

#[test]
fn stages_are_shown_one_below_the_other() {
    let x509 =
        GetX509AuthorityStateResponse { active: state("a1", ""), prepared: None, old: state("a0", "ff00") };
    let jwt = GetJwtAuthorityStateResponse { active: state("k1", ""), prepared: state("k2", ""), old: None };
    let fake =
        Fake::start().answer(path("GetX509AuthorityState"), &x509).answer(path("GetJWTAuthorityState"), &jwt);
    let shown = fake.server(&["localauthority", "x509", "show"]);
    assert_eq!(
        shown.out,
        "Active X.509 authority:\n  Authority ID: a1\n  Expires at: 2023-11-14 22:13:20 +0000 UTC\n  \
         Upstream authority ID: No upstream authority\n\nPrepared X.509 authority:\n  \
         No prepared X.509 authority found\n\nOld X.509 authority:\n  Authority ID: a0\n  \
         Expires at: 2023-11-14 22:13:20 +0000 UTC\n  Upstream authority Subject Key ID: ff00\n"
    );
    let shown = fake.server(&["localauthority", "jwt", "show"]);
    assert_eq!(
        shown.out,
        "Active JWT authority:\n  Authority ID: k1\n  Expires at: 2023-11-14 22:13:20 +0000 UTC\n\n\
         Prepared JWT authority:\n  Authority ID: k2\n  Expires at: 2023-11-14 22:13:20 +0000 UTC\n\n\
         Old JWT authority:\n  No old JWT authority found\n"
    );
    let json = fake.server(&["localauthority", "jwt", "show", "-output", "json"]);
    assert_eq!(
        json.out,
        "{\"active\":{\"authority_id\":\"k1\",\"expires_at\":\"1700000000\",\
         \"upstream_authority_subject_key_id\":\"\"},\"prepared\":{\"authority_id\":\"k2\",\
         \"expires_at\":\"1700000000\",\"upstream_authority_subject_key_id\":\"\"}}\n"
    );
}

#[test]
fn an_authority_is_named_to_the_server_and_printed() {
    let answer = ActivateX509AuthorityResponse { activated_authority: state("a2", "") };
    let fake = Fake::start()
        .answer(path("ActivateX509Authority"), &answer)
        .answer(
            path("PrepareJWTAuthority"),
            &PrepareJwtAuthorityResponse { prepared_authority: state("k3", "") },
        )
        .refuse(path("TaintJWTAuthority"), Status::invalid_argument("unexpected authority ID"));
    let said = fake.server(&["localauthority", "x509", "activate", "-authorityID", "a2"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(said.out.starts_with("Activated X.509 authority:\n  Authority ID: a2\n"), "{}", said.out);
    let asked: Vec<ActivateX509AuthorityRequest> = fake.asked(path("ActivateX509Authority"));
    assert_eq!(asked[0].authority_id, "a2");
    let said = fake.server(&["localauthority", "jwt", "prepare"]);
    assert!(said.out.starts_with("Prepared JWT authority:\n  Authority ID: k3\n"), "{}", said.out);
    let said = fake.server(&["localauthority", "jwt", "taint", "-authorityID", "x"]);
    assert_eq!(
        (said.code, said.err.as_str()),
        (
            1,
            "Error: could not taint JWT authority: rpc error: code = InvalidArgument desc = unexpected authority ID\n"
        )
    );
}

#[test]
fn an_authority_that_is_not_named_is_asked_for() {
    let fake = Fake::start();
    for verb in ["activate", "taint", "revoke"] {
        for family in ["x509", "jwt"] {
            let said = fake.server(&["localauthority", family, verb]);
            assert_eq!(said.code, 1);
            assert!(said.err.starts_with("Error: an authority ID is required"), "{}", said.err);
        }
    }
    let said = fake.server(&["upstreamauthority", "taint"]);
    assert!(said.err.starts_with("Error: the Subject Key ID of the X.509 upstream authority is required"));
}

#[test]
fn upstream_authorities_go_by_their_subject_key_id() {
    let id = || "ff00".to_owned();
    let fake = Fake::start()
        .answer(
            path("TaintX509UpstreamAuthority"),
            &TaintX509UpstreamAuthorityResponse { upstream_authority_subject_key_id: id() },
        )
        .answer(
            path("RevokeX509UpstreamAuthority"),
            &RevokeX509UpstreamAuthorityResponse { upstream_authority_subject_key_id: id() },
        );
    let said = fake.server(&["upstreamauthority", "taint", "-subjectKeyID", "ff00"]);
    assert_eq!(said.out, "Tainted X.509 upstream authority:\n  Subject Key ID: ff00\n");
    let asked: Vec<TaintX509UpstreamAuthorityRequest> = fake.asked(path("TaintX509UpstreamAuthority"));
    assert_eq!(asked[0].subject_key_id, "ff00");
    let said = fake.server(&["upstreamauthority", "revoke", "-subjectKeyID", "ff00", "-output", "json"]);
    assert_eq!(said.out, "{\"upstream_authority_subject_key_id\":\"ff00\"}\n");
}
