//! A policy in Rego that says what SPIRE's own says: rules in data, found by the method's name.

use std::path::Path;

use serde_json::{Value, json};

use super::record;

const REGO: &str = r#"
package spire

default allow := false
default allow_if_admin := false
default allow_if_local := false
default allow_if_downstream := false
default allow_if_agent := false

mine contains api if { some api in data.apis; api.full_method == input.full_method }

allow if { some api in mine; api.allow_any }
allow_if_admin if { some api in mine; api.allow_admin }
allow_if_local if { some api in mine; api.allow_local }
allow_if_downstream if { some api in mine; api.allow_downstream }
allow_if_agent if { some api in mine; api.allow_agent }

result := {
  "allow": allow, "allow_if_admin": allow_if_admin, "allow_if_local": allow_if_local,
  "allow_if_downstream": allow_if_downstream, "allow_if_agent": allow_if_agent,
}
"#;

/// Writes the policy with the rules that the record shows; the line of the configuration that names it.
pub(crate) fn write(folder: &Path) -> String {
    let (rego, data) = (folder.join("policy.rego"), folder.join("policy.json"));
    std::fs::write(&rego, REGO).unwrap();
    std::fs::write(&data, json!({ "apis": rules() }).to_string()).unwrap();
    named(&rego, Some(&data))
}

/// The line of the configuration for a policy in these files.
pub(crate) fn named(rego: &Path, data: Option<&Path>) -> String {
    let data = data.map(|data| format!("policy_data_path = \"{}\"", data.display())).unwrap_or_default();
    format!(
        "experimental {{ auth_opa_policy_engine {{ local {{\n rego_path = \"{}\"\n {data}\n }} }} }}",
        rego.display()
    )
}

fn rules() -> Vec<Value> {
    let rule = |(method, answers): (String, std::collections::BTreeMap<String, super::walk::Answer>)| {
        let lets = |caller: &str| {
            let answer = answers.get(caller).unwrap();
            answer.code != "PermissionDenied" && !answer.message.starts_with("unknown service")
        };
        json!({
            "full_method": method, "allow_any": lets("nobody"), "allow_admin": lets("admin by entry"),
            "allow_local": lets("local"), "allow_downstream": lets("downstream") && !lets("workload"),
            "allow_agent": lets("agent"),
        })
    };
    record::read().into_iter().map(rule).collect()
}
