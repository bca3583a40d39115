use super::{INSECURE, agent_mistakes, server, server_mistakes};
use crate::external::{External, PluginData};
use crate::server::{DataStore, KeyManager, NodeAttestor, UpstreamAuthority};

const HEAD: &str = "server { trust_domain = \"example.org\" data_dir = \"/d\" }\n";
const STORE: &str =
    "DataStore \"sql\" { plugin_data { database_type = \"sqlite3\" connection_string = \"db\" } }\n";
const KEYS: &str = "KeyManager \"disk\" { plugin_data { keys_path = \"k\" } }\n";

fn with(plugins: &str) -> String {
    format!("{HEAD}plugins {{\n{plugins}}}\n")
}

#[track_caller]
fn refused(plugins: &str, expected: &str) {
    assert_eq!(server_mistakes(&with(plugins)).trim_end(), expected);
}

#[test]
fn one_datastore_and_one_key_manager_are_wanted() {
    refused(
        "",
        "s.conf: exactly one DataStore plugin must be configured, 0 are; known are \"sql\"\n\
         s.conf: exactly one KeyManager plugin must be configured, 0 are; known are \"disk\", \"memory\"",
    );
    refused(
        &format!("{STORE}{KEYS}KeyManager \"memory\" {{}}"),
        "s.conf: exactly one KeyManager plugin must be configured, 2 are; known are \"disk\", \"memory\"",
    );
}

#[test]
fn a_plugin_that_is_disabled_is_not_there() {
    let plugins =
        format!("{STORE}{KEYS}KeyManager \"aws_kms\" {{ enabled = false plugin_data {{ x = 1 }} }}\n");
    assert_eq!(server(&with(&plugins)).unwrap().key_manager, KeyManager::Disk { keys_path: "k".into() });
}

#[test]
fn a_plugin_of_spire_that_is_not_there_says_what_it_would_do() {
    refused(
        &format!("{STORE}KeyManager \"aws_kms\" {{ plugin_data {{ region = \"x\" }} }}\n"),
        "s.conf:4:12: plugin KeyManager \"aws_kms\" is not supported yet: it would keep keys in a key management \
         service; remove it to go on without",
    );
}

#[test]
fn a_plugin_may_stand_once() {
    refused(
        &format!("{STORE}{KEYS}NodeAttestor \"join_token\" {{}}\nNodeAttestor {{ join_token {{}} }}\n"),
        "s.conf:6:16: plugin NodeAttestor \"join_token\" is declared more than once; keep one",
    );
}

#[test]
fn the_keys_around_a_plugin_are_checked() {
    refused(
        &format!("{STORE}{KEYS}NodeAttestor \"join_token\" {{ plugin_dat {{}} plugin_checksum = \"x\" }}\n"),
        "s.conf:5:43: plugin_checksum has no meaning without plugin_cmd; set that too, or remove this",
    );
    let around = format!("{STORE}{KEYS}NodeAttestor \"join_token\" {{ plugin_dat {{}} }}\n");
    assert_eq!(
        super::lines(&server(&with(&around)).unwrap().warnings),
        "s.conf:5:29: unknown key \"plugin_dat\" in NodeAttestor \"join_token\" (did you mean \"plugin_data\"?). It is \
         ignored.\n"
    );
    refused(
        &format!("{STORE}{KEYS}NodeAttestor \"join_token\" {{ plugin_data {{ ttl = 1 }} }}\n"),
        "s.conf:5:43: unknown key \"ttl\" in NodeAttestor \"join_token\" plugin_data; remove it",
    );
}

#[test]
fn settings_may_stand_in_a_file_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x509pop.conf");
    let plugin = format!("NodeAttestor \"x509pop\" {{ plugin_data_file = \"{}\" }}\n", path.display());
    let text = with(&format!("{STORE}{KEYS}{plugin}"));
    let missing = server_mistakes(&text);
    assert!(
        missing.starts_with("s.conf:5:45: plugin_data_file names ")
            && missing.contains("which cannot be read:")
    );

    std::fs::write(&path, "ca_bundle_path = \"/ca.pem\"\n").unwrap();
    assert!(matches!(server(&text).unwrap().node_attestors[..], [NodeAttestor::X509pop(_)]));

    std::fs::write(&path, "ca_bundle_pth = \"/ca.pem\"\n").unwrap();
    let said = server(&text).unwrap_err().to_string();
    assert!(
        said.contains("x509pop.conf:1:1: ca_bundle_path or ca_bundle_paths must be configured"),
        "{said}"
    );
    assert!(said.contains("x509pop.conf:1:1: unknown key \"ca_bundle_pth\""), "{said}");
    std::fs::write(&path, "ca_bundle_path = \n").unwrap();
    assert!(server_mistakes(&text).contains("x509pop.conf:2:1: expected a value, found the end of the file"));

    let both = text.replace("plugin_data_file", "plugin_data {} plugin_data_file");
    assert!(server_mistakes(&both).contains("only one of plugin_data, plugin_data_file may be set"));
}

