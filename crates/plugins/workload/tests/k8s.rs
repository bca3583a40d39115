//! Workloads in pods, by a stand-in for the kubelet over real TLS.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::Selectors;
use model::ports::{AttestError, Peer, WorkloadAttestor};
use plugins_workload::k8s::{Credentials, K8s, Kubelet, Settings, Transport};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

const UID: &str = "2c48913c-b29f-11e7-9350-020968147796";
const TOKEN: &str = "the token";

fn id() -> String {
    "9bca8d63d5fa610783847915bcff0ecac1273e5b4bed3f6fa1b07350e0135961".to_owned()
}

fn pods(label: &str, container: &str) -> String {
    format!(
        r#"{{"items":[{{"metadata":{{"name":"web","namespace":"shop","uid":"{UID}","labels":{{"app":"{label}"}},
        "annotations":{{"team":"red","other":"x"}}}},"spec":{{"serviceAccountName":"cart","nodeName":"node1"}},
        "status":{{"containerStatuses":[{{"name":"c","image":"web:1","imageID":"web@sha256:1","containerID":"{container}"}}]}}}}]}}"#
    )
}

fn running(label: &str) -> String {
    pods(label, &format!("containerd://{}", id()))
}

/// A kubelet, the files to ask it with, and a process in a pod.
struct Rig {
    folder: tempfile::TempDir,
    port: u16,
    asked: Arc<AtomicUsize>,
    /// What it answers, the last one for good.
    answers: Arc<Mutex<Vec<String>>>,
}

