//! Files with a place where a key can be put.

/// Where the key goes.
const PLACE: &str = "@@";

/// A file with a place for more.
pub(super) struct Template(String);

impl Template {
    /// The file with `more` in its place.
    pub(super) fn text(&self, more: &str) -> String {
        self.0.replacen(PLACE, more, 1).replace(PLACE, "")
    }

    /// The line of the place.
    pub(super) fn line(&self) -> usize {
        self.0.split(PLACE).next().unwrap_or_default().lines().count() + 1
    }

    /// The file whose place is in a section of the server's or the agent's file.
    pub(super) fn of(server: bool, section: &str) -> Self {
        if server { Self::server(section) } else { Self::agent(section) }
    }

    fn server(section: &str) -> Self {
        let (mut block, mut store, mut keys, mut attestor, mut top) =
            (String::new(), String::new(), String::new(), JOIN_TOKEN.to_owned(), String::new());
        match section {
            "server" => block.push_str("\n@@\n"),
            "server.ca_subject" => block.push_str("ca_subject {\ncommon_name = \"x\"\n@@\n}"),
            "server.experimental.auth_opa_policy_engine" => {
                block = policy("local {\nrego_path = \"/p\"\n}\n@@")
            }
            "server.experimental.auth_opa_policy_engine.local" => {
                block = policy("local {\nrego_path = \"/p\"\n@@\n}");
            }
            "a policy without its file" => block = policy("local {\n@@\n}"),
            nested if nested.starts_with("server.") => block = inside(nested),
            "DataStore \"sql\" plugin_data" => store.push_str("\n@@\n"),
            "KeyManager \"disk\" plugin_data" => keys.push_str("\n@@\n"),
            other => match plugin(other, "ca_bundle_path = \"/ca\"") {
                Some(text) => attestor = text,
                None => top = at_the_top(other),
            },
        }
        Self(format!(
            "server {{\ntrust_domain = \"example.org\"\ndata_dir = \"/d\"\n{block}\n}}\nplugins {{\n\
             DataStore \"sql\" {{\nplugin_data {{\ndatabase_type = \"sqlite3\"\nconnection_string = \"db\"\n{store}\n}}\n}}\n\
             KeyManager \"disk\" {{\nplugin_data {{\nkeys_path = \"k\"\n{keys}\n}}\n}}\n{attestor}\n}}\n{top}"
        ))
    }

    fn agent(section: &str) -> Self {
        let (mut block, mut keys, mut attestor, mut unix, mut top) =
            (String::new(), String::new(), JOIN_TOKEN.to_owned(), String::new(), String::new());
        let mut bundle = "trust_bundle_path = \"/b\"\n";
        match section {
            "agent" => block.push_str("\n@@\n"),
            "an agent without a bundle" => (bundle, block) = ("", "\n@@\n".to_owned()),
            "an agent with a bundle over a socket" => {
                (bundle, block) = ("trust_bundle_url = \"http://x\"\n", "\n@@\n".to_owned());
            }
            "agent.experimental.ratelimit" => block = "experimental {\nratelimit {\n@@\n}\n}".to_owned(),
            nested if nested.starts_with("agent.") => block = inside(nested),
            "KeyManager \"disk\" plugin_data" => keys.push_str("\n@@\n"),
            "KeyManager \"tpm\" plugin_data" => {
                keys.push_str("}\n}\nKeyManager \"tpm\" {\nplugin_data {\n@@\n");
            }
            "WorkloadAttestor \"unix\" plugin_data" => unix.push_str("\n@@\n"),
            "WorkloadAttestor \"docker\" plugin_data" => top = workload("docker", "@@"),
            "docker with patterns" => top = workload("docker", "use_new_container_locator = false\n@@"),
            "WorkloadAttestor \"k8s\" plugin_data" => top = workload("k8s", "@@"),
            "k8s with a key" => top = workload("k8s", "private_key_path = \"/k\"\n@@"),
            "k8s with a certificate" => top = workload("k8s", "certificate_path = \"/c\"\n@@"),
            other => match plugin(other, "private_key_path = \"/k\"\ncertificate_path = \"/c\"") {
                Some(text) => attestor = text,
                None => top = at_the_top(other),
            },
        }
        Self(format!(
            "agent {{\ntrust_domain = \"example.org\"\nserver_address = \"s\"\nserver_port = 8081\n{bundle}{block}\n}}\n\
             plugins {{\nKeyManager \"disk\" {{\nplugin_data {{\ndirectory = \"/d\"\n{keys}\n}}\n}}\n{attestor}\n\
             WorkloadAttestor \"unix\" {{\nplugin_data {{\n{unix}\n}}\n}}\n}}\n{top}"
        ))
    }
}

