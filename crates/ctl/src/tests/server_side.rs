use std::os::unix::fs::PermissionsExt;

use proto::spire::api::server::agent::v1::{
    BanAgentRequest, CountAgentsRequest, CountAgentsResponse, CreateJoinTokenRequest, ListAgentsRequest,
    ListAgentsResponse, count_agents_request,
};
use proto::spire::api::server::bundle::v1::{
    BatchDeleteFederatedBundleRequest, BatchDeleteFederatedBundleResponse, CountBundlesResponse,
    batch_delete_federated_bundle_response,
};
use proto::spire::api::server::entry::v1::{
    BatchCreateEntryRequest, BatchCreateEntryResponse, BatchDeleteEntryRequest, BatchDeleteEntryResponse,
    BatchUpdateEntryRequest, BatchUpdateEntryResponse, GetEntryRequest, ListEntriesRequest,
    ListEntriesResponse, batch_create_entry_response, batch_delete_entry_response,
    batch_update_entry_response, list_entries_request,
};
use proto::spire::api::server::svid::v1::{MintJwtsvidRequest, MintJwtsvidResponse};
use proto::spire::api::types::entry::AdditionalAttributes;
use proto::spire::api::types::selector_match::MatchBehavior;
use proto::spire::api::types::{
    Agent, Entry, JoinToken, Jwtsvid, Selector, SelectorMatch, Spiffeid, Status as Result_,
};
use tonic::Status;
use tonic_health::pb::HealthCheckResponse;

use super::fake::{Fake, run};

const HEALTH: &str = "/grpc.health.v1.Health/Check";
const TOKEN: &str = "/spire.api.server.agent.v1.Agent/CreateJoinToken";
const AGENTS: &str = "/spire.api.server.agent.v1.Agent/ListAgents";
const COUNT_AGENTS: &str = "/spire.api.server.agent.v1.Agent/CountAgents";
const BAN: &str = "/spire.api.server.agent.v1.Agent/BanAgent";
const CREATE: &str = "/spire.api.server.entry.v1.Entry/BatchCreateEntry";
const UPDATE: &str = "/spire.api.server.entry.v1.Entry/BatchUpdateEntry";
const DELETE: &str = "/spire.api.server.entry.v1.Entry/BatchDeleteEntry";
const GET: &str = "/spire.api.server.entry.v1.Entry/GetEntry";
const LIST: &str = "/spire.api.server.entry.v1.Entry/ListEntries";
const DELETE_BUNDLE: &str = "/spire.api.server.bundle.v1.Bundle/BatchDeleteFederatedBundle";
const COUNT_BUNDLES: &str = "/spire.api.server.bundle.v1.Bundle/CountBundles";
const MINT_JWT: &str = "/spire.api.server.svid.v1.SVID/MintJWTSVID";

fn id(path: &str) -> Spiffeid {
    Spiffeid { trust_domain: "example.org".to_owned(), path: path.to_owned() }
}

fn selector(kind: &str, value: &str) -> Selector {
    Selector { r#type: kind.to_owned(), value: value.to_owned() }
}

fn ok() -> Option<Result_> {
    Some(Result_ { code: 0, message: "OK".to_owned() })
}

#[test]
fn a_socket_that_is_not_there_is_explained() {
    let arguments = ["entry", "show", "-socketPath", "/nowhere/api.sock"].map(str::to_owned);
    let said = run(crate::server, &arguments, "", &[]);
    assert_eq!(said.code, 1);
    assert_eq!(said.out, "");
    assert_eq!(
        said.err,
        "Error: cannot reach the server at /nowhere/api.sock: there is no such socket\n\
         Hint: is the server running? If its socket is elsewhere, name it with -socketPath or \
         SPIRE_SERVER_PRIVATE_SOCKET\n"
    );
}

#[test]
fn a_socket_that_nobody_listens_to_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let path = path.display().to_string();
    let said = run(
        crate::server,
        &["bundle", "count"].map(str::to_owned),
        "",
        &[("SPIRE_SERVER_PRIVATE_SOCKET", &path)],
    );
    assert_eq!(
        said.err,
        format!(
            "Error: cannot reach the server at {path}: nobody listens there\n\
             Hint: the socket file is left from a server that is gone; is the server running?\n"
        )
    );
}

#[test]
fn a_healthy_server_is_said_to_be() {
    let fake = Fake::start().answer(HEALTH, &HealthCheckResponse { status: 1 });
    let said = fake.server(&["healthcheck"]);
    assert_eq!((said.out.as_str(), said.err.as_str(), said.code), ("Server is healthy.\n", "", 0));
    let said = fake.server(&["healthcheck", "-verbose", "-shallow"]);
    assert_eq!(said.out, "Checking server health...\nServer is healthy.\n");
}

