//! A plugin that runs.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use proto::plugin as go_plugin;
use proto::plugin::grpc_broker_client::GrpcBrokerClient;
use proto::plugin::grpc_controller_client::GrpcControllerClient;
use proto::plugin::grpc_stdio_client::GrpcStdioClient;
use proto::spire::service::private::init::v1::init_client::InitClient;
use proto::spire::service::private::init::v1::{DeinitRequest, InitRequest};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Code, Status};

use crate::call;
use crate::handshake::Handshake;
use crate::host::HostServices;
use crate::launch::{Launch, LaunchError, Launched};
use crate::output::{self, Whose};

/// The number under which plugins ask for the host's services (SPIRE's plugin SDK).
const HOST_SERVICES: u32 = 1;
/// How long a plugin may take to connect and to say what it has.
const INIT: Duration = Duration::from_secs(60);
/// How long a plugin may take to put its things in order (SPIRE 1.16).
const DEINIT: Duration = Duration::from_secs(10);
/// How long a plugin may take to end once it is asked to (go-plugin).
const GRACE: Duration = Duration::from_secs(2);

/// A plugin that runs. Clones are the same plugin; it is ended with the last of them, or by [`stop`](Self::stop).
#[derive(Clone)]
pub struct Plugin(Arc<Running>);

struct Running {
    whose: Whose,
    channel: Channel,
    runtime: Handle,
    services: Vec<String>,
    stop: CancellationToken,
    ended: watch::Receiver<bool>,
    _end: DropGuard,
}

/// Why a plugin cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its program does not run.
    #[error("failed to launch plugin: {0}")]
    Launch(#[from] LaunchError),
    /// It cannot be spoken with.
    #[error("failed to launch plugin: {0}")]
    Speak(String),
    /// It is a plugin of another type.
    #[error("no supported plugin interface found in {found:?}: {wanted} is wanted")]
    OtherKind {
        /// The service of the type.
        wanted: &'static str,
        /// The services that the plugin has.
        found: Vec<String>,
    },
}

impl Plugin {
    /// Starts a plugin and learns what it has. It runs beside this process on a thread of its own, which also carries
    /// all that is said with it.
    ///
    /// # Errors
    /// When the program cannot be run or is no plugin of this type. It is ended then.
    pub async fn start(launch: Launch, host: HostServices) -> Result<Self, StartError> {
        let (started, answer) = oneshot::channel();
        let name: &'static str = Box::leak(launch.name.clone().into_boxed_str());
        let whose = Whose { name, kind: launch.kind };
        if launch.checksum.is_none() {
            tracing::warn!(
                plugin_name = name,
                plugin_type = whose.kind,
                external = true,
                "Plugin checksum not configured"
            );
        }
        let stop = CancellationToken::new();
        let token = stop.clone();
        let (finished, ended) = watch::channel(false);
        let thread = std::thread::Builder::new().name(format!("plugin-{name}"));
        let body = move || {
            match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime.block_on(attend(launch, whose, host, started, token)),
                Err(error) => {
                    let _ = started.send(Err(StartError::Speak(error.to_string())));
                }
            }
            let _ = finished.send(true);
        };
        thread.spawn(body).map_err(|error| StartError::Speak(error.to_string()))?;
        let lost = |_| StartError::Speak("its thread ended".to_owned());
        let (channel, runtime, services) = answer.await.map_err(lost)??;
        let end = stop.clone().drop_guard();
        let plugin = Self(Arc::new(Running { whose, channel, runtime, services, stop, ended, _end: end }));
        plugin.is_of_its_kind()?;
        Ok(plugin)
    }

    /// The name in the configuration.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.whose.name
    }

    /// The type, as SPIRE has it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.0.whose.kind
    }

    /// Whether the plugin has this service.
    pub(crate) fn has(&self, service: &str) -> bool {
        self.0.services.iter().any(|known| known == service)
    }

    /// The connection to it.
    pub(crate) fn channel(&self) -> Channel {
        self.0.channel.clone()
    }

    /// Does a call and waits for it on this thread, which may be one of an async runtime: what is waited for happens on
    /// the plugin's own thread.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        call: impl Future<Output = Result<T, Status>> + Send + 'static,
    ) -> Result<T, Status> {
        let (done, answer) = std::sync::mpsc::sync_channel(1);
        self.0.runtime.spawn(async move {
            let _ = done.send(call.await);
        });
        let lost = |_| Status::unavailable("the plugin has ended, or does not answer");
        answer.recv_timeout(call::PATIENCE + GRACE).map_err(lost)?
    }

    /// Ends the plugin and waits until it has ended.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        let mut ended = self.0.ended.clone();
        let _ = ended.wait_for(|ended| *ended).await;
    }

    fn is_of_its_kind(&self) -> Result<(), StartError> {
        let whose = self.0.whose;
        let wanted: &[&'static str] = match whose.kind {
            "KeyManager" => &[
                "spire.plugin.server.keymanager.v1.KeyManager",
                "spire.plugin.agent.keymanager.v1.KeyManager",
            ],
            "NodeAttestor" => &[
                "spire.plugin.server.nodeattestor.v1.NodeAttestor",
                "spire.plugin.agent.nodeattestor.v1.NodeAttestor",
            ],
            "UpstreamAuthority" => &["spire.plugin.server.upstreamauthority.v1.UpstreamAuthority"],
            "Notifier" => &["spire.plugin.server.notifier.v1.Notifier"],
            "BundlePublisher" => &["spire.plugin.server.bundlepublisher.v1.BundlePublisher"],
            "CredentialComposer" => &["spire.plugin.server.credentialcomposer.v1.CredentialComposer"],
            "WorkloadAttestor" => &["spire.plugin.agent.workloadattestor.v1.WorkloadAttestor"],
            _ => &["spire.plugin.agent.svidstore.v1.SVIDStore"],
        };
        for service in &self.0.services {
            let known = wanted.contains(&service.as_str()) || service == crate::configure::SERVICE;
            if !known {
                let (plugin_name, plugin_type, plugin_service) = (whose.name, whose.kind, service.as_str());
                tracing::warn!(
                    plugin_name,
                    plugin_type,
                    external = true,
                    plugin_service,
                    "Unsupported plugin service found"
                );
            }
        }
        match wanted.iter().any(|service| self.has(service)) {
            true => Ok(()),
            false => Err(StartError::OtherKind {
                wanted: wanted.first().copied().unwrap_or_default(),
                found: self.0.services.clone(),
            }),
        }
    }
}

