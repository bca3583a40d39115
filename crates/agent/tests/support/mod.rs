//! Adapters and clients for the tests of this crate.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test uses its part")]

pub mod spire;
pub mod standin;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent::{Adapters, AgentError, AgentStatus, Bootstrap, Settings};
use async_trait::async_trait;
use hyper_util::rt::TokioIo;
use kit::clock::Clock;
use model::ports::{AttestError, KeyError, KeyManager, NodeProof, Peer, Prover, WorkloadAttestor};
use model::{Selector, Selectors};
use proto::workload::spiffe_workload_api_client::SpiffeWorkloadApiClient;
use proto::workload::{X509svidRequest, X509svidResponse};
use spiffe::TrustDomain;
use spiffe::bundle::BundleForm;
use spiffe::key::{KeyType, PrivateKey, PublicKey, Signer};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::Request;
use tonic::transport::{Channel, Endpoint};

/// Keys in memory, which outlive the agents of a test.
#[derive(Default)]
pub struct Keys(Mutex<HashMap<String, Arc<PrivateKey>>>);

#[async_trait]
impl KeyManager for Keys {
    async fn generate(&self, id: &str, key_type: KeyType) -> Result<Arc<dyn Signer>, KeyError> {
        let key = Arc::new(PrivateKey::generate(key_type).unwrap());
        self.0.lock().unwrap().insert(id.to_owned(), key.clone());
        Ok(key)
    }

    async fn get(&self, id: &str) -> Result<Option<Arc<dyn Signer>>, KeyError> {
        Ok(self.0.lock().unwrap().get(id).map(|key| key.clone() as Arc<dyn Signer>))
    }

    async fn list(&self) -> Result<Vec<(String, PublicKey)>, KeyError> {
        Ok(self.0.lock().unwrap().iter().map(|(id, key)| (id.clone(), key.public().clone())).collect())
    }

    fn name(&self) -> &'static str {
        "memory"
    }

    fn persistent(&self) -> bool {
        false
    }
}

/// A join token.
pub struct Token(pub String);

#[async_trait]
impl NodeProof for Token {
    fn name(&self) -> &'static str {
        "join_token"
    }

    async fn prove(&self, server: &mut dyn Prover) -> Result<(), AttestError> {
        match server.send(self.0.clone().into_bytes()).await? {
            None => Ok(()),
            Some(_) => Err(AttestError::BrokenOff("a join token is not challenged".to_owned())),
        }
    }
}

/// Says of every caller what the test set.
#[derive(Clone, Default)]
pub struct Says(pub Arc<Mutex<Vec<String>>>);

impl Says {
    pub fn set(&self, selectors: &[&str]) {
        *self.0.lock().unwrap() = selectors.iter().map(|one| (*one).to_owned()).collect();
    }
}

#[async_trait]
impl WorkloadAttestor for Says {
    fn name(&self) -> &'static str {
        "unix"
    }

    async fn attest(&self, _: &dyn Peer) -> Result<Selectors, AttestError> {
        Ok(self.0.lock().unwrap().iter().map(|one| Selector::parse(one).unwrap()).collect())
    }
}

struct Someone;

impl Peer for Someone {
    fn pid(&self) -> i32 {
        4711
    }
    fn uid(&self) -> u32 {
        1000
    }
    fn gid(&self) -> u32 {
        1000
    }
    fn check(&self) -> Result<(), AttestError> {
        Ok(())
    }
}

/// An agent of a test.
pub struct Agent {
    pub folder: tempfile::TempDir,
    pub settings: Settings,
    pub keys: Arc<Keys>,
    pub says: Says,
    pub clock: Clock,
    running: Option<(CancellationToken, JoinHandle<Result<(), AgentError>>)>,
}