#[test]
fn an_unhealthy_server_ends_in_an_error() {
    let fake = Fake::start().answer(HEALTH, &HealthCheckResponse { status: 2 });
    let said = fake.server(&["healthcheck"]);
    assert_eq!(said.code, 1);
    assert!(
        said.err.starts_with("Error: server is unhealthy: server returned status \"NOT_SERVING\"\n"),
        "{}",
        said.err
    );

    let said = run(crate::server, &["healthcheck", "-socketPath", "/nowhere"].map(str::to_owned), "", &[]);
    assert_eq!(said.code, 1);
    assert!(
        said.err.starts_with(
            "Error: server is unhealthy: unable to determine health: cannot reach the server at"
        )
    );
}

#[test]
fn a_token_is_printed_with_a_warning_where_it_has_no_id() {
    let fake = Fake::start().answer(TOKEN, &JoinToken { value: "abc".to_owned(), expires_at: 5 });
    assert_eq!(fake.server(&["token", "generate"]).out, "Token: abc\nWarning: Missing SPIFFE ID.\n");
    let said = fake.server(&["token", "generate", "-ttl", "60", "-spiffeID", "spiffe://example.org/node"]);
    assert_eq!(said.out, "Token: abc\n");
    let said = fake.server(&["token", "generate", "-output", "json"]);
    assert_eq!(said.out, "{\"expires_at\":\"5\",\"value\":\"abc\"}\n");
    assert_eq!(
        fake.asked::<CreateJoinTokenRequest>(TOKEN)[..2],
        [
            CreateJoinTokenRequest { ttl: 600, token: String::new(), agent_id: None },
            CreateJoinTokenRequest { ttl: 60, token: String::new(), agent_id: Some(id("/node")) },
        ]
    );
}

#[test]
fn a_wrong_id_is_named() {
    let said = Fake::start().server(&["token", "generate", "-spiffeID", "example.org/x"]);
    assert_eq!(said.code, 1);
    assert!(said.err.starts_with("Error: SPIFFE ID \"example.org/x\" is not valid: "), "{}", said.err);
}

#[test]
fn an_entry_is_asked_for_and_printed() {
    let created = Entry {
        id: "x".to_owned(),
        spiffe_id: Some(id("/web")),
        parent_id: Some(id("/p")),
        selectors: vec![selector("unix", "uid:1")],
        x509_svid_ttl: 60,
        ..Entry::default()
    };
    let result = batch_create_entry_response::Result { status: ok(), entry: Some(created.clone()) };
    let fake = Fake::start().answer(CREATE, &BatchCreateEntryResponse { results: vec![result] });
    let said = fake.server(&[
        "entry",
        "create",
        "-spiffeID",
        "spiffe://example.org/web",
        "-parentID",
        "spiffe://example.org/p",
        "-selector",
        "unix:uid:1",
        "-x509SVIDTTL",
        "60",
        "-dns",
        "a",
        "-dns",
        "b",
        "-federatesWith",
        "spiffe://other.org",
        "-admin",
        "-jwtSVIDIncludeJTI",
    ]);
    assert_eq!(said.err, "");
    assert_eq!(said.code, 0);
    assert!(
        said.out
            .starts_with("Entry ID                : x\nSPIFFE ID               : spiffe://example.org/web\n")
    );
    let asked = fake.asked::<BatchCreateEntryRequest>(CREATE).remove(0);
    assert_eq!(
        asked.entries,
        [Entry {
            id: String::new(),
            dns_names: vec!["a".to_owned(), "b".to_owned()],
            federates_with: vec!["spiffe://other.org".to_owned()],
            admin: true,
            additional_attributes: Some(AdditionalAttributes {
                disable_x509_svid_prefetch: false,
                jwt_svid_include_jti: true
            }),
            ..created
        }]
    );
}

#[test]
fn a_node_entry_has_the_server_as_its_parent() {
    let result = batch_create_entry_response::Result { status: ok(), entry: None };
    let fake = Fake::start().answer(CREATE, &BatchCreateEntryResponse { results: vec![result] });
    fake.server(&["entry", "create", "-node", "-spiffeID", "spiffe://example.org/n", "-selector", "a:b"]);
    let asked = fake.asked::<BatchCreateEntryRequest>(CREATE).remove(0);
    assert_eq!(asked.entries[0].parent_id, Some(id("/spire/server")));
}