type Started = Result<(Channel, Handle, Vec<String>), StartError>;

/// The life of a plugin, from its start to its end.
async fn attend(
    launch: Launch,
    whose: Whose,
    host: HostServices,
    started: oneshot::Sender<Started>,
    stop: CancellationToken,
) {
    let mut life = match begin(&launch, whose, host).await {
        Ok((life, services)) => {
            if started.send(Ok((life.channel.clone(), Handle::current(), services))).is_err() {
                stop.cancel();
            }
            life
        }
        Err(error) => {
            let _ = started.send(Err(error));
            return;
        }
    };
    let (plugin_name, plugin_type) = (whose.name, whose.kind);
    tokio::select! {
        ended = life.child.wait() => {
            let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
            tracing::error!(plugin_name, plugin_type, external = true, error = how, "plugin process exited");
        }
        () = stop.cancelled() => {
            tracing::debug!(plugin_name, plugin_type, external = true, "Unloading plugin");
            life.end(whose).await;
            tracing::info!(plugin_name, plugin_type, external = true, "Plugin unloaded");
        }
    }
}

/// What there is while a plugin runs.
struct Life {
    child: tokio::process::Child,
    channel: Channel,
    /// The broker's stream is open for as long as this is held.
    _broker: mpsc::Sender<go_plugin::ConnInfo>,
    host: CancellationToken,
    /// Its sockets are in there.
    _folder: tempfile::TempDir,
}

