use std::fs;

use spiffe::SpiffeId;

use super::*;

/// A policy that reads its rules from the data, as SPIRE's own does.
const BY_DATA: &str = r#"
package spire

default rule := {}
rule := data.apis[input.full_method]

flag(name) if rule[name]
else := false

result := {
  "allow": flag("any"), "allow_if_admin": flag("admin"), "allow_if_local": flag("local"),
  "allow_if_downstream": flag("downstream"), "allow_if_agent": flag("agent"),
}
"#;

fn load(rego: &str, data: Option<&str>) -> Result<Policy, LoadError> {
    let folder = tempfile::tempdir().unwrap();
    let (policy, file) = (folder.path().join("policy.rego"), folder.path().join("data.json"));
    fs::write(&policy, rego).unwrap();
    if let Some(data) = data {
        fs::write(&file, data).unwrap();
    }
    Policy::load(&policy, data.is_some().then_some(file.as_path()))
}

fn question<'a>(method: &'a str, request: Option<&'a serde_json::Value>) -> CallQuestion<'a> {
    CallQuestion { caller: None, caller_file_path: None, full_method: method, request }
}

#[test]
fn a_policy_answers_by_its_data() {
    let policy =
        load(BY_DATA, Some(r#"{"apis": {"/a/B": {"any": true}, "/a/C": {"admin": true, "agent": true}}}"#));
    let policy = policy.unwrap();
    assert_eq!(
        policy.judge(&question("/a/B", None)).unwrap(),
        CallVerdict { allow: true, ..CallVerdict::default() }
    );
    let admin_or_agent = CallVerdict { allow_if_admin: true, allow_if_agent: true, ..CallVerdict::default() };
    assert_eq!(policy.judge(&question("/a/C", None)).unwrap(), admin_or_agent);
    assert_eq!(policy.judge(&question("/a/D", None)).unwrap(), CallVerdict::default());
}

#[test]
fn a_policy_sees_who_asks_for_what() {
    let rego = r#"
package spire

import rego.v1

default allow := false
allow if {
  input.full_method == "/spire.api.server.entry.v1.Entry/BatchCreateEntry"
  input.caller == "spiffe://example.org/scheduler"
  every entry in input.req.entries { startswith(entry.spiffe_id.path, "/jobs/") }
}
allow if input.caller_file_path == "/usr/bin/trusted"

result := {"allow": allow, "allow_if_admin": false, "allow_if_local": false, "allow_if_downstream": false, "allow_if_agent": false}
"#;
    let policy = load(rego, None).unwrap();
    let scheduler = SpiffeId::parse("spiffe://example.org/scheduler").unwrap();
    let asks = |path: &str, file: Option<&str>| {
        let request = serde_json::json!({"entries": [{"spiffe_id": {"path": path}}]});
        let question = CallQuestion {
            caller: Some(&scheduler),
            caller_file_path: file,
            ..question("/spire.api.server.entry.v1.Entry/BatchCreateEntry", Some(&request))
        };
        policy.judge(&question).unwrap().allow
    };
    assert!(asks("/jobs/one", None));
    assert!(!asks("/admin", None));
    assert!(asks("/admin", Some("/usr/bin/trusted")));
}

#[test]
fn a_policy_that_cannot_be_relied_on_is_refused_when_it_is_loaded() {
    let told = |rego: &str, data: Option<&str>| load(rego, data).unwrap_err().to_string();
    assert!(told("nonsense", None).contains("is no policy: "));
    assert!(told("package spire\nallow { true }", None).contains("is no policy: "), "Rego of version 0");
    assert!(told(BY_DATA, Some("[1]")).contains("does not hold the data"));
    let partial = "package spire\nresult := {\"allow\": true}";
    assert!(told(partial, None).contains("the policy gives no proper answer to "));
    assert!(told("package other\nresult := 1", None).contains("the policy gives no proper answer to "));
    let missing = Policy::load(Path::new("/nowhere.rego"), None).unwrap_err().to_string();
    assert!(missing.starts_with("cannot read /nowhere.rego: "), "{missing}");
}

#[test]
fn a_policy_that_never_ends_is_stopped() {
    let rego = r#"
package spire

result := {"allow": slow, "allow_if_admin": false, "allow_if_local": false, "allow_if_downstream": false, "allow_if_agent": false}
slow if { some i in numbers.range(1, 20000); some j in numbers.range(1, 20000); i * j == -1 }
else := true
"#;
    let begun = std::time::Instant::now();
    assert!(load(rego, None).unwrap_err().to_string().contains("the policy gives no proper answer to "));
    assert!(begun.elapsed() < Duration::from_secs(20));
}
