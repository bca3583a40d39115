//! How the agent tells workloads apart.

use std::path::PathBuf;
use std::time::Duration;

use kit::hcl::Value;

use super::super::block::{Block, Unknown};
use super::super::check;
use super::super::external::External;
use super::super::given::Given;
use super::super::plugin::Plugin;
use super::super::problem::Problem;

/// How the agent tells workloads apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkloadAttestor {
    /// By the process: user, groups, executable.
    Unix(Unix),
    /// By the container of Docker or Podman.
    Docker(Docker),
    /// By the pod of Kubernetes.
    K8s(K8s),
    /// By the unit of systemd.
    Systemd,
    /// By the job of Slurm.
    Slurm,
    /// By a program.
    External(External),
}

/// What is looked at of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unix {
    /// Whether the executable's path and hash are selectors.
    pub discover_workload_path: bool,
    /// The largest executable that is hashed, in bytes; 0 is any, below 0 is none.
    pub workload_size_limit: i64,
    /// Whether the parent's executable is a selector. Not in SPIRE.
    pub discover_parent_path: bool,
    /// Whether the executables of all ancestors are selectors. Not in SPIRE.
    pub discover_ancestor_paths: bool,
    /// Whether the control groups are selectors. Not in SPIRE.
    pub discover_cgroup: bool,
    /// Whether the label of SELinux or AppArmor is a selector. Not in SPIRE.
    pub discover_label: bool,
}

/// Which container engines are asked, and how containers are found. The attestor knows which forms the texts take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Docker {
    /// Where Docker listens.
    pub docker_socket_path: String,
    /// The version of Docker's API; without it, the engine's newest.
    pub docker_version: Option<String>,
    /// Where Podman listens for root.
    pub podman_socket_path: String,
    /// Where Podman listens for users; `%d` stands for the user's id.
    pub podman_socket_path_template: String,
    /// Patterns of control group paths to find containers by; none means by the convention of all engines.
    pub container_id_cgroup_matchers: Vec<String>,
    /// Whether to log what containers are looked for in.
    pub verbose_container_locator_logs: bool,
}

/// How the kubelet is asked, and what of its answer counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct K8s {
    /// The kubelet's port.
    pub port: u16,
    /// Whether it is the read-only port, without TLS; nothing of the next five counts then.
    pub read_only: bool,
    /// The authorities of the kubelet's certificate, PEM; none takes any certificate.
    pub kubelet_ca_path: Option<PathBuf>,
    /// Who asks.
    pub credentials: KubeletCredentials,
    /// The node's name, if it is set.
    pub node_name: Option<String>,
    /// The variable of the environment that holds the node's name otherwise.
    pub node_name_env: String,
    /// How often certificates and token are read again.
    pub reload_interval: Duration,
    /// How often the list of pods is asked for until a container is in it.
    pub max_poll_attempts: u32,
    /// How long is waited in between.
    pub poll_retry_interval: Duration,
    /// Whether a pod whose container is not listed yet is good enough.
    pub disable_container_selectors: bool,
    /// Whether to log what containers are looked for in.
    pub verbose_container_locator_logs: bool,
    /// The annotations of pods that are selectors. Not in SPIRE.
    pub pod_annotations: Vec<String>,
}

/// Who asks the kubelet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KubeletCredentials {
    /// Nobody.
    Anonymous,
    /// Whom the token in this file names.
    Token(PathBuf),
    /// Whom a certificate names.
    Certificate {
        /// The certificate, PEM.
        certificate_path: PathBuf,
        /// Its key, PEM.
        private_key_path: PathBuf,
    },
}

pub(super) fn unix(plugin: &Plugin<'_>) -> Unix {
    let block = plugin.data();
    let on = |key| block.switch(key).is_some_and(|given| given.value);
    let unix = Unix {
        discover_workload_path: on("discover_workload_path"),
        workload_size_limit: block.number("workload_size_limit").map_or(0, |given| given.value),
        discover_parent_path: on("discover_parent_path"),
        discover_ancestor_paths: on("discover_ancestor_paths"),
        discover_cgroup: on("discover_cgroup"),
        discover_label: on("discover_label"),
    };
    block.finish(Unknown::Warn);
    unix
}

pub(super) fn docker(plugin: &Plugin<'_>) -> Docker {
    let block = plugin.data();
    let text = |key, default: &str| block.text(key).map_or_else(|| default.to_owned(), |given| given.value);
    let matchers = block.texts("container_id_cgroup_matchers");
    let new_locator = block.switch("use_new_container_locator").is_none_or(|given| given.value);
    if let Some(Given { value, place }) = matchers.first().filter(|_| new_locator) {
        let why =
            "patterns are for use_new_container_locator = false; without them containers are found by the \
                   convention that all engines keep"
                .to_owned();
        let key = "container_id_cgroup_matchers".to_owned();
        block.mistake(place.clone(), Problem::BadValue { key, value: value.clone(), why });
    }
    block.not_yet("sigstore", "verify the signatures of images");
    block.other_platform("docker_host", "docker_socket_path");
    let docker = Docker {
        docker_socket_path: text("docker_socket_path", "unix:///var/run/docker.sock"),
        docker_version: block.text("docker_version").map(|given| given.value),
        podman_socket_path: text("podman_socket_path", "unix:///run/podman/podman.sock"),
        podman_socket_path_template: text(
            "podman_socket_path_template",
            "unix:///run/user/%d/podman/podman.sock",
        ),
        container_id_cgroup_matchers: matchers.into_iter().map(|given| given.value).collect(),
        verbose_container_locator_logs: block
            .switch("verbose_container_locator_logs")
            .is_some_and(|given| given.value),
    };
    block.finish(Unknown::Warn);
    docker
}