/// Starts the program, connects, offers what we have and asks what it has.
async fn begin(launch: &Launch, whose: Whose, host: HostServices) -> Result<(Life, Vec<String>), StartError> {
    let speak = |error: &dyn std::error::Error| StartError::Speak(with_causes(error));
    // Mode 0700: nobody else connects to a plugin, or to us in its place.
    let folder = tempfile::Builder::new().prefix("bonafide-plugin-").tempdir().map_err(|e| speak(&e))?;
    let Launched { child, place, stdout } = launch.start(whose, folder.path()).await?;
    tokio::spawn(output::drain(stdout));
    let connected = tokio::time::timeout(INIT, connect(place)).await;
    let late = || StartError::Speak(format!("it does not take connections within {INIT:?}"));
    let channel = connected.map_err(|_| late())?.map_err(|e| speak(&e))?;
    let stop = CancellationToken::new();
    let offer = folder.path().join("host");
    let listener = UnixListener::bind(&offer).map_err(|e| speak(&e))?;
    let names = host.names();
    tokio::spawn(host.serve(listener, stop.clone()));
    let (broker, addresses) = mpsc::channel(1);
    let address = go_plugin::ConnInfo {
        service_id: HOST_SERVICES,
        network: "unix".to_owned(),
        address: offer.display().to_string(),
        knock: None,
    };
    broker.send(address).await.map_err(|e| speak(&e))?;
    let mut life = Life { child, channel: channel.clone(), _broker: broker, host: stop, _folder: folder };
    tokio::spawn(follow_broker(channel.clone(), addresses));
    tokio::spawn(follow_printed(whose, channel.clone()));
    let mut client = InitClient::new(channel);
    let init = client.init(InitRequest { host_service_names: names });
    let init = async {
        tokio::select! {
            answer = tokio::time::timeout(INIT, init) => {
                answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("Init was not answered")))
            }
            ended = life.child.wait() => {
                let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
                Err(Status::unavailable(format!("its program ended ({how})")))
            }
        }
    };
    match init.await {
        Ok(answer) => Ok((life, answer.into_inner().plugin_service_names)),
        Err(status) => Err(StartError::Speak(format!("{} ({})", status.message(), status.code()))),
    }
}

impl Life {
    /// Asks the plugin to put its things in order and to end, and ends it if it does not.
    async fn end(&mut self, whose: Whose) {
        let (plugin_name, plugin_type) = (whose.name, whose.kind);
        let mut init = InitClient::new(self.channel.clone());
        let deinit = tokio::time::timeout(DEINIT, init.deinit(DeinitRequest {})).await;
        match deinit.unwrap_or_else(|_| Err(Status::deadline_exceeded("Deinit was not answered"))) {
            Err(status) if status.code() != Code::Unimplemented => {
                tracing::error!(plugin_name, plugin_type, external = true, error = %status, "Failed to deinitialize plugin");
            }
            _ => tracing::debug!(plugin_name, plugin_type, external = true, "Plugin deinitialized"),
        }
        let mut controller = GrpcControllerClient::new(self.channel.clone());
        // It may end before it has answered.
        let _ = tokio::time::timeout(GRACE, controller.shutdown(go_plugin::Empty {})).await;
        if tokio::time::timeout(GRACE, self.child.wait()).await.is_err() {
            tracing::warn!(plugin_name, plugin_type, external = true, "plugin failed to exit gracefully");
            let _ = self.child.kill().await;
        }
        self.host.cancel();
    }
}

async fn connect(place: Handshake) -> Result<Channel, tonic::transport::Error> {
    match place {
        Handshake::Tcp(address) => {
            let connector = tower::service_fn(move |_: Uri| async move {
                Ok::<_, io::Error>(TokioIo::new(TcpStream::connect(address).await?))
            });
            endpoint().connect_with_connector(connector).await
        }
        Handshake::Unix(path) => {
            let connector = tower::service_fn(move |_: Uri| {
                let path = path.clone();
                async move { Ok::<_, io::Error>(TokioIo::new(UnixStream::connect(path).await?)) }
            });
            endpoint().connect_with_connector(connector).await
        }
    }
}

/// Not looked up: the connector knows where to go.
fn endpoint() -> Endpoint {
    Endpoint::from_static("http://localhost")
}

/// Tells the plugin where to connect to us. What it tells us is read and not needed: no plugin type of SPIRE's is
/// called back.
async fn follow_broker(channel: Channel, addresses: mpsc::Receiver<go_plugin::ConnInfo>) {
    let stream = GrpcBrokerClient::new(channel).start_stream(ReceiverStream::new(addresses)).await;
    if let Ok(stream) = stream {
        let mut stream = stream.into_inner();
        while let Ok(Some(_)) = stream.message().await {}
    }
}

/// Logs what the plugin prints once it serves: go-plugin carries it over gRPC from then on. Old ones do not.
async fn follow_printed(whose: Whose, channel: Channel) {
    let Ok(stream) = GrpcStdioClient::new(channel).stream_stdio(()).await else { return };
    let mut stream = stream.into_inner();
    while let Ok(Some(data)) = stream.message().await {
        output::printed(whose, &data.data);
    }
}

pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