#[test]
fn a_refused_entry_is_shown_as_it_was_asked_for() {
    let status = Some(Result_ { code: 6, message: "similar entry already exists".to_owned() });
    let result = batch_create_entry_response::Result { status, entry: None };
    let fake = Fake::start().answer(CREATE, &BatchCreateEntryResponse { results: vec![result] });
    let line = [
        "entry",
        "create",
        "-spiffeID",
        "spiffe://example.org/web",
        "-parentID",
        "spiffe://example.org/p",
        "-selector",
        "unix:uid:1",
    ];
    let said = fake.server(&line);
    assert_eq!((said.out.as_str(), said.code), ("", 1));
    assert_eq!(
        said.err,
        "\
Failed to create the following entry (code: AlreadyExists, msg: \"similar entry already exists\"):
Entry ID                : (none)
SPIFFE ID               : spiffe://example.org/web
Parent ID               : spiffe://example.org/p
Revision                : 0
X509-SVID TTL           : default
JWT-SVID TTL            : default
Selector                : unix:uid:1

Error: failed to create one or more entries
"
    );
    // In JSON the status says it, and the call itself succeeded.
    let said = fake.server(&[&line[..], &["-output", "json"]].concat());
    assert_eq!((said.err.as_str(), said.code), ("", 0));
    assert!(said.out.contains("\"status\":{\"code\":6,\"message\":\"similar entry already exists\"}"));
}

#[test]
fn what_an_entry_lacks_is_said() {
    let fake = Fake::start();
    let complaint = |line: &[&str]| fake.server(line).err;
    assert!(complaint(&["entry", "create"]).starts_with("Error: at least one selector is required"));
    assert!(
        complaint(&["entry", "create", "-selector", "a:b"]).starts_with("Error: a SPIFFE ID is required")
    );
    let line = ["entry", "create", "-selector", "a:b", "-spiffeID", "spiffe://a/b"];
    assert!(complaint(&line).starts_with("Error: a parent ID is required"));
    let more = [&line[..], &["-parentID", "spiffe://a/c", "-x509SVIDTTL", "-1"]].concat();
    assert!(complaint(&more).starts_with("Error: a positive x509-SVID TTL is required"));
    assert!(complaint(&["entry", "update", "-selector", "a:b"]).starts_with("Error: entry ID is required"));
    assert!(complaint(&["entry", "delete"]).starts_with("Error: an entry ID is required"));
}

#[test]
fn entries_come_from_the_standard_input() {
    let result = batch_create_entry_response::Result { status: ok(), entry: None };
    let fake = Fake::start().answer(CREATE, &BatchCreateEntryResponse { results: vec![result] });
    let document = r#"{"entries": [{"spiffe_id": "spiffe://example.org/w", "parent_id": "spiffe://example.org/p",
        "selectors": [{"type": "a", "value": "b"}], "colour": "red"}]}"#;
    let said = fake.server_with_input(&["entry", "create", "-data", "-"], document);
    assert_eq!(said.err, "Warning: the standard input: entries[0].colour is not known and was left out\n");
    let asked = fake.asked::<BatchCreateEntryRequest>(CREATE).remove(0);
    assert_eq!(asked.entries[0].selectors, [selector("a", "b")]);
}

#[test]
fn an_update_keeps_the_attributes_that_no_flag_names() {
    let present = AdditionalAttributes { disable_x509_svid_prefetch: true, jwt_svid_include_jti: false };
    let stored = Entry { additional_attributes: Some(present), ..Entry::default() };
    let result = batch_update_entry_response::Result { status: ok(), entry: None };
    let fake = Fake::start()
        .answer(GET, &stored)
        .answer(UPDATE, &BatchUpdateEntryResponse { results: vec![result] });
    let line = [
        "entry",
        "update",
        "-entryID",
        "x",
        "-spiffeID",
        "spiffe://example.org/w",
        "-parentID",
        "spiffe://example.org/p",
        "-selector",
        "a:b",
    ];
    fake.server(&[&line[..], &["-jwtSVIDIncludeJTI"]].concat());
    fake.server(&[&line[..], &["-disableX509SVIDPrefetch=false"]].concat());
    fake.server(&line);
    let asked = fake.asked::<BatchUpdateEntryRequest>(UPDATE);
    let attributes: Vec<_> = asked.iter().map(|request| request.entries[0].additional_attributes).collect();
    assert_eq!(
        attributes,
        [
            Some(AdditionalAttributes { disable_x509_svid_prefetch: true, jwt_svid_include_jti: true }),
            Some(AdditionalAttributes { disable_x509_svid_prefetch: false, jwt_svid_include_jti: false }),
            None,
        ]
    );
    assert_eq!(fake.asked::<GetEntryRequest>(GET).len(), 2);
}

