use std::path::PathBuf;

use super::super::super::block::{Block, Unknown};
use super::super::super::given::Given;
use super::super::super::plugin::Plugin;
use super::super::super::problem::Problem;

/// Attestation by an X.509 certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct X509pop {
    /// Who issues the certificates.
    pub mode: X509popMode,
    /// The template of the agent's path below `/spire/agent`, if one is set; the attestor knows which forms it takes.
    pub agent_path_template: Option<String>,
    /// The most certificates between the leaf and a root.
    pub max_intermediates: usize,
    /// The largest RSA key, in bits.
    pub max_rsa_key_size: usize,
    /// Whether the client's address must be in the certificate.
    pub verify_client_ip: bool,
}

/// Who issues the certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum X509popMode {
    /// Authorities kept in PEM files.
    ExternalPki {
        /// The files.
        ca_bundle_paths: Vec<PathBuf>,
    },
    /// This trust domain: the certificate is an X.509-SVID.
    Spiffe {
        /// What the path of the SVID's ID must begin with; ends in a slash.
        prefix: String,
    },
}

/// Reads the settings of NodeAttestor `x509pop`.
pub(in super::super) fn read(plugin: &Plugin<'_>) -> Option<X509pop> {
    let block = plugin.data();
    let mode = mode(&block);
    let agent_path_template = block.text("agent_path_template").map(|given| given.value);
    let max_intermediates = at_least_one(&block, "max_intermediates", 4);
    let max_rsa_key_size = at_least_one(&block, "max_rsa_key_size", 8192);
    let verify_client_ip = block.switch("verify_client_ip").is_some_and(|given| given.value);
    block.finish(Unknown::Warn);
    Some(X509pop { mode: mode?, agent_path_template, max_intermediates, max_rsa_key_size, verify_client_ip })
}

fn mode(block: &Block<'_>) -> Option<X509popMode> {
    let one = block.text("ca_bundle_path");
    let several = block.texts("ca_bundle_paths");
    let prefix = block.text_or_empty("spiffe_prefix");
    let name = block.text("mode");
    match name.as_ref().map(|given| given.value.as_str()) {
        None | Some("external_pki") => external_pki(block, one, several, prefix),
        Some("spiffe") => {
            let with = "with mode \"spiffe\", where the trust domain's own bundle is used";
            for key in ["ca_bundle_path", "ca_bundle_paths"] {
                block.no_meaning(key, with);
            }
            let mut prefix = prefix.map_or_else(|| "/spire-exchange/".to_owned(), |given| given.value);
            if !prefix.ends_with('/') {
                prefix.push('/');
            }
            Some(X509popMode::Spiffe { prefix })
        }
        Some(_) => {
            let Given { value, place } = name?;
            let why = "it must be \"external_pki\" or \"spiffe\"".to_owned();
            block.mistake(place, Problem::BadValue { key: "mode".to_owned(), value, why });
            None
        }
    }
}

fn external_pki(
    block: &Block<'_>,
    one: Option<Given<String>>,
    several: Vec<Given<String>>,
    prefix: Option<Given<String>>,
) -> Option<X509popMode> {
    if prefix.is_some() {
        block.no_meaning("spiffe_prefix", "with mode \"external_pki\"");
    }
    if let (Some(given), false) = (&one, several.is_empty()) {
        let problem = Problem::OnlyOne(vec!["ca_bundle_path", "ca_bundle_paths"]);
        block.mistake(given.place.clone(), problem);
        return None;
    }
    let ca_bundle_paths: Vec<PathBuf> =
        one.into_iter().chain(several).map(|given| given.value.into()).collect();
    if ca_bundle_paths.is_empty() {
        block.required(
            "ca_bundle_path or ca_bundle_paths",
            "the authorities that node certificates come from",
        );
        return None;
    }
    Some(X509popMode::ExternalPki { ca_bundle_paths })
}

fn at_least_one(block: &Block<'_>, key: &'static str, default: usize) -> usize {
    let Some(given) = block.number(key) else {
        return default;
    };
    match usize::try_from(given.value) {
        Ok(value) if value > 0 => value,
        _ => {
            let (value, why) = (given.value.to_string(), "it must be greater than 0".to_owned());
            block.mistake(given.place, Problem::BadValue { key: key.to_owned(), value, why });
            default
        }
    }
}
