//! Workload attestation by the container of Docker or Podman in which a process runs.
//!
//! The kernel says which container, its engine what was started in it. An engine's word is worth as much as who runs it:
//! containers of rootless Podman are asked of the engine of the user that they belong to, and that user can give them any
//! label and any image. Entries for containers of one user name `unix:uid` beside the label.

mod answer;
mod engine;
mod podman;

use std::path::PathBuf;

use async_trait::async_trait;
use model::Selectors;
use model::ports::{AttestError, Peer, WorkloadAttestor};

use crate::cgroup::Cgroups;
use crate::container::{self, Matchers, Place};
use crate::selectors;
pub use answer::{AnswerError, Container};
use engine::Engine;
pub use engine::{Address, AddressError};
pub use podman::{Template, TemplateError};

const NAME: &str = "docker";

/// The settings of the attestor, as SPIRE 1.16 names them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where Docker's engine listens.
    pub docker_socket_path: Address,
    /// The version of the API to speak, such as `1.41`; without it, the engine's newest.
    pub docker_version: Option<String>,
    /// Where Podman's engine of root listens.
    pub podman_socket_path: Address,
    /// Where Podman's engines of users listen.
    pub podman_socket_path_template: Template,
    /// Patterns to find containers by, in place of the convention that ids have 64 hexadecimal digits.
    pub container_id_cgroup_matchers: Option<Matchers>,
    /// Whether to log what containers are looked for in.
    pub verbose_container_locator_logs: bool,
    /// Where the process file system is mounted.
    pub proc: PathBuf,
}

/// The attestor `docker`.
pub struct Docker {
    settings: Settings,
    docker: Engine,
}

impl Docker {
    /// With these settings. Nothing is connected to before a process in a container asks.
    pub fn new(settings: Settings) -> Self {
        let docker = Engine::at(settings.docker_socket_path.clone(), settings.docker_version.clone());
        Self { settings, docker }
    }

    /// Where the process runs; none if in no container.
    fn place(&self, pid: i32) -> Result<Option<Place>, AttestError> {
        let failed = |why: &dyn std::fmt::Display| AttestError::Failed(why.to_string());
        let cgroups = Cgroups::of(&self.settings.proc, pid).map_err(|why| failed(&why))?;
        if self.settings.verbose_container_locator_logs {
            for (index, path) in cgroups.paths().enumerate() {
                tracing::debug!(subsystem_name = NAME, pid, index = index + 1, path, "PID cgroup enumerated");
            }
        }
        if let Some(matchers) = &self.settings.container_id_cgroup_matchers {
            return container::locate_by(matchers, &cgroups).map_err(|why| failed(&why));
        }
        match container::locate(&cgroups, false).map_err(|why| failed(&why))? {
            Some(place) => Ok(Some(place)),
            None => container::own_container(&cgroups, false).map_err(|why| failed(&why)),
        }
    }

    /// The engine that runs what is in these groups.
    fn engine(&self, place: &Place) -> Engine {
        let Settings { podman_socket_path, podman_socket_path_template, .. } = &self.settings;
        match podman::owner(place.roots()) {
            None => self.docker.clone(),
            Some(podman::Owner::Root) => Engine::at(podman_socket_path.clone(), None),
            Some(podman::Owner::User(uid)) => Engine::at(podman_socket_path_template.of(uid), None),
        }
    }

    /// Makes sure that the process is in the container that the engine knows, and not merely in groups of that name.
    fn same(&self, place: &Place, container: &Container) -> Result<(), AttestError> {
        if container.id != place.id {
            let Container { id, .. } = container;
            return Err(AttestError::Denied(format!(
                "the engine answered for container {id}, not {}",
                place.id
            )));
        }
        if place.roots().next().is_none() {
            return Ok(());
        }
        let first = container.pid.ok_or_else(|| {
            AttestError::Denied(format!("the engine says that container {} does not run", place.id))
        })?;
        let cgroups = Cgroups::of(&self.settings.proc, first).map_err(|why| {
            AttestError::Failed(format!(
                "{why}; it is the first process of container {}: the engine must share the agent's pid namespace",
                place.id
            ))
        })?;
        place.holds(&cgroups).then_some(()).ok_or_else(|| {
            AttestError::Denied(format!(
                "the process is in a control group that is named like container {}, and is not in that container",
                place.id
            ))
        })
    }
}

#[async_trait]
impl WorkloadAttestor for Docker {
    fn name(&self) -> &'static str {
        NAME
    }

    /// A container's labels, environment and image never change, so that an answer lasts as long as the process.
    async fn attest(&self, peer: &dyn Peer) -> Result<Selectors, AttestError> {
        let place = self.place(peer.pid())?;
        peer.check()?;
        let Some(place) = place else { return Ok(Selectors::default()) };
        let engine = self.engine(&place);
        let failed = |why: engine::EngineError| AttestError::Failed(why.to_string());
        let container = engine.container(&place.id).await.map_err(failed)?;
        self.same(&place, &container)?;
        peer.check()?;
        let digest = match container.image_id() {
            Some(id) => Some(id.to_owned()),
            None if container.image_name.is_empty() => None,
            // SPIRE does without, too
            None => engine.image(&container.image_name).await.ok(),
        };
        selectors(
            NAME,
            container.values().chain(digest.map(|digest| format!("image_config_digest:{digest}"))),
        )
    }
}
