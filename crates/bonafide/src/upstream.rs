//! The authority above a server, from its configuration.

use std::sync::Arc;

use config::server::{ServerSettings, UpstreamAuthority};
use kit::clock::Clock;
use model::ports;
use plugins_local::upstream::disk::{Disk, Files};
use plugins_local::upstream::spire::{Settings, Spire};

use crate::external::Externals;
use crate::start::Failure;

/// What signs the X.509 authority of a server with these settings, if something above it does.
pub(crate) async fn open(
    settings: &ServerSettings,
    externals: &Externals,
) -> Result<Option<Arc<dyn ports::UpstreamAuthority>>, Failure> {
    let td = settings.trust_domain.clone();
    Ok(match &settings.upstream_authority {
        None => None,
        Some(UpstreamAuthority::Disk { cert_file_path, key_file_path, bundle_file_path }) => {
            let files = Files {
                certificate: cert_file_path.clone(),
                key: key_file_path.clone(),
                bundle: bundle_file_path.clone(),
            };
            let disk = Disk::open(td, files).map_err(|e| format!("UpstreamAuthority \"disk\": {e}"))?;
            Some(Arc::new(disk))
        }
        Some(UpstreamAuthority::Spire { server_address, server_port, workload_api_socket }) => {
            let above = Settings {
                host: server_address.clone(),
                port: *server_port,
                workload_api_socket: workload_api_socket.clone(),
            };
            let clock = Clock::system();
            let spire = Spire::new(td, above, Arc::new(move || clock.now()))
                .map_err(|e| format!("UpstreamAuthority \"spire\": {e}"))?;
            Some(Arc::new(spire))
        }
        Some(UpstreamAuthority::External(external)) => {
            let plugin = externals.start("UpstreamAuthority", external).await?;
            Some(Arc::new(plugins_external::UpstreamAuthority::new(plugin, td)))
        }
    })
}
