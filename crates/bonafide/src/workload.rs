//! The agent's workload attestors, by their settings.

use std::path::PathBuf;
use std::sync::Arc;

use config::agent::{KubeletCredentials, WorkloadAttestor};
use model::ports;
use plugins_local::unix;
use plugins_workload::container::Matchers;
use plugins_workload::docker::{self, Address, Template};
use plugins_workload::k8s::{self, Credentials, Kubelet, Transport};
use plugins_workload::slurm::Slurm;
use plugins_workload::systemd::Systemd;

use crate::start::Failure;

/// The attestor that is asked for, unless it is a program. Fails where a text has not the form that the attestor wants;
/// reaches for nothing.
pub(crate) fn attestor(
    settings: &WorkloadAttestor,
) -> Result<Option<Arc<dyn ports::WorkloadAttestor>>, Failure> {
    Ok(Some(match settings {
        WorkloadAttestor::Unix(unix) => Arc::new(unix::Unix::new(unix::Settings {
            discover_workload_path: unix.discover_workload_path,
            workload_size_limit: unix.workload_size_limit,
            discover_parent_path: unix.discover_parent_path,
            discover_ancestor_paths: unix.discover_ancestor_paths,
            discover_cgroup: unix.discover_cgroup,
            discover_label: unix.discover_label,
            proc: proc_folder(),
        })),
        WorkloadAttestor::Docker(docker) => Arc::new(docker::Docker::new(of_docker(docker)?)),
        WorkloadAttestor::K8s(k8s) => Arc::new(k8s::K8s::new(of_k8s(k8s))),
        WorkloadAttestor::Systemd => Arc::new(Systemd::default()),
        WorkloadAttestor::Slurm => Arc::new(Slurm::new(proc_folder())),
        WorkloadAttestor::External(_) => return Ok(None),
    }))
}

/// The name of an attestor that is built in.
pub(crate) fn name(settings: &WorkloadAttestor) -> Option<&'static str> {
    match settings {
        WorkloadAttestor::Unix(_) => Some("unix"),
        WorkloadAttestor::Docker(_) => Some("docker"),
        WorkloadAttestor::K8s(_) => Some("k8s"),
        WorkloadAttestor::Systemd => Some("systemd"),
        WorkloadAttestor::Slurm => Some("slurm"),
        WorkloadAttestor::External(_) => None,
    }
}

fn of_docker(given: &config::agent::Docker) -> Result<docker::Settings, Failure> {
    fn wrong(key: &'static str) -> impl Fn(&dyn std::fmt::Display) -> String {
        move |why| format!("WorkloadAttestor \"docker\": {key}: {why}")
    }
    let address = |key, text: &str| Address::parse(text).map_err(|why| wrong(key)(&why));
    let matchers = &given.container_id_cgroup_matchers;
    let matchers = (!matchers.is_empty()).then(|| Matchers::new(matchers)).transpose();
    let template = Template::parse(&given.podman_socket_path_template);
    Ok(docker::Settings {
        docker_socket_path: address("docker_socket_path", &given.docker_socket_path)?,
        docker_version: given.docker_version.clone(),
        podman_socket_path: address("podman_socket_path", &given.podman_socket_path)?,
        podman_socket_path_template: template.map_err(|why| wrong("podman_socket_path_template")(&why))?,
        container_id_cgroup_matchers: matchers.map_err(|why| wrong("container_id_cgroup_matchers")(&why))?,
        verbose_container_locator_logs: given.verbose_container_locator_logs,
        proc: proc_folder(),
    })
}

fn of_k8s(given: &config::agent::K8s) -> k8s::Settings {
    let credentials = match &given.credentials {
        KubeletCredentials::Anonymous => Credentials::Anonymous,
        KubeletCredentials::Token(path) => Credentials::Token(path.clone()),
        KubeletCredentials::Certificate { certificate_path, private_key_path } => Credentials::Certificate {
            certificate_path: certificate_path.clone(),
            private_key_path: private_key_path.clone(),
        },
    };
    let of_environment = || std::env::var(&given.node_name_env).ok().filter(|name| !name.is_empty());
    let transport = match given.read_only {
        true => Transport::Plain,
        false => Transport::Tls {
            node_name: given.node_name.clone().or_else(of_environment),
            ca_path: given.kubelet_ca_path.clone(),
            credentials,
            reload_interval: given.reload_interval,
        },
    };
    k8s::Settings {
        kubelet: Kubelet { port: given.port, transport },
        max_poll_attempts: given.max_poll_attempts,
        poll_retry_interval: given.poll_retry_interval,
        disable_container_selectors: given.disable_container_selectors,
        verbose_container_locator_logs: given.verbose_container_locator_logs,
        pod_annotations: given.pod_annotations.clone(),
        proc: proc_folder(),
    }
}

/// Where the process file system is mounted: SPIRE's agent asks this variable too.
fn proc_folder() -> PathBuf {
    std::env::var_os("HOST_PROC").filter(|it| !it.is_empty()).map_or_else(|| "/proc".into(), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn docker() -> config::agent::Docker {
        config::agent::Docker {
            docker_socket_path: "unix:///var/run/docker.sock".to_owned(),
            docker_version: None,
            podman_socket_path: "unix:///run/podman/podman.sock".to_owned(),
            podman_socket_path_template: "unix:///run/user/%d/podman/podman.sock".to_owned(),
            container_id_cgroup_matchers: Vec::new(),
            verbose_container_locator_logs: false,
        }
    }

    #[test]
    fn the_default_settings_of_docker_have_the_right_form() {
        assert!(attestor(&WorkloadAttestor::Docker(docker())).unwrap().is_some());
    }

    #[test]
    fn a_text_of_the_wrong_form_is_refused_with_its_key() {
        let wrong = [
            (
                "docker_socket_path",
                config::agent::Docker { docker_socket_path: "/run".to_owned(), ..docker() },
            ),
            (
                "podman_socket_path",
                config::agent::Docker { podman_socket_path: "/run".to_owned(), ..docker() },
            ),
            (
                "podman_socket_path_template",
                config::agent::Docker { podman_socket_path_template: "unix:///run".to_owned(), ..docker() },
            ),
            (
                "container_id_cgroup_matchers",
                config::agent::Docker {
                    container_id_cgroup_matchers: vec!["/docker/*".to_owned()],
                    ..docker()
                },
            ),
        ];
        for (key, docker) in wrong {
            let said = attestor(&WorkloadAttestor::Docker(docker)).err().unwrap().to_string();
            assert!(said.contains(&format!("WorkloadAttestor \"docker\": {key}: ")), "{said}");
        }
    }
}
