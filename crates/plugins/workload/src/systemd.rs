//! Workload attestation by the unit of systemd that a process belongs to.
//!
//! systemd is asked over the system bus (the address is taken from `DBUS_SYSTEM_BUS_ADDRESS` if that is set). It knows the
//! processes of its own pid namespace: an agent elsewhere gets no answer.

use async_trait::async_trait;
use model::Selectors;
use model::ports::{AttestError, Peer, WorkloadAttestor};
use tokio::sync::Mutex;
use zbus::{Connection, OwnedObjectPath, OwnedVariant};

use crate::selectors;

const NAME: &str = "systemd";
const SERVICE: &str = "org.freedesktop.systemd1";
const MANAGER: &str = "/org/freedesktop/systemd1";
const UNIT: &str = "org.freedesktop.systemd1.Unit";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// The attestor `systemd`.
#[derive(Default)]
pub struct Systemd {
    /// The connection that worked last.
    bus: Mutex<Option<Connection>>,
}

#[async_trait]
impl WorkloadAttestor for Systemd {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn attest(&self, peer: &dyn Peer) -> Result<Selectors, AttestError> {
        let pid = u32::try_from(peer.pid())
            .map_err(|_| AttestError::Invalid(format!("no process has pid {}", peer.pid())))?;
        let unit = match self.unit(pid).await {
            Err(Fault::Bus(_)) => {
                // the bus may have been started again since
                *self.bus.lock().await = None;
                self.unit(pid).await
            }
            other => other,
        };
        peer.check()?;
        let unit = unit.map_err(|fault| AttestError::Failed(fault.to_string()))?;
        selectors(NAME, [format!("id:{}", unit.id), format!("fragment_path:{}", unit.fragment_path)])
    }
}

struct Unit {
    id: String,
    fragment_path: String,
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("the system bus cannot be used: {0}; is D-Bus running, and may the agent reach its socket?")]
    Bus(#[source] zbus::Error),
    #[error("failed to get unit by pid {pid}: {why}; the agent must run in systemd's pid namespace")]
    NoUnit { pid: u32, why: String },
    #[error("systemd's answer cannot be used: {0}")]
    Answer(String),
}

impl Fault {
    /// What an error means for a question about this process: systemd's refusal, or trouble on the way.
    fn about(pid: u32, error: zbus::Error) -> Self {
        match error {
            zbus::Error::MethodError(name, text, _) => {
                let text = text.unwrap_or_default();
                Self::NoUnit { pid, why: format!("{} ({name})", text.trim()) }
            }
            other => Self::Bus(other),
        }
    }
}

impl Systemd {
    async fn unit(&self, pid: u32) -> Result<Unit, Fault> {
        let bus = self.bus().await?;
        let asked = bus.call_method(
            Some(SERVICE),
            MANAGER,
            Some("org.freedesktop.systemd1.Manager"),
            "GetUnitByPID",
            &pid,
        );
        let reply = asked.await.map_err(|error| Fault::about(pid, error))?;
        let path: OwnedObjectPath =
            reply.body().deserialize().map_err(|error| Fault::Answer(error.to_string()))?;
        Ok(Unit {
            id: property(&bus, &path, pid, "Id").await?,
            fragment_path: property(&bus, &path, pid, "FragmentPath").await?,
        })
    }

    async fn bus(&self) -> Result<Connection, Fault> {
        let mut bus = self.bus.lock().await;
        match bus.as_ref() {
            Some(bus) => Ok(bus.clone()),
            None => {
                let fresh = Connection::system().await.map_err(Fault::Bus)?;
                Ok(bus.insert(fresh).clone())
            }
        }
    }
}

async fn property(bus: &Connection, path: &OwnedObjectPath, pid: u32, name: &str) -> Result<String, Fault> {
    let which = (UNIT, name);
    let asked = bus.call_method(Some(SERVICE), path, Some(PROPERTIES), "Get", &which);
    let reply = asked.await.map_err(|error| Fault::about(pid, error))?;
    let answer = |error: String| Fault::Answer(format!("{name}: {error}"));
    let value: OwnedVariant = reply.body().deserialize().map_err(|error| answer(error.to_string()))?;
    String::try_from(value).map_err(|error| answer(error.to_string()))
}
