//! Runs SPIRE's external plugins: programs named by `plugin_cmd` that speak SPIRE's plugin protocol over HashiCorp's
//! go-plugin. An unmodified plugin finds here what it finds in SPIRE 1.16.
//!
//! [`Plugin::start`] launches one; the types beside it are the ports of `model::ports` that a plugin fills. A plugin
//! that ends by itself is not started again, as in SPIRE: what is asked of it fails from then on.

mod bundle;
mod call;
mod checksum;
mod configure;
mod handshake;
mod hclog;
mod host;
mod key_manager;
mod launch;
mod node_attestor;
mod node_proof;
mod output;
mod plugin;
mod publish;
mod upstream;
mod workload;

pub use checksum::{Checksum, ChecksumError};
pub use configure::{Configurable, ConfigureError, Settings};
pub use handshake::{Handshake, HandshakeError};
pub use host::{AgentSource, HostServices, IdentitySource, Measure, Sample, ServerIdentity};
pub use key_manager::{KeyManager, Side};
pub use launch::{Launch, LaunchError};
pub use node_attestor::NodeAttestor;
pub use node_proof::NodeProof;
pub use plugin::{Plugin, StartError};
pub use publish::{BundlePublisher, Notifier};
pub use upstream::UpstreamAuthority;
pub use workload::WorkloadAttestor;