impl Rig {
    /// One that is called `node1`, and wants a certificate or a token.
    async fn start(certificates: bool, answers: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        let ca_key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        write("ca.pem", &ca.self_signed(&ca_key).unwrap().pem());
        write("other-ca.pem", &ca.self_signed(&KeyPair::generate().unwrap()).unwrap().pem());
        let issuer = Issuer::new(ca, ca_key);
        for (file, name) in [("kubelet", "node1"), ("client", "agent")] {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            write(&format!("{file}.pem"), &params.signed_by(&key, &issuer).unwrap().pem());
            write(&format!("{file}.key"), &key.serialize_pem());
        }
        write("token", &format!("{TOKEN}\n"));
        fs::create_dir(folder.path().join("7")).unwrap();
        write("7/cgroup", &format!("0::/kubepods/burstable/pod{UID}/{}\n", id()));
        let acceptor = TlsAcceptor::from(Arc::new(tls(&folder, certificates)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, answers) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(answers.to_vec())));
        let (count, say) = (asked.clone(), answers.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, count, say) = (acceptor.clone(), count.clone(), say.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut request = Vec::new();
                    while !request.ends_with(b"\r\n\r\n") {
                        let mut piece = [0; 1024];
                        let length = stream.read(&mut piece).await.unwrap_or(0);
                        if length == 0 {
                            return;
                        }
                        request.extend(&piece[..length]);
                    }
                    count.fetch_add(1, Ordering::SeqCst);
                    let request = String::from_utf8(request).unwrap();
                    let may = certificates || request.contains(&format!("authorization: Bearer {TOKEN}\r\n"));
                    let (status, body) = match may && request.starts_with("GET /pods HTTP/1.1\r\n") {
                        true => {
                            let mut say = say.lock().unwrap();
                            ("200 OK", if say.len() > 1 { say.remove(0) } else { say[0].clone() })
                        }
                        false => ("401 Unauthorized", "Unauthorized".to_owned()),
                    };
                    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
                    let _ = stream.write_all((head + &body).as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { folder, port, asked, answers }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn settings(&self) -> Settings {
        Settings {
            kubelet: Kubelet {
                port: self.port,
                transport: Transport::Tls {
                    node_name: None,
                    ca_path: Some(self.path("ca.pem")),
                    credentials: Credentials::Token(self.path("token")),
                    reload_interval: Duration::from_secs(60),
                },
            },
            max_poll_attempts: 3,
            poll_retry_interval: Duration::from_millis(20),
            disable_container_selectors: false,
            verbose_container_locator_logs: false,
            pod_annotations: vec!["team".to_owned()],
            proc: self.folder.path().to_owned(),
        }
    }

    /// An attestor with another transport.
    fn by(&self, node_name: Option<&str>, ca: Option<&str>, credentials: Credentials) -> K8s {
        let transport = Transport::Tls {
            node_name: node_name.map(str::to_owned),
            ca_path: ca.map(|ca| self.path(ca)),
            credentials,
            reload_interval: Duration::ZERO,
        };
        K8s::new(Settings {
            kubelet: Kubelet { port: self.port, transport },
            max_poll_attempts: 1,
            ..self.settings()
        })
    }

    fn token(&self) -> Credentials {
        Credentials::Token(self.path("token"))
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn tls(folder: &tempfile::TempDir, certificates: bool) -> ServerConfig {
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let builder = match certificates {
        true => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(&read("ca.pem")).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        }
        false => builder.with_no_client_auth(),
    };
    let chain = vec![CertificateDer::from_pem_slice(&read("kubelet.pem")).unwrap()];
    builder.with_single_cert(chain, PrivateKeyDer::from_pem_slice(&read("kubelet.key")).unwrap()).unwrap()
}

struct Process;

impl Peer for Process {
    fn pid(&self) -> i32 {
        7
    }
    fn uid(&self) -> u32 {
        0
    }
    fn gid(&self) -> u32 {
        0
    }
    fn check(&self) -> Result<(), AttestError> {
        Ok(())
    }
}

fn values(selectors: &Selectors) -> Vec<String> {
    selectors.iter().map(ToString::to_string).collect()
}

fn refused(answer: Result<Selectors, AttestError>, text: &str) {
    let said = answer.unwrap_err().to_string();
    assert!(said.contains(text), "{said}");
}

#[tokio::test]
async fn a_process_in_a_pod_has_the_pods_and_its_containers_selectors() {
    let rig = Rig::start(false, &[running("web")]).await;
    let found = K8s::new(rig.settings()).attest(&Process).await.unwrap();
    assert_eq!(
        values(&found),
        [
            "k8s:container-image:web:1",
            "k8s:container-image:web@sha256:1",
            "k8s:container-name:c",
            "k8s:node-name:node1",
            "k8s:ns:shop",
            "k8s:pod-annotation:team:red",
            "k8s:pod-image-count:1",
            "k8s:pod-image:web:1",
            "k8s:pod-image:web@sha256:1",
            "k8s:pod-init-image-count:0",
            "k8s:pod-label:app:web",
            "k8s:pod-name:web",
            &format!("k8s:pod-uid:{UID}"),
            "k8s:sa:cart",
        ]
    );
}

#[tokio::test]
async fn a_certificate_is_as_good_as_a_token() {
    let rig = Rig::start(true, &[running("web")]).await;
    let own = Credentials::Certificate {
        certificate_path: rig.path("client.pem"),
        private_key_path: rig.path("client.key"),
    };
    assert!(!rig.by(None, Some("ca.pem"), own).attest(&Process).await.unwrap().is_empty());
    refused(rig.by(None, Some("ca.pem"), rig.token()).attest(&Process).await, "cannot be asked");
}

#[tokio::test]
async fn who_may_not_ask_is_told_what_the_kubelet_said() {
    let rig = Rig::start(false, &[running("web")]).await;
    let answer = rig.by(None, Some("ca.pem"), Credentials::Anonymous).attest(&Process).await;
    refused(answer, "unexpected status code on pods response: 401 Unauthorized");
}

#[tokio::test]
async fn the_kubelets_certificate_is_checked_and_its_name_where_it_is_known() {
    let rig = Rig::start(false, &[running("web")]).await;
    refused(rig.by(None, Some("other-ca.pem"), rig.token()).attest(&Process).await, "cannot be asked");
    refused(rig.by(Some("127.0.0.1"), Some("ca.pem"), rig.token()).attest(&Process).await, "cannot be asked");
    assert!(rig.by(None, Some("ca.pem"), rig.token()).attest(&Process).await.is_ok());
    assert!(rig.by(Some("127.0.0.1"), None, rig.token()).attest(&Process).await.is_ok());
    refused(rig.by(None, Some("nothing.pem"), rig.token()).attest(&Process).await, "nothing.pem");
}

#[tokio::test]
async fn a_token_that_is_replaced_is_read_again() {
    let rig = Rig::start(false, &[running("web")]).await;
    fs::write(rig.path("token"), "stale").unwrap();
    let attestor = rig.by(None, Some("ca.pem"), rig.token());
    refused(attestor.attest(&Process).await, "401");
    fs::write(rig.path("token"), TOKEN).unwrap();
    assert!(attestor.attest(&Process).await.is_ok());
}

#[tokio::test]
async fn a_container_that_is_not_listed_yet_is_waited_for() {
    let rig = Rig::start(false, &[r#"{"items":[]}"#.to_owned(), pods("web", ""), running("web")]).await;
    let found = K8s::new(rig.settings()).attest(&Process).await.unwrap();
    assert!(values(&found).contains(&"k8s:ns:shop".to_owned()));
    assert_eq!(rig.asked(), 3);
    let never = Rig::start(false, &[pods("web", "containerd://other")]).await;
    refused(K8s::new(never.settings()).attest(&Process).await, "is in no pod that the kubelet lists");
    assert_eq!(never.asked(), 3);
}

#[tokio::test]
async fn a_pod_is_enough_where_containers_do_not_count() {
    let rig = Rig::start(false, &[pods("web", "")]).await;
    let attestor = K8s::new(Settings { disable_container_selectors: true, ..rig.settings() });
    let found = values(&attestor.attest(&Process).await.unwrap());
    assert!(
        found.contains(&"k8s:ns:shop".to_owned()) && !found.iter().any(|one| one.contains(":container-"))
    );
}

#[tokio::test]
async fn the_kubelet_is_asked_once_for_all_who_ask_at_once() {
    let rig = Rig::start(false, &[running("web")]).await;
    let attestor = Arc::new(K8s::new(rig.settings()));
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let attestor = attestor.clone();
            tokio::spawn(async move { attestor.attest(&Process).await.unwrap().len() })
        })
        .collect();
    for caller in callers {
        assert!(caller.await.unwrap() > 10);
    }
    assert_eq!(rig.asked(), 1);
    assert!(!attestor.lasting());
}

#[tokio::test]
async fn a_label_that_changes_is_seen() {
    let rig = Rig::start(false, &[running("web")]).await;
    let attestor = K8s::new(rig.settings());
    attestor.attest(&Process).await.unwrap();
    *rig.answers.lock().unwrap() = vec![running("shop")];
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while !values(&attestor.attest(&Process).await.unwrap()).contains(&"k8s:pod-label:app:shop".to_owned()) {
        assert!(std::time::Instant::now() < deadline, "the label is never seen");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn who_is_in_no_container_has_no_selectors_and_costs_the_kubelet_nothing() {
    let rig = Rig::start(false, &[running("web")]).await;
    fs::write(rig.path("7/cgroup"), "0::/system.slice/ssh.service\n").unwrap();
    assert!(K8s::new(rig.settings()).attest(&Process).await.unwrap().is_empty());
    assert_eq!(rig.asked(), 0);
}

#[tokio::test]
async fn a_user_who_names_groups_like_a_pod_gets_nothing() {
    let rig = Rig::start(false, &[running("web")]).await;
    let forged = format!("0::/user.slice/user-7.slice/user@7.service/pod{UID}/{}\n", id());
    fs::write(rig.path("7/cgroup"), forged).unwrap();
    refused(K8s::new(rig.settings()).attest(&Process).await, "belongs to a user");
}
