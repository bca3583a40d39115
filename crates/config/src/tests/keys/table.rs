//! Every key that SPIRE 1.16's files have and that is read here, whether it does something or not.

use super::row::{
    Row, duration, fraction, later, number, plugins, section, switch, text, texts, windows, without_meaning,
};

const TOP: &str = "the top of the file";
const PORT: &[(&str, &str)] = &[
    ("= 65536", "\"65536\" cannot be used: a port is a number from 1 to 65535"),
    ("= -1", "\"-1\" cannot be used: a port is a number from 1 to 65535"),
    ("= 80.5", "must be a whole number, not a number"),
    ("= true", "must be a whole number, not a boolean"),
];
const SHORTEST: &[(&str, &str)] = &[("= \"500ms\"", "\"500ms\" cannot be used: it must be at least 1s")];
const KEY_TYPES: &[(&str, &str)] = &[(
    "= \"ed25519\"",
    "\"ed25519\" cannot be used: it must be one of ec-p256, ec-p384, rsa-2048, rsa-4096",
)];
const LEVELS: &[(&str, &str)] = &[(
    "= \"chatty\"",
    "\"chatty\" cannot be used: log level \"chatty\" is unknown; use panic, fatal, error, warn, info, debug or trace",
)];
const FORMATS: &[(&str, &str)] =
    &[("= \"xml\"", "\"xml\" cannot be used: log format \"xml\" is unknown; use \"text\" or \"json\"")];
const TRUST_DOMAINS: &[(&str, &str)] = &[(
    "= \"Prod Example\"",
    "\"Prod Example\" cannot be used: trust domain characters are limited to lowercase letters, numbers, dots, dashes, \
     and underscores",
)];
const PATHS: &[(&str, &str)] = &[("= \"ready\"", "\"ready\" cannot be used: it must begin with \"/\"")];
const SIZES: &[(&str, &str)] = &[("= -5", "\"-5\" cannot be used: it may not be negative")];
const FLAGS: &[(&str, &str)] =
    &[("= \"wit-svid\"", "must be a list of strings, as in [\"a\", \"b\"], not a string")];
const ISSUERS: &[(&str, &str)] = &[(
    "= \"https://issuer.example\"",
    "\"https://issuer.example\" cannot be used: the issuer https://issuer.example could be taken for one of OpenID \
     Connect; name it without https:// (WIT-SVID §3.7)",
)];
const LIMITS: &[(&str, &str)] =
    &[("= -1", "\"-1\" cannot be used: it must be from 0, for no limit, to 4294967295")];
const CALLS: &str = "agent.experimental.ratelimit";
const AT_LEAST_ONE: &[(&str, &str)] = &[("= 0", "\"0\" cannot be used: it must be greater than 0")];
const ADDRESSES: &[(&str, &str)] = &[("= [\"10.0.0.1\"]", "must be a string in double quotes, not a list")];

const DAEMONS: &[(&str, &str)] =
    &[("= \"localhost\"", "\"localhost\" cannot be used: write a host and a port, as in \"localhost:8125\"")];

const SHARES: &[(&str, &str)] =
    &[("= 1.5", "\"1.5\" cannot be used: write a number from 0, for no trace, to 1, for all traces")];
const INTERVALS: &[(&str, &str)] = &[("= \"10ms\"", "\"10ms\" cannot be used: it must be at least 100ms")];

const SECONDS: &[(&str, &str)] =
    &[("= -1", "\"-1\" cannot be used: it is a number of seconds and may not be negative")];
const PROFILING: &str = "profiling is off";
const POLLS: &str = "changes are pushed from an ordered log; nothing is reloaded on a timer";
const QUANTUM: &str = "refuse TLS without a post-quantum key exchange";
const SQLITE: &str = "with an SQLite database, which is a file of this process";

