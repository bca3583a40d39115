//! In which form a client takes authorities, by what it says of itself.

use prost_types::value::Kind;
use proto::envoy::config::core::v3::Node;
use proto::envoy::config::core::v3::node::UserAgentVersionType;

use super::SdsNames;

/// The key of a node's metadata that stands over the agent's setting.
const DISABLE: &str = "disable_spiffe_cert_validation";

/// In which form authorities go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Settings of Envoy's SPIFFE validator: each trust domain has its own authorities.
    Validator,
    /// A list of certificates, any of which vouches for any name.
    Roots,
}

impl Form {
    /// The form for a client that says this of itself, or nothing.
    pub(super) fn of(node: Option<&Node>, names: &SdsNames) -> Self {
        let disabled = node.and_then(wish).unwrap_or(names.disable_spiffe_cert_validation);
        match disabled || node.is_some_and(too_old) {
            true => Self::Roots,
            false => Self::Validator,
        }
    }
}

/// What the metadata say; a value that is neither true nor false says nothing.
fn wish(node: &Node) -> Option<bool> {
    match node.metadata.as_ref()?.fields.get(DISABLE)?.kind.as_ref()? {
        Kind::BoolValue(value) => Some(*value),
        Kind::StringValue(text) => match text.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Whether it is an Envoy from before the validator, 1.18. One that does not say is not.
fn too_old(node: &Node) -> bool {
    let Some(UserAgentVersionType::UserAgentBuildVersion(build)) = &node.user_agent_version_type else {
        return false;
    };
    build.version.as_ref().is_some_and(|version| (version.major_number, version.minor_number) < (1, 18))
}
