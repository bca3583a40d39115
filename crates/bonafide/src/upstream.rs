//! The authority above a server, from its configuration.

use std::sync::Arc;

use config::server::{ServerSettings, UpstreamAuthority};
use kit::clock::Clock;
use model::ports;
use plugins_local::upstream::disk::{Disk, Files};
use plugins_local::upstream::spire::{Settings, Spire};
use spiffe::TrustDomain;

use crate::external::Externals;
use crate::reload::Reloading;
use crate::start::Failure;

/// What signs the X.509 authority of a server with these settings, if something above it does.
pub(crate) async fn open(
    settings: &ServerSettings,
    externals: &Externals,
    reloading: &Reloading,
) -> Result<Option<Arc<dyn ports::UpstreamAuthority>>, Failure> {
    let td = &settings.trust_domain;
    match &settings.upstream_authority {
        None => Ok(None),
        Some(UpstreamAuthority::External(external)) => {
            let plugin = externals.start("UpstreamAuthority", external).await?;
            Ok(Some(Arc::new(plugins_external::UpstreamAuthority::new(plugin, td.clone()))))
        }
        Some(built_in) => reloading.upstream(td, built_in),
    }
}

/// An authority of these settings; none if it is a program.
pub(crate) fn built_in(
    td: &TrustDomain,
    settings: &UpstreamAuthority,
) -> Result<Option<Arc<dyn ports::UpstreamAuthority>>, Failure> {
    let td = td.clone();
    Ok(match settings {
        UpstreamAuthority::External(_) => None,
        UpstreamAuthority::Disk { cert_file_path, key_file_path, bundle_file_path } => {
            let files = Files {
                certificate: cert_file_path.clone(),
                key: key_file_path.clone(),
                bundle: bundle_file_path.clone(),
            };
            let disk = Disk::open(td, files).map_err(|e| format!("UpstreamAuthority \"disk\": {e}"))?;
            Some(Arc::new(disk))
        }
        UpstreamAuthority::Spire { server_address, server_port, workload_api_socket } => {
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
    })
}