const STORE: &str = "DataStore \"sql\" plugin_data";
const SERVER_KEYS: &str = "KeyManager \"disk\" plugin_data";
const POP: &str = "NodeAttestor \"x509pop\" plugin_data";
const HTTP: &str = "NodeAttestor \"http_challenge\" plugin_data";
const SSH: &str = "NodeAttestor \"sshpop\" plugin_data";
const TPM: &str = "NodeAttestor \"tpm_devid\" plugin_data";
const TPM_KEYS: &str = "KeyManager \"tpm\" plugin_data";
const AGENT_NAMES: &[(&str, &str)] = &[(
    "= \"1-a\"",
    "\"1-a\" cannot be used: it must be a letter, then letters, digits and dashes, 32 in all at most",
)];
const PLUGIN: &str = "NodeAttestor \"join_token\"";
const PROMETHEUS: &str = "telemetry.Prometheus";
const METRICS_TLS: &str = "telemetry.Prometheus.tls";
const OTLP: &str = "telemetry.OTLP";
const OTLP_TLS: &str = "telemetry.OTLP.tls";
const EXPERIMENTAL: &str = "server.experimental";
const K8S: &str = "WorkloadAttestor \"k8s\" plugin_data";
const DOCKER: &str = "WorkloadAttestor \"docker\" plugin_data";
const AGENT_EXPERIMENTAL: &str = "agent.experimental";
const SDS: &str = "agent.sds";