#[test]
fn only_sqlite_is_there_and_only_its_keys_have_a_meaning() {
    let store = |keys: &str| format!("{KEYS}DataStore \"sql\" {{ plugin_data {{ {keys} }} }}\n");
    let sqlite = "database_type = \"sqlite3\" connection_string = \"db\"";
    let settings =
        server(&with(&store(&format!("{sqlite} max_open_conns = 0 disable_migration = false")))).unwrap();
    let DataStore::Sqlite(read) = settings.data_store;
    assert_eq!(read.max_open_conns, None);
    refused(
        &store(&format!("{sqlite} conn_max_lifetime = \"1h\"")),
        "s.conf:4:84: conn_max_lifetime has no meaning with an SQLite database, which is a file of this process; \
         remove it",
    );
    refused(
        &store(
            "database_type \"aws_postgres\" { region = \"x\" } connection_string = \"c\" max_idle_conns = 5",
        ),
        "s.conf:4:31: database_type \"aws_postgres\" is not supported yet: it would keep the registry in that \
         database; remove it to go on without",
    );
    refused(
        &store("database_type = \"oracle\" connection_string = \"c\""),
        "s.conf:4:49: database_type \"oracle\" cannot be used: it must be \"sqlite3\"",
    );
    refused(
        &store("database_type = \"sqlite3\""),
        "s.conf:4:31: connection_string must be configured: the path of the database file",
    );
    refused(
        &store(&format!("{sqlite} max_open_conns = -1")),
        "s.conf:4:101: max_open_conns \"-1\" cannot be used: it must be 0 (no limit) or more",
    );
}

#[test]
fn x509pop_wants_authorities_or_the_trust_domains_own() {
    let pop = |keys: &str| format!("{STORE}{KEYS}NodeAttestor \"x509pop\" {{ plugin_data {{ {keys} }} }}\n");
    for (keys, expected) in [
        ("", "ca_bundle_path or ca_bundle_paths must be configured"),
        (
            "ca_bundle_path = \"a\" ca_bundle_paths = [\"b\"]",
            "only one of ca_bundle_path, ca_bundle_paths may",
        ),
        ("mode = \"spiffe\" ca_bundle_path = \"a\"", "ca_bundle_path has no meaning with mode \"spiffe\""),
        (
            "ca_bundle_path = \"a\" spiffe_prefix = \"/x\"",
            "spiffe_prefix has no meaning with mode \"external_pki\"",
        ),
        ("mode = \"x\"", "mode \"x\" cannot be used: it must be \"external_pki\" or \"spiffe\""),
        ("ca_bundle_path = \"a\" max_intermediates = 0", "max_intermediates \"0\" cannot be used"),
    ] {
        let said = server_mistakes(&with(&pop(keys)));
        assert!(said.contains(expected) && said.lines().count() == 1, "{keys}\n{said}");
    }
}

#[test]
fn the_agents_plugins_name_what_they_miss() {
    let text = format!(
        "agent {{ trust_domain = \"example.org\" server_address = \"a\" server_port = 1 {INSECURE} }}\nplugins {{\n\
         KeyManager \"disk\" {{}}\nNodeAttestor \"x509pop\" {{}}\nWorkloadAttestor \"windows\" {{}}\n}}"
    );
    let said = agent_mistakes(&text);
    assert_eq!(
        said,
        "a.conf:3:19: directory must be configured: the folder that keys are kept in\n\
               a.conf:4:24: private_key_path must be configured: the key to attest with, PEM\n\
               a.conf:4:24: certificate_path must be configured: the certificate to attest with, PEM\n\
               a.conf:5:18: plugin WorkloadAttestor \"windows\" is not supported yet: it would tell workloads apart on \
               Windows; remove it to go on without\n"
    );
}

