//! Workload attestors with settings of their own.

use std::time::Duration;

use super::{INSECURE, agent};
use crate::agent::{Docker, K8s, KubeletCredentials, WorkloadAttestor};

#[test]
fn the_attestor_of_containers_is_read() {
    let read = |lines: &str| {
        let text = format!(
            "agent {{ trust_domain = \"example.org\" server_address = \"a\" server_port = 1 {INSECURE} }}\nplugins {{\n\
             KeyManager \"memory\" {{}}\nNodeAttestor \"join_token\" {{}}\nWorkloadAttestor \"docker\" {{\nplugin_data {{\n\
             {lines}\n}}\n}}\nWorkloadAttestor \"systemd\" {{}}\nWorkloadAttestor \"slurm\" {{}}\n}}"
        );
        agent(&text).map(|settings| settings.workload_attestors)
    };
    let docker = Docker {
        docker_socket_path: "unix:///var/run/docker.sock".to_owned(),
        docker_version: None,
        podman_socket_path: "unix:///run/podman/podman.sock".to_owned(),
        podman_socket_path_template: "unix:///run/user/%d/podman/podman.sock".to_owned(),
        container_id_cgroup_matchers: Vec::new(),
        verbose_container_locator_logs: false,
    };
    assert_eq!(
        read("").unwrap(),
        [WorkloadAttestor::Docker(docker.clone()), WorkloadAttestor::Systemd, WorkloadAttestor::Slurm]
    );
    let given = Docker {
        docker_socket_path: "unix:///d".to_owned(),
        docker_version: Some("1.41".to_owned()),
        container_id_cgroup_matchers: vec!["/docker/<id>".to_owned()],
        verbose_container_locator_logs: true,
        ..docker
    };
    let lines = "docker_socket_path = \"unix:///d\"\ndocker_version = \"1.41\"\nuse_new_container_locator = false\n\
                 container_id_cgroup_matchers = [\"/docker/<id>\"]\nverbose_container_locator_logs = true";
    assert_eq!(read(lines).unwrap()[0], WorkloadAttestor::Docker(given));
    let said = read("container_id_cgroup_matchers = [\"/docker/<id>\"]").unwrap_err().to_string();
    assert!(said.contains("patterns are for use_new_container_locator = false"), "{said}");
}

#[test]
fn the_attestor_of_pods_is_read() {
    let read = |lines: &str| {
        let text = format!(
            "agent {{ trust_domain = \"example.org\" server_address = \"a\" server_port = 1 {INSECURE} }}\nplugins {{\n\
             KeyManager \"memory\" {{}}\nNodeAttestor \"join_token\" {{}}\nWorkloadAttestor \"k8s\" {{\nplugin_data {{\n\
             {lines}\n}}\n}}\n}}"
        );
        agent(&text).map(|settings| match settings.workload_attestors.into_iter().next() {
            Some(WorkloadAttestor::K8s(k8s)) => k8s,
            other => panic!("{other:?}"),
        })
    };
    let account = "/var/run/secrets/kubernetes.io/serviceaccount";
    let k8s = K8s {
        port: 10250,
        read_only: false,
        kubelet_ca_path: Some(format!("{account}/ca.crt").into()),
        credentials: KubeletCredentials::Token(format!("{account}/token").into()),
        node_name: None,
        node_name_env: "MY_NODE_NAME".to_owned(),
        reload_interval: Duration::from_secs(60),
        max_poll_attempts: 60,
        poll_retry_interval: Duration::from_millis(500),
        disable_container_selectors: false,
        verbose_container_locator_logs: false,
        pod_annotations: Vec::new(),
    };
    assert_eq!(read("").unwrap(), k8s);
    let lines = "kubelet_secure_port = 1\nskip_kubelet_verification = true\ncertificate_path = \"/c\"\n\
                 private_key_path = \"/k\"\nnode_name = \"n\"\nmax_poll_attempts = 2\npoll_retry_interval = \"1s\"\n\
                 reload_interval = \"2s\"\ndisable_container_selectors = true\npod_annotations = [\"team\"]";
    let given = K8s {
        port: 1,
        kubelet_ca_path: None,
        credentials: KubeletCredentials::Certificate {
            certificate_path: "/c".into(),
            private_key_path: "/k".into(),
        },
        node_name: Some("n".to_owned()),
        reload_interval: Duration::from_secs(2),
        max_poll_attempts: 2,
        poll_retry_interval: Duration::from_secs(1),
        disable_container_selectors: true,
        pod_annotations: vec!["team".to_owned()],
        ..k8s.clone()
    };
    assert_eq!(read(lines).unwrap(), given);
    let anonymous = read("kubelet_read_only_port = 10255\nuse_anonymous_authentication = true").unwrap();
    assert_eq!((anonymous.port, anonymous.read_only), (10255, true));
    assert_eq!(anonymous.credentials, KubeletCredentials::Anonymous);
    for (lines, wanted) in [
        ("kubelet_read_only_port = 1\nkubelet_secure_port = 2", "there is one kubelet: remove one of them"),
        ("certificate_path = \"/c\"", "private_key_path"),
        ("private_key_path = \"/k\"", "certificate_path"),
    ] {
        let said = read(lines).unwrap_err().to_string();
        assert!(said.contains(wanted), "{said}");
    }
}