const JOIN_TOKEN: &str = "NodeAttestor \"join_token\" {}";

/// A second block of plugins, which is merged with the first.
fn workload(name: &str, lines: &str) -> String {
    format!("plugins {{\nWorkloadAttestor \"{name}\" {{\nplugin_data {{\n{lines}\n}}\n}}\n}}\n")
}

fn policy(lines: &str) -> String {
    format!("experimental {{\nauth_opa_policy_engine {{\n{lines}\n}}\n}}")
}

/// The place in a block of the `server` or `agent` block.
fn inside(section: &str) -> String {
    let name = section.split_once('.').map_or(section, |(_, name)| name);
    format!("{name} {{\n@@\n}}")
}

/// The place at the top of a file, or in a block there.
fn at_the_top(section: &str) -> String {
    match section {
        "the top of the file" => "@@\n".to_owned(),
        "telemetry.Prometheus" => "telemetry {\nPrometheus {\nport = 1\n@@\n}\n}\n".to_owned(),
        "telemetry.Statsd" | "telemetry.DogStatsd" | "telemetry.M3" => {
            let name = section.rsplit('.').next().unwrap_or_default();
            format!("telemetry {{\n{name} {{\n@@\n}}\n}}\n")
        }
        "telemetry.OTLP" => "telemetry {\nOTLP {\naddress = \"c:4317\"\n@@\n}\n}\n".to_owned(),
        "telemetry.OTLP.tls" => collector("ca_file = \"/ca\""),
        "a collector by its ID" => collector(""),
        "telemetry.Prometheus.tls" => metrics("cert_file = \"/c\"\nkey_file = \"/k\""),
        "metrics by the own SVID" => metrics(""),
        block => format!("{block} {{\n@@\n}}\n"),
    }
}

fn collector(tls: &str) -> String {
    format!("telemetry {{\nOTLP {{\naddress = \"c:4317\"\ntls {{\n{tls}\n@@\n}}\n}}\n}}\n")
}

fn metrics(tls: &str) -> String {
    format!("telemetry {{\nPrometheus {{\nport = 1\ntls {{\n{tls}\n@@\n}}\n}}\n}}\n")
}

/// The place in or around the settings of a node attestor.
fn plugin(place: &str, settings: &str) -> Option<String> {
    let x509pop = |settings: &str| {
        format!("{JOIN_TOKEN_OFF}NodeAttestor \"x509pop\" {{\nplugin_data {{\n{settings}\n@@\n}}\n}}")
    };
    Some(match place {
        "NodeAttestor \"x509pop\" plugin_data" => x509pop(settings),
        "NodeAttestor \"http_challenge\" plugin_data" => {
            format!("{JOIN_TOKEN_OFF}NodeAttestor \"http_challenge\" {{\nplugin_data {{\n@@\n}}\n}}")
        }
        "NodeAttestor \"tpm_devid\" plugin_data" => {
            format!("{JOIN_TOKEN_OFF}NodeAttestor \"tpm_devid\" {{\nplugin_data {{\n@@\n}}\n}}")
        }
        "NodeAttestor \"sshpop\" plugin_data" => {
            // one of the keys that must be there; the agent's half passes over it, with a warning
            let one = "cert_authorities_path = \"/a\"";
            format!("{JOIN_TOKEN_OFF}NodeAttestor \"sshpop\" {{\nplugin_data {{\n{one}\n@@\n}}\n}}")
        }
        "x509pop without authorities" | "x509pop without files" => x509pop(""),
        "x509pop of the trust domain" => x509pop("mode = \"spiffe\""),
        "NodeAttestor \"join_token\"" => "NodeAttestor \"join_token\" {\nplugin_data {}\n@@\n}".to_owned(),
        "a plugin without settings" => "NodeAttestor \"join_token\" {\n@@\n}".to_owned(),
        "a plugin that is off" => "NodeAttestor \"join_token\" {\nenabled = false\n@@\n}".to_owned(),
        "an external plugin that is off" => {
            "NodeAttestor \"join_token\" {\nenabled = false\nplugin_cmd = \"/x\"\n@@\n}".to_owned()
        }
        _ => return None,
    })
}

/// Keeps the keys around a plugin in every file.
const JOIN_TOKEN_OFF: &str = "NodeAttestor \"join_token\" {\nenabled = false\n}\n";