pub(super) const SERVER: &[Row] = &[
    section(TOP, "server"),
    plugins(TOP, "plugins"),
    section(TOP, "telemetry"),
    section(TOP, "health_checks"),
    texts("server", "admin_ids", "= [\"spiffe://example.org/admin\"]"),
    duration("server", "agent_ttl", "= \"2h\"").bad(SHORTEST),
    switch("server", "audit_log_enabled"),
    text("server", "bind_address", "= \"::1\"").bad(ADDRESSES),
    number("server", "bind_port", "= 8082").bad(PORT),
    text("server", "ca_key_type", "= \"ec-p384\"").bad(KEY_TYPES),
    section("server", "ca_subject"),
    duration("server", "ca_ttl", "= \"48h\"").bad(SHORTEST),
    text("server", "data_dir", "= \"/data\""),
    duration("server", "default_x509_svid_ttl", "= \"2h\"").bad(SHORTEST),
    duration("server", "default_jwt_svid_ttl", "= \"2m\"").bad(SHORTEST),
    switch("server", "disable_jwt_svids"),
    section("server", "experimental"),
    section("server", "federation"),
    text("server", "jwt_issuer", "= \"https://issuer.example.org\""),
    text("server", "jwt_key_type", "= \"rsa-2048\"").bad(KEY_TYPES),
    text("server", "log_file", "= \"/log\""),
    text("server", "log_level", "= \"WARN\"").bad(LEVELS),
    text("server", "log_format", "= \"json\"").bad(FORMATS),
    switch("server", "log_source_location"),
    later_idle("max_attested_node_info_staleness"),
    switch("server", "profiling_enabled"),
    number("server", "profiling_port", "= 6060").idle(PROFILING).bad(PORT),
    number("server", "profiling_freq", "= 60").idle(PROFILING).bad(SECONDS),
    texts("server", "profiling_names", "= [\"cpu\"]").idle(PROFILING),
    texts("server", "proxy_protocol_trusted_cidrs", "= [\"10.0.0.0/8\"]"),
    duration("server", "prune_attested_nodes_expired_for", "= \"720h\""),
    number("server", "prune_attested_nodes_batch_size", "= 10"),
    switch("server", "prune_tofu_nodes"),
    section("server", "ratelimit"),
    text("server", "socket_path", "= \"/s.sock\""),
    text("server", "trust_domain", "= \"other.example\"").bad(TRUST_DOMAINS),
    texts("server.ca_subject", "country", "= [\"NZ\"]"),
    texts("server.ca_subject", "organization", "= [\"O\"]"),
    text("server.ca_subject", "common_name", "= \"root\""),
    switch("server.ratelimit", "attestation"),
    switch("server.ratelimit", "signing"),
    switch(EXPERIMENTAL, "agent_spiffe_id_as_selector"),
    section(EXPERIMENTAL, "auth_opa_policy_engine"),
    section("server.experimental.auth_opa_policy_engine", "local"),
    text("server.experimental.auth_opa_policy_engine.local", "rego_path", "= \"/policy.rego\"")
        .in_template("a policy without its file"),
    text("server.experimental.auth_opa_policy_engine.local", "policy_data_path", "= \"/policy.json\""),
    duration(EXPERIMENTAL, "cache_reload_interval", "= \"5s\"").idle(POLLS),
    duration(EXPERIMENTAL, "full_cache_reload_interval", "= \"24h\"").idle(POLLS),
    switch(EXPERIMENTAL, "events_based_cache").idle(POLLS),
    duration(EXPERIMENTAL, "prune_events_older_than", "= \"12h\"").idle(POLLS),
    duration(EXPERIMENTAL, "event_timeout", "= \"15m\"").idle(POLLS),
    duration(EXPERIMENTAL, "sql_transaction_timeout", "= \"15m\"").idle(POLLS),
    later(EXPERIMENTAL, "require_pq_kem", "= true", QUANTUM),
    text(EXPERIMENTAL, "wit_key_type", "= \"rsa-2048\"").bad(KEY_TYPES),
    text(EXPERIMENTAL, "wit_issuer", "= \"spiffe://prod.example\"").bad(ISSUERS),
    texts(EXPERIMENTAL, "feature_flags", "= []").bad(FLAGS),
    windows(EXPERIMENTAL, "named_pipe_name", "socket_path"),
    later("server.federation", "bundle_endpoint", "{}", "serve the bundle to other trust domains"),
    later(
        "server.federation",
        "federates_with",
        "\"a\" {}",
        "fetch and keep the bundle of another trust domain",
    ),
    text(STORE, "database_type", "= \"sqlite3\"")
        .bad(&[("= \"oracle\"", "\"oracle\" cannot be used: it must be \"sqlite3\"")]),
    text(STORE, "connection_string", "= \"db\""),
    number(STORE, "max_open_conns", "= 5")
        .bad(&[("= -1", "\"-1\" cannot be used: it must be 0 (no limit) or more")]),
    switch(STORE, "disable_migration"),
    later(STORE, "log_sql", "= true", "log every query"),
    without_meaning(STORE, "ro_connection_string", SQLITE),
    without_meaning(STORE, "root_ca_path", SQLITE),
    without_meaning(STORE, "client_cert_path", SQLITE),
    without_meaning(STORE, "client_key_path", SQLITE),
    without_meaning(STORE, "max_idle_conns", SQLITE),
    without_meaning(STORE, "conn_max_lifetime", SQLITE),
    text(SERVER_KEYS, "keys_path", "= \"/k\""),
    text(POP, "mode", "= \"external_pki\"")
        .bad(&[("= \"web\"", "\"web\" cannot be used: it must be \"external_pki\" or \"spiffe\"")]),
    text(POP, "ca_bundle_path", "= \"/ca\"").in_template("x509pop without authorities"),
    texts(POP, "ca_bundle_paths", "= [\"/ca\"]").in_template("x509pop without authorities"),
    text(POP, "spiffe_prefix", "= \"/p/\"").in_template("x509pop of the trust domain"),
    text(POP, "agent_path_template", "= \"/{{ .Fingerprint }}\""),
    number(POP, "max_intermediates", "= 1").bad(AT_LEAST_ONE),
    number(POP, "max_rsa_key_size", "= 4096").bad(AT_LEAST_ONE),
    switch(POP, "verify_client_ip"),
    texts(HTTP, "allowed_dns_patterns", "= [\"^a$\"]"),
    number(HTTP, "required_port", "= 80").bad(PORT),
    switch(HTTP, "allow_non_root_ports"),
    switch(HTTP, "tofu"),
    text(TPM, "devid_ca_path", "= \"/ca\""),
    text(TPM, "endorsement_ca_path", "= \"/ca\""),
    switch(TPM, "require_agent_key_in_tpm"),
    texts(SSH, "cert_authorities", "= [\"ssh-ed25519 AAAA\"]"),
    text(SSH, "cert_authorities_path", "= \"/ca\""),
    text(SSH, "canonical_domain", "= \"example.org\""),
    text(SSH, "agent_path_template", "= \"/{{ .Hostname }}\""),
    switch(PLUGIN, "enabled"),
    text(PLUGIN, "plugin_cmd", "= \"/bin/x\"").in_template("a plugin that is off"),
    texts(PLUGIN, "plugin_args", "= [\"a\"]").in_template("an external plugin that is off"),
    text(PLUGIN, "plugin_checksum", "= \"aa\"").in_template("an external plugin that is off"),
    section(PLUGIN, "plugin_data"),
    text(PLUGIN, "plugin_data_file", "= \"/dev/null\"").in_template("a plugin without settings"),
    section("telemetry", "Prometheus"),
    text(PROMETHEUS, "host", "= \"::1\"").bad(ADDRESSES),
    number(PROMETHEUS, "port", "= 9988").bad(PORT),
    section(PROMETHEUS, "tls"),
    text(METRICS_TLS, "cert_file", "= \"/c\""),
    text(METRICS_TLS, "key_file", "= \"/k\""),
    text(METRICS_TLS, "client_ca_file", "= \"/ca\""),
    switch(METRICS_TLS, "use_spire_svid").in_template("metrics by the own SVID"),
    texts(METRICS_TLS, "authorized_spiffe_ids", "= [\"spiffe://example.org/metrics\"]"),
    section("telemetry", "DogStatsd"),
    text("telemetry.DogStatsd", "address", "= \"localhost:8125\"").bad(DAEMONS),
    section("telemetry", "Statsd"),
    text("telemetry.Statsd", "address", "= \"localhost:8125\"").bad(DAEMONS),
    section("telemetry", "M3"),
    text("telemetry.M3", "address", "= \"localhost:9052\"").bad(DAEMONS),
    text("telemetry.M3", "env", "= \"prod\""),
    section("telemetry", "OTLP"),
    text(OTLP, "address", "= \"localhost:4317\"").bad(DAEMONS),
    switch(OTLP, "traces"),
    switch(OTLP, "metrics"),
    fraction(OTLP, "sample_ratio", "= \"0.25\"").bad(SHARES),
    duration(OTLP, "metrics_interval", "= \"30s\"").bad(INTERVALS),
    section(OTLP, "tls"),
    text(OTLP_TLS, "ca_file", "= \"/ca\""),
    switch(OTLP_TLS, "use_spire_svid"),
    texts(OTLP_TLS, "authorized_spiffe_ids", "= [\"spiffe://example.org/collector\"]")
        .in_template("a collector by its ID"),
    section("telemetry", "InMem"),
    text("telemetry", "MetricPrefix", "= \"x\""),
    switch("telemetry", "EnableTrustDomainLabel"),
    switch("telemetry", "EnableHostnameLabel"),
    texts("telemetry", "AllowedPrefixes", "= [\"a\"]"),
    texts("telemetry", "BlockedPrefixes", "= [\"a\"]"),
    texts("telemetry", "AllowedLabels", "= [\"a\"]"),
    texts("telemetry", "BlockedLabels", "= [\"a\"]"),
    switch("health_checks", "listener_enabled"),
    text("health_checks", "bind_address", "= \"localhost\"").bad(ADDRESSES),
    number("health_checks", "bind_port", "= \"8080\"").bad(PORT),
    text("health_checks", "ready_path", "= \"/ready\"").bad(PATHS),
    text("health_checks", "live_path", "= \"/live\"").bad(PATHS),
];