#[test]
fn an_upstream_authority_is_read() {
    let read = |upstream: &str| {
        server(&with(&format!("{STORE}{KEYS}UpstreamAuthority {upstream}\n"))).unwrap().upstream_authority
    };
    assert_eq!(
        read("\"disk\" { plugin_data { cert_file_path = \"c\" key_file_path = \"k\" } }"),
        Some(UpstreamAuthority::Disk {
            cert_file_path: "c".into(),
            key_file_path: "k".into(),
            bundle_file_path: None,
        })
    );
    assert_eq!(
        read(
            "\"spire\" { plugin_data { server_address = \"above\" server_port = 8081 workload_api_socket = \"/s\" } }"
        ),
        Some(UpstreamAuthority::Spire {
            server_address: "above".into(),
            server_port: 8081,
            workload_api_socket: "/s".into(),
        })
    );
}

#[test]
fn an_upstream_authority_with_mistakes_gets_all_of_them_named() {
    let refused = |upstream: &str, all: &[&str]| {
        let said = server_mistakes(&with(&format!("{STORE}{KEYS}{upstream}\n")));
        for one in all {
            assert!(said.contains(one), "{one:?} is not in {said}");
        }
        assert_eq!(said.trim_end().lines().count(), all.len(), "{said}");
    };
    refused("UpstreamAuthority \"disk\" { plugin_data {} }", &["cert_file_path", "key_file_path"]);
    refused(
        "UpstreamAuthority \"spire\" { plugin_data { server_address = \"a\" server_port = \"x\" workload_api_socket = \"s\" } }",
        &["it must be a port, 1 to 65535", "it must be the absolute path of a socket"],
    );
    refused(
        "UpstreamAuthority \"disk\" { plugin_data { cert_file_path = \"c\" key_file_path = \"k\" } }\n\
         UpstreamAuthority \"spire\" { plugin_data { server_address = \"a\" server_port = 1 workload_api_socket = \"/s\" } }",
        &["at most one UpstreamAuthority plugin must be configured, 2 are"],
    );
}

#[test]
fn a_program_may_be_a_plugin_of_every_type_but_one() {
    let sum = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let program = |name: &str| {
        format!(
            "{name:?} {{ plugin_cmd = \"/bin/x\" plugin_args = [\"-a\"] plugin_checksum = \"{sum}\" plugin_data {{ a \"b\" {{ c = 1 }} }} }}\n"
        )
    };
    let all = ["KeyManager", "NodeAttestor", "UpstreamAuthority", "Notifier", "BundlePublisher"];
    let plugins: String = all.iter().map(|kind| format!("{kind} {}", program("disk"))).collect();
    let settings = server(&with(&format!("{STORE}{plugins}"))).unwrap();
    let external = External {
        name: "disk".to_owned(),
        command: "/bin/x".into(),
        args: vec!["-a".to_owned()],
        checksum: Some(sum.to_owned()),
        data: PluginData::Inline("a \"b\" {\n  c = 1\n}".to_owned()),
    };
    assert_eq!(settings.key_manager, KeyManager::External(external.clone()));
    assert_eq!(settings.node_attestors, [NodeAttestor::External(external.clone())]);
    assert_eq!(settings.upstream_authority, Some(UpstreamAuthority::External(external.clone())));
    assert_eq!((settings.notifiers, settings.bundle_publishers), (vec![external.clone()], vec![external]));
    refused(
        &format!("{KEYS}DataStore {}", program("sql")),
        "s.conf:4:11: plugin_cmd has no meaning with DataStore: the registry is kept by the built-in \"sql\" alone, as in SPIRE; remove it",
    );
    refused(
        &format!("{STORE}{KEYS}NodeAttestor {}", program("join_token")),
        "s.conf:5:14: plugin_cmd has no meaning with NodeAttestor \"join_token\", which only the server itself can judge; remove it",
    );
    refused(
        &format!("{STORE}{KEYS}NodeAttestor \"x\" {{ plugin_cmd = \"/x\" plugin_checksum = \"ab\" }}\n"),
        "s.conf:5:56: plugin_checksum \"ab\" cannot be used: it must be the SHA-256 of the program, 64 hexadecimal digits (sha256sum prints it)",
    );
}

#[test]
fn the_file_of_a_program_is_not_looked_into() {
    let plugins = format!(
        "{STORE}{KEYS}Notifier \"x\" {{ plugin_cmd = \"x\" plugin_data_file = \"/no/such/file\" }}\n"
    );
    let notifiers = server(&with(&plugins)).unwrap().notifiers;
    assert_eq!(notifiers[0].data, PluginData::File("/no/such/file".into()));
}