#[test]
fn entries_are_listed_page_by_page_and_filtered() {
    let page = |path: &str, token: &str| ListEntriesResponse {
        entries: vec![Entry { spiffe_id: Some(id(path)), ..Entry::default() }],
        next_page_token: token.to_owned(),
    };
    let fake = Fake::start().answer(LIST, &page("/b", "next")).answer(LIST, &page("/a", ""));
    let said = fake.server(&["entry", "show", "-selector", "a:b", "-matchSelectorsOn", "any", "-hint", "h"]);
    assert!(said.out.starts_with("Found 2 entries\n"));
    assert!(said.out.find("spiffe://example.org/a") < said.out.find("spiffe://example.org/b"));
    let filter = list_entries_request::Filter {
        by_selectors: Some(SelectorMatch {
            selectors: vec![selector("a", "b")],
            r#match: MatchBehavior::MatchAny.into(),
        }),
        by_hint: Some("h".to_owned()),
        ..Default::default()
    };
    let request = |token: &str| ListEntriesRequest {
        filter: Some(filter.clone()),
        output_mask: None,
        page_size: 500,
        page_token: token.to_owned(),
    };
    assert_eq!(fake.asked::<ListEntriesRequest>(LIST), [request(""), request("next")]);
}

#[test]
fn one_entry_is_looked_up() {
    let fake = Fake::start().answer(GET, &Entry { id: "x".to_owned(), ..Entry::default() });
    assert!(fake.server(&["entry", "show", "-entryID", "x"]).out.starts_with("Found 1 entry\nEntry ID"));
    let fake = Fake::start().refuse(GET, Status::not_found("entry not found"));
    let said = fake.server(&["entry", "show", "-entryID", "x"]);
    assert_eq!(
        (said.err.as_str(), said.code),
        ("Error: error fetching entry ID x: rpc error: code = NotFound desc = entry not found\n", 1)
    );
    let said = fake.server(&["entry", "show", "-entryID", "x", "-selector", "a:b"]);
    assert!(said.err.starts_with("Error: the -entryID flag can't be combined with others"));
}

