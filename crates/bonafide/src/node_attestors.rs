//! The server's halves of node attestors, made of their settings.

use std::sync::Arc;

use config::server::{HttpChallenge, NodeAttestor, Sshpop, TpmDevid, X509pop, X509popMode};
use model::ports;
use plugins_local::{http_challenge, join_token, sshpop, tpm_devid, x509pop};
use spiffe::TrustDomain;

use crate::start::Failure;

/// An attestor of these settings.
pub(crate) fn make(
    td: &TrustDomain,
    settings: &NodeAttestor,
    tokens: &Arc<dyn ports::TokenSpender>,
    own: &server::OwnAuthorities,
) -> Result<Arc<dyn ports::NodeAttestor>, Failure> {
    match settings {
        NodeAttestor::JoinToken => Ok(Arc::new(join_token::Server::new(td.clone(), tokens.clone()))),
        NodeAttestor::X509pop(settings) => {
            let own = own.clone();
            let own: Arc<dyn x509pop::OwnAuthorities> = Arc::new(move || own());
            Ok(Arc::new(
                x509pop::Server::new(td.clone(), &x509pop(settings), own).map_err(|all| joined(&all))?,
            ))
        }
        NodeAttestor::HttpChallenge(settings) => {
            let server = http_challenge::Server::new(td.clone(), &http_challenge(settings));
            Ok(Arc::new(server.map_err(|all| joined(&all))?))
        }
        NodeAttestor::Sshpop(settings) => {
            let server = sshpop::Server::new(td.clone(), &sshpop(settings));
            Ok(Arc::new(server.map_err(|all| joined(&all))?))
        }
        NodeAttestor::External(external) => {
            Err(format!("{:?} is a program, not built in", external.name).into())
        }
        NodeAttestor::TpmDevid(settings) => {
            let server = tpm_devid::Server::new(td.clone(), &tpm_devid(settings));
            Ok(Arc::new(server.map_err(|all| joined(&all))?))
        }
    }
}

/// The name of an attestor that is built in.
pub(crate) fn name(settings: &NodeAttestor) -> Option<&'static str> {
    match settings {
        NodeAttestor::JoinToken => Some("join_token"),
        NodeAttestor::X509pop(_) => Some("x509pop"),
        NodeAttestor::HttpChallenge(_) => Some("http_challenge"),
        NodeAttestor::Sshpop(_) => Some("sshpop"),
        NodeAttestor::TpmDevid(_) => Some("tpm_devid"),
        NodeAttestor::External(_) => None,
    }
}

/// What is wrong with the settings of an attestor and the files that it needs, each with the attestor's name.
pub(crate) fn faults(td: &TrustDomain, attestor: &NodeAttestor) -> Vec<String> {
    match attestor {
        // A program says it by itself.
        NodeAttestor::JoinToken | NodeAttestor::External(_) => Vec::new(),
        NodeAttestor::X509pop(settings) => {
            named("x509pop", x509pop::Server::new(td.clone(), &x509pop(settings), Arc::new(Vec::new)))
        }
        NodeAttestor::HttpChallenge(settings) => {
            named("http_challenge", http_challenge::Server::new(td.clone(), &http_challenge(settings)))
        }
        NodeAttestor::Sshpop(settings) => named("sshpop", sshpop::Server::new(td.clone(), &sshpop(settings))),
        NodeAttestor::TpmDevid(settings) => {
            named("tpm_devid", tpm_devid::Server::new(td.clone(), &tpm_devid(settings)))
        }
    }
}

fn named<T, E: std::fmt::Display>(name: &str, made: Result<T, Vec<E>>) -> Vec<String> {
    let faults = made.err().unwrap_or_default();
    faults.iter().map(|fault| format!("\"{name}\": {fault}")).collect()
}

fn joined<E: std::fmt::Display>(faults: &[E]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn http_challenge(settings: &HttpChallenge) -> http_challenge::Configuration {
    http_challenge::Configuration {
        allowed_dns_patterns: settings.allowed_dns_patterns.clone(),
        required_port: settings.required_port.map(i64::from),
        allow_non_root_ports: settings.allow_non_root_ports,
        tofu: settings.tofu,
    }
}

fn tpm_devid(settings: &TpmDevid) -> tpm_devid::Configuration {
    tpm_devid::Configuration {
        devid_ca_path: settings.devid_ca_path.clone(),
        endorsement_ca_path: settings.endorsement_ca_path.clone(),
        require_agent_key_in_tpm: settings.require_agent_key_in_tpm,
    }
}

fn sshpop(settings: &Sshpop) -> sshpop::Configuration {
    sshpop::Configuration {
        cert_authorities: settings.cert_authorities.clone(),
        cert_authorities_path: settings.cert_authorities_path.clone(),
        canonical_domain: settings.canonical_domain.clone(),
        agent_path_template: settings.agent_path_template.clone(),
    }
}

fn x509pop(settings: &X509pop) -> x509pop::Configuration {
    let (mode, spiffe_prefix, ca_bundle_paths) = match &settings.mode {
        X509popMode::ExternalPki { ca_bundle_paths } => ("external_pki", None, ca_bundle_paths.clone()),
        X509popMode::Spiffe { prefix } => ("spiffe", Some(prefix.clone()), Vec::new()),
    };
    x509pop::Configuration {
        mode: Some(mode.to_owned()),
        spiffe_prefix,
        ca_bundle_path: None,
        ca_bundle_paths,
        agent_path_template: settings.agent_path_template.clone(),
        max_intermediates: i64::try_from(settings.max_intermediates).ok(),
        max_rsa_key_size: i64::try_from(settings.max_rsa_key_size).ok(),
        verify_client_ip: settings.verify_client_ip,
    }
}