/// Where a pod finds the authorities of its cluster, and its token.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

pub(super) fn k8s(plugin: &Plugin<'_>) -> Option<K8s> {
    let block = plugin.data();
    let on = |key| block.switch(key).is_some_and(|given| given.value);
    let (read_only, secure) = (port(&block, "kubelet_read_only_port"), port(&block, "kubelet_secure_port"));
    if let (Some(Given { value, place }), Some(_)) = (&read_only, &secure) {
        let why = "kubelet_secure_port is set, too; there is one kubelet: remove one of them".to_owned();
        let key = "kubelet_read_only_port".to_owned();
        block.mistake(place.clone(), Problem::BadValue { key, value: value.to_string(), why });
    }
    let path = |key| block.text(key).map(|given| PathBuf::from(given.value));
    let ca = path("kubelet_ca_path").unwrap_or_else(|| format!("{SERVICE_ACCOUNT}/ca.crt").into());
    let kubelet_ca_path = (!on("skip_kubelet_verification")).then_some(ca);
    let credentials = kubelet_credentials(&block);
    let attempts = block.number("max_poll_attempts").map_or(0, |given| given.value);
    let lasting = |key, default: Duration| {
        block.duration(key).map(|given| given.value).filter(|it| !it.is_zero()).unwrap_or(default)
    };
    let poll_retry_interval = lasting("poll_retry_interval", Duration::from_millis(500));
    let reload_interval = lasting("reload_interval", Duration::from_secs(60));
    let node_name = block.text("node_name").map(|given| given.value);
    let node_name_env =
        block.text("node_name_env").map_or_else(|| "MY_NODE_NAME".to_owned(), |given| given.value);
    let (disable_container_selectors, verbose_container_locator_logs) =
        (on("disable_container_selectors"), on("verbose_container_locator_logs"));
    let pod_annotations = block.texts("pod_annotations").into_iter().map(|given| given.value).collect();
    let no = |value: &Value| *value == Value::Bool(false);
    block.not_yet_unless("disable_kubelet_client", "attest by references of the Broker API alone", no);
    let yes = |value: &Value| *value == Value::Bool(true);
    block.not_yet_unless("use_new_container_locator", "find containers by SPIRE's older patterns", yes);
    block.not_yet_unless("enable_namespace_labels", "fetch the labels of namespaces from the API server", no);
    block.not_yet("sigstore", "verify the signatures of images");
    block.not_yet("experimental", "ask the API server, and judge brokers by it");
    block.finish(Unknown::Warn);
    Some(K8s {
        port: read_only.as_ref().or(secure.as_ref()).map_or(10250, |given| given.value),
        read_only: read_only.is_some(),
        kubelet_ca_path,
        credentials: credentials?,
        node_name,
        node_name_env,
        reload_interval,
        max_poll_attempts: u32::try_from(attempts).ok().filter(|attempts| *attempts > 0).unwrap_or(60),
        poll_retry_interval,
        disable_container_selectors,
        verbose_container_locator_logs,
        pod_annotations,
    })
}

/// A port; zero is as good as none.
fn port(block: &Block<'_>, key: &'static str) -> Option<Given<u16>> {
    let given = block.number(key).filter(|given| given.value != 0)?;
    let place = given.place.clone();
    check::port(block, key, given).map(|value| Given { value, place })
}

fn kubelet_credentials(block: &Block<'_>) -> Option<KubeletCredentials> {
    let anonymous = block.switch("use_anonymous_authentication").is_some_and(|given| given.value);
    let token = block.text("token_path").map(|given| given.value);
    let (certificate, key) = (block.text("certificate_path"), block.text("private_key_path"));
    match (certificate, key) {
        _ if anonymous => Some(KubeletCredentials::Anonymous),
        (Some(certificate), Some(key)) => Some(KubeletCredentials::Certificate {
            certificate_path: certificate.value.into(),
            private_key_path: key.value.into(),
        }),
        (Some(Given { place, .. }), None) => {
            block.mistake(
                place,
                Problem::Needs { key: "certificate_path".to_owned(), needs: "private_key_path" },
            );
            None
        }
        (None, Some(Given { place, .. })) => {
            block.mistake(
                place,
                Problem::Needs { key: "private_key_path".to_owned(), needs: "certificate_path" },
            );
            None
        }
        (None, None) => Some(KubeletCredentials::Token(
            token.unwrap_or_else(|| format!("{SERVICE_ACCOUNT}/token")).into(),
        )),
    }
}
