//! What `agent_path_template` can ask of a host's certificate.
//!
//! ```text
//! value = .PluginName | .Fingerprint | .Hostname | .KeyId | .Serial | .ValidAfter | .ValidBefore
//!       | index .ValidPrincipals NUMBER | index .Extensions "NAME" | index .CriticalOptions "NAME"
//! ```

use std::borrow::Cow;

use super::certificate::Certificate;
use crate::path_template::{self, TemplateError, index_of, quoted};

/// A value of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    PluginName,
    Fingerprint,
    Hostname,
    KeyId,
    Serial,
    ValidAfter,
    ValidBefore,
    Principal(usize),
    Extension(String),
    CriticalOption(String),
}

impl path_template::Value for Value {
    const KNOWN: &'static str = ".PluginName, .Fingerprint, .Hostname, .KeyId, .Serial, .ValidAfter, .ValidBefore, \
                                 index .ValidPrincipals NUMBER, index .Extensions \"NAME\" or \
                                 index .CriticalOptions \"NAME\"";

    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            ".PluginName" => Self::PluginName,
            ".Fingerprint" => Self::Fingerprint,
            ".Hostname" => Self::Hostname,
            ".KeyId" => Self::KeyId,
            ".Serial" => Self::Serial,
            ".ValidAfter" => Self::ValidAfter,
            ".ValidBefore" => Self::ValidBefore,
            _ => match index_of(text, ".ValidPrincipals") {
                Some(number) => Self::Principal(number.parse().ok()?),
                None => match index_of(text, ".Extensions") {
                    Some(name) => Self::Extension(quoted(name)?),
                    None => Self::CriticalOption(quoted(index_of(text, ".CriticalOptions")?)?),
                },
            },
        })
    }
}

impl Value {
    pub(super) fn of<'c>(
        &self,
        certificate: &'c Certificate,
        host: &'c str,
    ) -> Result<Cow<'c, str>, TemplateError> {
        let missing = |what: String| TemplateError::Missing(what);
        Ok(match self {
            Self::PluginName => super::NAME.into(),
            Self::Fingerprint => certificate.fingerprint().into(),
            Self::Hostname => host.into(),
            Self::KeyId => certificate.key_id.as_str().into(),
            Self::Serial => certificate.serial.to_string().into(),
            Self::ValidAfter => certificate.valid_after.to_string().into(),
            Self::ValidBefore => certificate.valid_before.to_string().into(),
            Self::Principal(number) => certificate
                .principals
                .get(*number)
                .ok_or_else(|| missing(format!("valid principal of number {number}")))?
                .into(),
            Self::Extension(name) => {
                let value = certificate.extensions.get(name);
                value.ok_or_else(|| missing(format!("extension {name}")))?.into()
            }
            Self::CriticalOption(name) => {
                let value = certificate.critical_options.get(name);
                value.ok_or_else(|| missing(format!("critical option {name}")))?.into()
            }
        })
    }
}