#[test]
fn deletions_are_told_apart() {
    let result = |code, id: &str| batch_delete_entry_response::Result {
        status: Some(Result_ { code, message: "m".to_owned() }),
        id: id.to_owned(),
    };
    let fake = Fake::start()
        .answer(DELETE, &BatchDeleteEntryResponse { results: vec![result(0, "a")] })
        .answer(DELETE, &BatchDeleteEntryResponse { results: vec![result(0, "a"), result(5, "b")] });
    let said = fake.server(&["entry", "delete", "-entryID", "a"]);
    assert_eq!(said.out, "Deleted entry with ID: a\n\n\nDeleted 1 entries successfully\n");
    let said = fake.server_with_input(&["entry", "delete", "-file", "-"], r#"{"ids": ["a", "b"]}"#);
    assert_eq!(
        said.out,
        "Deleted entry with ID: a\n\n\n\n\nDeleted 1 entries successfully, but failed to delete 1 entries\n"
    );
    assert_eq!(
        said.err,
        "Failed to delete entry with ID b (code: NotFound, msg: \"m\")\nError: failed to delete one or more entries\n"
    );
    assert_eq!(said.code, 1);
    assert_eq!(fake.asked::<BatchDeleteEntryRequest>(DELETE)[1].ids, ["a", "b"]);
}

#[test]
fn agents_are_listed_counted_and_banned() {
    let agent = Agent { id: Some(id("/spire/agent/a")), ..Agent::default() };
    let fake = Fake::start()
        .answer(AGENTS, &ListAgentsResponse { agents: vec![agent], next_page_token: String::new() })
        .answer(COUNT_AGENTS, &CountAgentsResponse { count: 1 })
        .answer(BAN, &());
    assert!(
        fake.server(&["agent", "list"]).out.starts_with("Found 1 attested agent:\n\nSPIFFE ID         : ")
    );
    assert_eq!(fake.asked::<ListAgentsRequest>(AGENTS)[0].page_size, 1000);

    let said = fake.server(&["agent", "count", "-banned", "true", "-attestationType", "join_token"]);
    assert_eq!(said.out, "1 attested agent\n");
    let filter = count_agents_request::Filter {
        by_attestation_type: "join_token".to_owned(),
        by_banned: Some(true),
        ..Default::default()
    };
    assert_eq!(fake.asked::<CountAgentsRequest>(COUNT_AGENTS), [CountAgentsRequest { filter: Some(filter) }]);

    let said = fake.server(&["agent", "ban", "-spiffeID", "spiffe://example.org/spire/agent/a"]);
    assert_eq!(said.out, "Agent banned successfully\n");
    let said =
        fake.server(&["agent", "ban", "-spiffeID", "spiffe://example.org/spire/agent/a", "-output", "json"]);
    assert_eq!(said.out, "{}\n");
    assert_eq!(fake.asked::<BanAgentRequest>(BAN)[0].id, Some(id("/spire/agent/a")));
    assert!(fake.server(&["agent", "ban"]).err.starts_with("Error: a SPIFFE ID is required"));
}

#[test]
fn a_call_that_the_peer_does_not_know_is_explained() {
    let said = Fake::start().server(&["agent", "count"]);
    assert_eq!(said.code, 1);
    assert!(said.err.starts_with(&format!(
        "Error: rpc error: code = Unimplemented desc = unknown method {COUNT_AGENTS}\nHint: "
    )));
}

#[test]
fn a_bundle_in_use_is_kept_and_the_way_out_is_shown() {
    let result = batch_delete_federated_bundle_response::Result {
        status: Some(Result_ { code: 9, message: "in use".to_owned() }),
        trust_domain: "other.org".to_owned(),
    };
    let fake = Fake::start()
        .answer(DELETE_BUNDLE, &BatchDeleteFederatedBundleResponse { results: vec![result] })
        .answer(COUNT_BUNDLES, &CountBundlesResponse { count: 2 });
    let said = fake.server(&["bundle", "delete", "-id", "spiffe://other.org"]);
    assert_eq!(
        said.err,
        "Error: failed to delete federated bundle \"other.org\": in use; untie them with -mode dissociate, or delete \
         them too with -mode delete\n"
    );
    let asked = fake.asked::<BatchDeleteFederatedBundleRequest>(DELETE_BUNDLE).remove(0);
    assert_eq!(
        asked,
        BatchDeleteFederatedBundleRequest { trust_domains: vec!["spiffe://other.org".to_owned()], mode: 0 }
    );
    assert_eq!(fake.server(&["bundle", "count"]).out, "2 bundles\n");
}

#[test]
fn a_minted_token_is_printed_or_written_for_its_owner_alone() {
    let svid = Jwtsvid { token: "e30.eyJleHAiOjE3MDAwMDAwMTB9.c2ln".to_owned(), ..Jwtsvid::default() };
    let fake = Fake::start().answer(MINT_JWT, &MintJwtsvidResponse { svid: Some(svid.clone()) });
    let line = ["jwt", "mint", "-spiffeID", "spiffe://example.org/w", "-audience", "a", "-audience", "b"];
    let said = fake.server(&line);
    assert_eq!((said.out, said.err), (format!("{}\n", svid.token), String::new()));
    let said = fake.server(&[&line[..], &["-ttl", "1h"]].concat());
    assert_eq!(
        said.err,
        "JWT-SVID lifetime was capped shorter than specified ttl; expires \"2023-11-14T22:13:30Z\"\n"
    );

    let path = fake.folder().join("token");
    let text = path.display().to_string();
    let said = fake.server(&[&line[..], &["-write", &text]].concat());
    assert_eq!(said.out, format!("JWT-SVID written to {text}\n"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), svid.token);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let asked = fake.asked::<MintJwtsvidRequest>(MINT_JWT);
    assert_eq!((asked[0].ttl, asked[1].ttl), (0, 3600));
    assert_eq!(asked[0].audience, ["a", "b"]);
}

#[test]
fn a_word_among_the_flags_is_warned_of() {
    let fake = Fake::start().answer(COUNT_BUNDLES, &CountBundlesResponse { count: 1 });
    let said = fake.server(&["bundle", "count", "-output=pretty"]);
    assert_eq!(said.err, "");
    let arguments: Vec<String> =
        ["bundle", "count", "-socketPath", &fake.socket().display().to_string(), "false", "-x"]
            .map(str::to_owned)
            .to_vec();
    let said = run(crate::server, &arguments, "", &[]);
    assert_eq!(said.out, "1 bundle\n");
    assert!(
        said.err.starts_with("Warning: \"false\" is no flag and is ignored, and so is everything after it")
    );
}
