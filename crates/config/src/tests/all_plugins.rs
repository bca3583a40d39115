//! Each plugin of SPIRE 1.16 is there, or is refused by what it would do.

use super::{INSECURE, agent, server};
use crate::plugin::Known;

/// The built-in plugins of SPIRE 1.16's server.
const SERVER: &str = "\
DataStore sql
KeyManager disk memory aws_kms gcp_kms azure_key_vault hashicorp_vault
NodeAttestor join_token x509pop aws_iid azure_msi azure_imds gcp_iit http_challenge k8s_psat sshpop tpm_devid
UpstreamAuthority disk aws_pca awssecret gcp_cas vault spire cert-manager ejbca
Notifier gcs_bundle k8sbundle
BundlePublisher aws_s3 gcp_cloudstorage azure_blob k8s_configmap aws_rolesanywhere_trustanchor
CredentialComposer uniqueid";

/// The built-in plugins of SPIRE 1.16's agent, and KeyManager `tpm`, which is ours.
const AGENT: &str = "\
KeyManager disk memory tpm
NodeAttestor join_token x509pop aws_iid azure_msi azure_imds gcp_iit http_challenge k8s_psat sshpop tpm_devid
WorkloadAttestor unix docker k8s systemd slurm windows
SVIDStore aws_secretsmanager gcp_secretmanager";

fn names(list: &str) -> Vec<String> {
    let kinds = list.lines().map(|line| line.split_once(' ').unwrap());
    let mut names: Vec<String> =
        kinds.flat_map(|(kind, names)| names.split(' ').map(move |name| format!("{kind} {name}"))).collect();
    names.sort();
    names
}

/// What is said of a file that lacks other things: mistakes, and keys that are ignored.
fn said<T>(loaded: Result<T, crate::Report>) -> String {
    loaded.map(drop).expect_err("a plugin alone is not enough").to_string() + "\n"
}

#[track_caller]
fn check(known: &[Known], list: &str, mistakes: impl Fn(&str) -> String) {
    let mut all: Vec<String> = known.iter().map(|one| format!("{} {}", one.kind, one.name)).collect();
    all.sort();
    assert_eq!(all, names(list));
    for one in known {
        let Known { kind, name, would } = one;
        // With a setting of its own, which is not looked at before the plugin is there.
        let said = mistakes(&format!("{kind} \"{name}\" {{\nplugin_data {{\nsome_setting = \"x\"\n}}\n}}\n"));
        let column = kind.len() + 2;
        let expected = match would {
            Some(would) => {
                format!(
                    ":4:{column}: plugin {kind} \"{name}\" is not supported yet: it would {would}; remove it to go on without\n"
                )
            }
            None => {
                format!(":6:1: unknown key \"some_setting\" in {kind} \"{name}\" plugin_data")
            }
        };
        assert!(said.contains(&expected), "{said}{expected}");
        let slip = mistakes(&format!("{kind} \"{name}q\" {{}}\n"));
        let expected =
            format!(":4:{column}: unknown key \"{name}q\" in plugins.{kind}; did you mean \"{name}\"?\n");
        assert!(slip.contains(&expected), "{slip}{expected}");
    }
}

#[test]
fn the_servers_plugins_are_there_or_say_what_they_would_do() {
    check(&crate::server::KNOWN_PLUGINS, SERVER, |plugin| {
        said(server(&format!(
            "server {{ trust_domain = \"example.org\" data_dir = \"/d\" }}\n\nplugins {{\n{plugin}}}\n"
        )))
    });
}

#[test]
fn the_agents_plugins_are_there_or_say_what_they_would_do() {
    check(&crate::agent::KNOWN_PLUGINS, AGENT, |plugin| {
        said(agent(&format!(
            "agent {{ trust_domain = \"example.org\" server_address = \"s\" server_port = 1 {INSECURE} }}\n\nplugins {{\n{plugin}}}\n"
        )))
    });
}
