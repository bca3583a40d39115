//! Every call of the server by every kind of caller, over its real sockets. What SPIRE 1.16 answered is in `record.json`;
//! our server is held to it, and so is SPIRE where its program is at hand, so that the record stays true.
//! `BONAFIDE_RECORD=1` with `SPIRE_BIN` writes the record anew.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says why it skips"
)]

mod callers;
mod entries;
mod entry_record;
mod forged;
mod methods;
mod policy;
mod record;
mod walk;
mod wire;

use harness::Program::{Bonafide, Spire};
use harness::skip;

use callers::Callers;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_server_answers_every_caller_of_every_method_as_spires_did() {
    let callers = Callers::meet(Bonafide).await;
    let differences = record::differences(&walk::walk(&callers).await);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spires_server_answers_as_recorded() {
    if let Err(missing) = Spire.available() {
        return skip("the answers of SPIRE's server to every caller", &missing);
    }
    let callers = Callers::meet(Spire).await;
    let found = walk::walk(&callers).await;
    if std::env::var_os("BONAFIDE_RECORD").is_some() {
        record::write(&found);
    }
    assert_eq!(record::read(), found);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_certificate_that_proves_nothing_gets_nowhere_with_our_server() {
    forged::are_turned_away(&Callers::meet(Bonafide).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_certificate_that_proves_nothing_gets_nowhere_with_spires_server() {
    if let Err(missing) = Spire.available() {
        return skip("forged client certificates at SPIRE's server", &missing);
    }
    forged::are_turned_away(&Callers::meet(Spire).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_server_keeps_the_entry_services_rules() {
    let told = told(Bonafide).await;
    let differences = entry_record::differences(&told);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spires_server_keeps_the_entry_services_rules_as_recorded() {
    if let Err(missing) = Spire.available() {
        return skip("the entry service of SPIRE's server", &missing);
    }
    let told = told(Spire).await;
    if std::env::var_os("BONAFIDE_RECORD").is_some() {
        entry_record::write(&told);
    }
    assert_eq!(entry_record::read(), told);
}

async fn told(program: harness::Program) -> entries::Told {
    let options =
        |trust_domain: &str| harness::Options { trust_domain: trust_domain.to_owned(), ..Default::default() };
    let foreign = harness::Domain::start_server(options("foreign.test").programs(program, program));
    let domain = harness::Domain::start_server(options("example.org").programs(program, program));
    callers::federate(&domain, &foreign);
    entries::tell(wire::over_socket(&domain.peek_server().socket()).await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_that_says_what_the_table_says_changes_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let callers = Callers::meet_under(Bonafide, &policy::write(folder.path())).await;
    let differences = record::differences(&walk::walk(&callers).await);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spires_server_under_the_same_policy_answers_as_recorded() {
    if let Err(missing) = Spire.available() {
        return skip("the answers of SPIRE's server under a policy", &missing);
    }
    let folder = tempfile::tempdir().unwrap();
    let callers = Callers::meet_under(Spire, &policy::write(folder.path())).await;
    assert_eq!(record::read(), walk::walk(&callers).await);
}

/// The example of SPIRE's documentation: who calls, and for what, decides.
fn a_policy_lets_one_caller_create_some_entries(program: harness::Program) {
    let folder = tempfile::tempdir().unwrap();
    let rego = folder.path().join("policy.rego");
    std::fs::write(
        &rego,
        r#"
package spire

default allow_if_local := false
allow_if_local if { input.full_method != "/spire.api.server.entry.v1.Entry/BatchCreateEntry" }
allow_if_local if { every entry in input.req.entries { startswith(entry.spiffe_id.path, "/jobs/") } }

result := {
  "allow": false, "allow_if_admin": false, "allow_if_local": allow_if_local,
  "allow_if_downstream": false, "allow_if_agent": false,
}
"#,
    )
    .unwrap();
    let options = harness::Options::default().programs(program, program);
    let domain = harness::Domain::start_server(options.server_line(&policy::named(&rego, None)));
    let create = |id: &str| {
        let parent = domain.id("parent");
        domain.cli(&[
            "entry",
            "create",
            "-spiffeID",
            &domain.id(id),
            "-parentID",
            &parent,
            "-selector",
            "a:b",
        ])
    };
    create("jobs/one").succeeds();
    let refused = create("admin").fails();
    assert!(refused.stderr.contains("authorization denied for method"), "{refused}");
    domain.cli(&["entry", "show"]).succeeds();
}

#[test]
fn a_policy_sees_the_request() {
    a_policy_lets_one_caller_create_some_entries(Bonafide);
}

#[test]
fn a_policy_sees_the_request_at_spires_server() {
    match Spire.available() {
        Ok(()) => a_policy_lets_one_caller_create_some_entries(Spire),
        Err(missing) => skip("a policy over requests at SPIRE's server", &missing),
    }
}

#[test]
fn every_method_is_in_the_record() {
    let recorded: Vec<String> = record::read().into_keys().collect();
    let mut methods: Vec<String> = methods::all().into_iter().map(|method| method.path).collect();
    methods.sort();
    assert_eq!(recorded, methods);
    assert_eq!(methods.len(), 65);
}