pub(super) const AGENT: &[Row] = &[
    section(TOP, "agent"),
    plugins(TOP, "plugins"),
    section(TOP, "telemetry"),
    section(TOP, "health_checks"),
    later(
        "agent",
        "admin_socket_path",
        "= \"/a.sock\"",
        "serve the debug, logger and delegated identity APIs on a socket of their own",
    ),
    switch("agent", "allow_unauthenticated_verifiers"),
    texts("agent", "allowed_foreign_jwt_claims", "= [\"scope\"]"),
    later(
        "agent",
        "authorized_delegates",
        "= [\"spiffe://example.org/d\"]",
        "let these identities fetch SVIDs for other workloads",
    ),
    duration("agent", "availability_target", "= \"24h\"")
        .bad(&[("= \"23h\"", "\"23h0m0s\" cannot be used: it must be at least 24h")]),
    text("agent", "data_dir", "= \"/data\""),
    switch("agent", "disable_sds_api"),
    switch("agent", "disable_workload_api"),
    section("agent", "experimental"),
    switch("agent", "insecure_bootstrap").in_template("an agent without a bundle"),
    text("agent", "join_token", "= \"t\""),
    text("agent", "join_token_file", "= \"/proc/sys/kernel/ostype\"")
        .bad(&[("= \"/none\"", "names /none, which cannot be read: No such file or directory (os error 2)")]),
    text("agent", "log_file", "= \"/log\""),
    text("agent", "log_level", "= \"WARN\"").bad(LEVELS),
    text("agent", "log_format", "= \"json\"").bad(FORMATS),
    switch("agent", "log_source_location"),
    texts("agent", "log_selectors", "= [\"unix:uid\"]"),
    switch("agent", "profiling_enabled"),
    number("agent", "profiling_port", "= 6060").idle(PROFILING).bad(PORT),
    number("agent", "profiling_freq", "= 60").idle(PROFILING).bad(SECONDS),
    texts("agent", "profiling_names", "= [\"cpu\"]").idle(PROFILING),
    text("agent", "rebootstrap_mode", "= \"never\"").bad(&[
        ("= \"once\"", "\"once\" cannot be used: it must be \"never\" (or, later, \"auto\" or \"always\")"),
        (
            "= \"auto\"",
            "\"auto\" is not supported yet: it would bootstrap again when the server's authority is unknown; remove it \
             to go on without",
        ),
    ]),
    text("agent", "rebootstrap_delay", "= \"10m\"")
        .idle("rebootstrap_mode is \"never\"")
        .bad(&[("= \"soon\"", "\"soon\": not a duration; write numbers with units, as in \"1h30m\", \"90s\" or \"500ms\"")]),
    section("agent", "sds"),
    text(SDS, "default_svid_name", "= \"own\""),
    text(SDS, "default_bundle_name", "= \"roots\""),
    text(SDS, "default_all_bundles_name", "= \"all-roots\""),
    switch(SDS, "disable_spiffe_cert_validation"),
    text("agent", "server_address", "= \"server.example.org\""),
    number("agent", "server_port", "= \"8081\"").bad(PORT),
    text("agent", "socket_path", "= \"/a.sock\""),
    text("agent", "trust_bundle_path", "= \"/b\"").in_template("an agent without a bundle"),
    text("agent", "trust_bundle_url", "= \"https://b.example.org\"")
        .in_template("an agent without a bundle")
        .bad(&[("= \"http://b.example.org\"", "\"http://b.example.org\" cannot be used: it must begin with https://")]),
    text("agent", "trust_bundle_unix_socket", "= \"/b.sock\"").in_template("an agent with a bundle over a socket"),
    text("agent", "trust_bundle_format", "= \"spiffe\"")
        .bad(&[("= \"der\"", "\"der\" cannot be used: it must be \"pem\" or \"spiffe\"")]),
    later(
        "agent",
        "trust_bundle_spiffe_workload_api",
        "= \"unix:///x\"",
        "fetch the bundle from another Workload API",
    )
    .in_template("an agent without a bundle"),
    text("agent", "trust_domain", "= \"other.example\"").bad(TRUST_DOMAINS),
    text("agent", "workload_x509_svid_key_type", "= \"rsa-2048\"").bad(&[(
        "= \"rsa-4096\"",
        "\"rsa-4096\" cannot be used: it must be one of ec-p256, ec-p384, rsa-2048",
    )]),
    number("agent", "x509_svid_cache_max_size", "= 10").bad(SIZES),
    number("agent", "jwt_svid_cache_max_size", "= 10").bad(SIZES),
    duration(AGENT_EXPERIMENTAL, "sync_interval", "= \"5s\"")
        .bad(&[("= \"0s\"", "\"0s\" cannot be used: it must be more than 0s")]),
    duration(AGENT_EXPERIMENTAL, "jwt_svid_cache_hit_timeout", "= \"10s\"").bad(&[
        ("= \"4s\"", "\"4s\" cannot be used: it must be at least 5s and less than 30s"),
        ("= \"30s\"", "\"30s\" cannot be used: it must be at least 5s and less than 30s"),
    ]),
    switch(AGENT_EXPERIMENTAL, "use_sync_authorized_entries").idle("entries are always asked for as differences"),
    later(AGENT_EXPERIMENTAL, "require_pq_kem", "= true", QUANTUM),
    section(AGENT_EXPERIMENTAL, "ratelimit"),
    number(CALLS, "fetch_x509_svid", "= 20").bad(LIMITS),
    number(CALLS, "fetch_jwt_svid", "= 20").bad(LIMITS),
    number(CALLS, "fetch_x509_bundles", "= 20").bad(LIMITS),
    number(CALLS, "fetch_jwt_bundles", "= 20").bad(LIMITS),
    number(CALLS, "stream_secrets", "= 20").bad(LIMITS),
    number(CALLS, "fetch_secrets", "= 20").bad(LIMITS),
    number(CALLS, "validate_jwt_svid", "= 20").bad(LIMITS),
    number(CALLS, "fetch_wit_svid", "= 20").bad(LIMITS),
    number(CALLS, "fetch_wit_bundles", "= 0").bad(LIMITS),
    later(AGENT_EXPERIMENTAL, "broker", "{}", "serve the SPIFFE Broker API"),
    windows(AGENT_EXPERIMENTAL, "named_pipe_name", "socket_path"),
    windows(AGENT_EXPERIMENTAL, "admin_named_pipe_name", "admin_socket_path"),
    texts(AGENT_EXPERIMENTAL, "feature_flags", "= []").bad(FLAGS),
    text(SERVER_KEYS, "directory", "= \"/k\""),
    text(POP, "private_key_path", "= \"/k\""),
    text(POP, "certificate_path", "= \"/c\""),
    text(POP, "intermediates_path", "= \"/i\""),
    text(POP, "spiffe_endpoint_socket", "= \"unix:///x\"").in_template("x509pop without files"),
    text(HTTP, "hostname", "= \"node\""),
    text(HTTP, "agentname", "= \"second\"").bad(AGENT_NAMES),
    number(HTTP, "port", "= 80").bad(PORT),
    number(HTTP, "advertised_port", "= 80").bad(PORT),
    text(TPM_KEYS, "tpm_device_path", "= \"/dev/tpmrm0\""),
    text(TPM_KEYS, "directory", "= \"/d\""),
    text(TPM_KEYS, "owner_hierarchy_password", "= \"a\""),
    text(TPM, "tpm_device_path", "= \"/dev/tpmrm0\""),
    text(TPM, "devid_cert_path", "= \"/c\""),
    text(TPM, "devid_priv_path", "= \"/k\""),
    text(TPM, "devid_pub_path", "= \"/p\""),
    text(TPM, "devid_password", "= \"a\""),
    text(TPM, "owner_hierarchy_password", "= \"b\""),
    text(TPM, "endorsement_hierarchy_password", "= \"c\""),
    text(SSH, "host_key_path", "= \"/k\""),
    text(SSH, "host_cert_path", "= \"/c\""),
    switch("WorkloadAttestor \"unix\" plugin_data", "discover_workload_path"),
    number("WorkloadAttestor \"unix\" plugin_data", "workload_size_limit", "= -1"),
    switch("WorkloadAttestor \"unix\" plugin_data", "discover_parent_path"),
    switch("WorkloadAttestor \"unix\" plugin_data", "discover_ancestor_paths"),
    switch("WorkloadAttestor \"unix\" plugin_data", "discover_cgroup"),
    switch("WorkloadAttestor \"unix\" plugin_data", "discover_label"),
    text(DOCKER, "docker_socket_path", "= \"unix:///d.sock\""),
    text(DOCKER, "docker_version", "= \"1.41\""),
    text(DOCKER, "podman_socket_path", "= \"unix:///p.sock\""),
    text(DOCKER, "podman_socket_path_template", "= \"unix:///%d/p.sock\""),
    texts(DOCKER, "container_id_cgroup_matchers", "= [\"/docker/<id>\"]").in_template("docker with patterns"),
    switch(DOCKER, "use_new_container_locator"),
    switch(DOCKER, "verbose_container_locator_logs"),
    windows(DOCKER, "docker_host", "docker_socket_path"),
    later(DOCKER, "sigstore", "{}", "verify the signatures of images"),
    number(K8S, "kubelet_read_only_port", "= 10255").bad(PORT),
    number(K8S, "kubelet_secure_port", "= 10250").bad(PORT),
    later(K8S, "disable_kubelet_client", "= true", "attest by references of the Broker API alone"),
    number(K8S, "max_poll_attempts", "= 3"),
    duration(K8S, "poll_retry_interval", "= \"1s\""),
    text(K8S, "kubelet_ca_path", "= \"/ca\""),
    switch(K8S, "skip_kubelet_verification"),
    text(K8S, "token_path", "= \"/t\""),
    text(K8S, "certificate_path", "= \"/c\"").in_template("k8s with a key"),
    text(K8S, "private_key_path", "= \"/k\"").in_template("k8s with a certificate"),
    switch(K8S, "use_anonymous_authentication"),
    text(K8S, "node_name_env", "= \"NODE\""),
    text(K8S, "node_name", "= \"node1\""),
    duration(K8S, "reload_interval", "= \"1m\""),
    switch(K8S, "disable_container_selectors"),
    later(K8S, "use_new_container_locator", "= false", "find containers by SPIRE's older patterns"),
    switch(K8S, "verbose_container_locator_logs"),
    later(K8S, "enable_namespace_labels", "= true", "fetch the labels of namespaces from the API server"),
    later(K8S, "sigstore", "{}", "verify the signatures of images"),
    later(K8S, "experimental", "{}", "ask the API server, and judge brokers by it"),
    texts(K8S, "pod_annotations", "= [\"team\"]"),
];

const fn later_idle(key: &'static str) -> Row {
    duration("server", key, "= \"1m\"")
        .idle("the server knows its agents from a snapshot in memory that is always current")
}