impl Agent {
    /// One that trusts `bundle` and connects to `port`.
    pub fn new(port: u16, bundle: &Path) -> Self {
        if std::env::var_os("AGENT_LOG").is_some() {
            let _ = tracing_subscriber::fmt()
                .with_writer(std::io::stderr)
                .with_max_level(tracing::Level::DEBUG)
                .try_init();
        }
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            trust_domain: TrustDomain::parse("example.org").unwrap(),
            server_address: "127.0.0.1".to_owned(),
            server_port: port,
            data_dir: folder.path().join("data"),
            bootstrap: Bootstrap::File { path: bundle.to_owned(), format: BundleForm::Pem },
            socket_path: folder.path().join("public/api.sock"),
            workload_api: true,
            sds: Some(agent::SdsNames::default()),
            workload_key_type: KeyType::EcP256,
            x509_svid_cache_max_size: 1000,
            jwt_svid_cache_max_size: 1000,
            availability_target: None,
            allow_unauthenticated_verifiers: false,
            allowed_foreign_jwt_claims: Vec::new(),
            log_selectors: Vec::new(),
            sync_interval: Duration::from_secs(1),
            jwt_svid_cache_hit_timeout: Duration::from_secs(5),
            call_limits: agent::CallLimits::default(),
            wit_svids: false,
            version: "test".to_owned(),
        };
        let says = Says::default();
        says.set(&["unix:uid:1000"]);
        Self { folder, settings, keys: Arc::default(), says, clock: Clock::system(), running: None }
    }

    /// Starts it with this proof, in the background.
    pub fn start(&mut self, proof: impl NodeProof + 'static) -> AgentStatus {
        let status = AgentStatus::default();
        let adapters = Adapters {
            keys: self.keys.clone(),
            proof: Arc::new(proof),
            attestors: vec![Arc::new(self.says.clone())],
            pin: Arc::new(|_: &UnixStream| Ok(Arc::new(Someone) as Arc<dyn Peer>)),
            status: status.clone(),
        };
        let stop = CancellationToken::new();
        let task =
            tokio::spawn(agent::run(self.settings.clone(), adapters, self.clock.clone(), stop.clone()));
        self.running = Some((stop, task));
        status
    }

    /// Starts it and waits until it serves.
    pub async fn serve(&mut self, proof: impl NodeProof + 'static) {
        let status = self.start(proof);
        let mut stages = status.watch();
        let serving = stages.wait_for(|stage| *stage >= agent::Stage::Serving);
        match tokio::time::timeout(Duration::from_secs(20), serving).await {
            Ok(Ok(stage)) if *stage == agent::Stage::Serving => {}
            _ => panic!("the agent does not serve: {:?}", self.ended().await),
        }
        // The socket is bound just after the stage is entered, or just before.
        for _ in 0..100 {
            if UnixStream::connect(&self.settings.socket_path).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nobody answers on the socket");
    }

    /// Waits for its end, which must come.
    pub async fn ended(&mut self) -> Result<(), AgentError> {
        let (_, task) = self.running.take().expect("it was started");
        tokio::time::timeout(Duration::from_secs(90), task).await.expect("the agent ends").unwrap()
    }

    /// Stops it as an operator would.
    pub async fn stop(&mut self) -> Result<(), AgentError> {
        let (stop, _) = self.running.as_ref().expect("it was started");
        stop.cancel();
        self.ended().await
    }

    pub async fn channel(&self) -> Channel {
        channel(&self.settings.socket_path).await
    }

    pub async fn client(&self) -> SpiffeWorkloadApiClient<Channel> {
        SpiffeWorkloadApiClient::new(self.channel().await)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if let Some((_, task)) = self.running.take() {
            task.abort();
        }
    }
}

/// A connection to a Unix socket.
pub async fn channel(path: &Path) -> Channel {
    let path: PathBuf = path.to_owned();
    let connect = tower::service_fn(move |_| {
        let path = path.clone();
        async move { UnixStream::connect(path).await.map(TokioIo::new) }
    });
    eventually("a connection", || {
        let connect = connect.clone();
        async move { Endpoint::from_static("http://localhost").connect_with_connector(connect).await.ok() }
    })
    .await
}

/// A request with the header that the Workload API asks for.
pub fn with_header<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("workload.spiffe.io", "true".parse().unwrap());
    request
}

/// Opens a stream of X.509-SVIDs, as soon as there is something in it, and returns it with the first message.
pub async fn svids(
    client: &SpiffeWorkloadApiClient<Channel>,
) -> (tonic::Streaming<X509svidResponse>, X509svidResponse) {
    eventually("an identity", || {
        let mut client = client.clone();
        async move {
            let mut stream = client.fetch_x509svid(with_header(X509svidRequest {})).await.ok()?.into_inner();
            let first = stream.message().await.unwrap()?;
            Some((stream, first))
        }
    })
    .await
}

/// Waits for what is to come within 20 seconds.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    for _ in 0..400 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} did not come within 20 seconds");
}
