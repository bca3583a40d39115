//! What Envoy's discovery of secrets calls things.

use super::super::block::{Block, Unknown};
use super::super::problem::Notice;
use super::Overrides;
use super::switch_or;

/// What Envoy's discovery of secrets calls things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sds {
    /// The first identity's key and certificates.
    pub default_svid_name: String,
    /// The authorities of the agent's trust domain.
    pub default_bundle_name: String,
    /// The same with those of federated trust domains.
    pub default_all_bundles_name: String,
    /// Whether authorities go out as a plain list, not as settings of Envoy's SPIFFE validator.
    pub disable_spiffe_cert_validation: bool,
}

/// Reads `sds` and `disable_sds_api`: what things are called, unless it is not served.
pub(super) fn read(agent: &Block<'_>, flags: &Overrides) -> Option<Sds> {
    let sds = agent.block("sds").map_or_else(Sds::default, names);
    let disabled = switch_or("-disableSDSAPI", flags.disable_sds_api, agent.switch("disable_sds_api"));
    (!disabled.is_some_and(|given| given.value)).then_some(sds)
}

impl Default for Sds {
    fn default() -> Self {
        Self {
            default_svid_name: "default".to_owned(),
            default_bundle_name: "ROOTCA".to_owned(),
            default_all_bundles_name: "ALL".to_owned(),
            disable_spiffe_cert_validation: false,
        }
    }
}

fn names(block: Block<'_>) -> Sds {
    let Sds { default_svid_name, default_bundle_name, default_all_bundles_name, .. } = Sds::default();
    let sds = Sds {
        default_svid_name: name(&block, "default_svid_name", default_svid_name),
        default_bundle_name: name(&block, "default_bundle_name", default_bundle_name),
        default_all_bundles_name: name(&block, "default_all_bundles_name", default_all_bundles_name),
        disable_spiffe_cert_validation: block
            .switch("disable_spiffe_cert_validation")
            .is_some_and(|given| given.value),
    };
    if sds.default_bundle_name == sds.default_all_bundles_name {
        let key = "default_all_bundles_name".to_owned();
        let why = "default_bundle_name is the same, and goes before it; give one of them another value";
        block.warn(block.place(), Notice::NoEffect { key, why });
    }
    block.finish(Unknown::Warn);
    sds
}

fn name(block: &Block<'_>, key: &'static str, default: String) -> String {
    block.text(key).map_or(default, |given| given.value)
}
