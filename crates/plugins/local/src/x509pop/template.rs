//! What `agent_path_template` can ask of a node's certificate.
//!
//! ```text
//! value = .PluginName | .TrustDomain | .Fingerprint | .SerialNumberHex | .SVIDPathTrimmed
//!       | .Subject.CommonName | .URISanSelectors.KEY | index .URISanSelectors "KEY"
//! ```

use std::collections::BTreeMap;

use crate::path_template::{self, TemplateError, index_of, is_identifier, quoted};

/// A value of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// The attestor's name.
    PluginName,
    /// The name of the trust domain.
    TrustDomain,
    /// SHA-1 of the certificate.
    Fingerprint,
    /// Its serial number.
    SerialNumberHex,
    /// In mode `spiffe`, the path of its SPIFFE ID below the prefix.
    SvidPathTrimmed,
    /// The common name of its subject.
    CommonName,
    /// A selector that its URIs hold.
    UriSan(String),
}

/// What a template can ask for.
pub(super) struct Facts<'a> {
    pub(super) trust_domain: &'a str,
    pub(super) fingerprint: &'a str,
    pub(super) serial_number_hex: &'a str,
    pub(super) svid_path_trimmed: &'a str,
    pub(super) common_name: &'a str,
    pub(super) uri_sans: &'a BTreeMap<String, String>,
}

impl path_template::Value for Value {
    const KNOWN: &'static str = ".PluginName, .TrustDomain, .Fingerprint, .SerialNumberHex, .SVIDPathTrimmed, \
                                 .Subject.CommonName, .URISanSelectors.KEY or index .URISanSelectors \"KEY\"";

    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            ".PluginName" => Self::PluginName,
            ".TrustDomain" => Self::TrustDomain,
            ".Fingerprint" => Self::Fingerprint,
            ".SerialNumberHex" => Self::SerialNumberHex,
            ".SVIDPathTrimmed" => Self::SvidPathTrimmed,
            ".Subject.CommonName" => Self::CommonName,
            _ => match text.strip_prefix(".URISanSelectors.") {
                Some(key) if is_identifier(key) => Self::UriSan(key.to_owned()),
                _ => Self::UriSan(quoted(index_of(text, ".URISanSelectors")?)?),
            },
        })
    }
}

impl Value {
    pub(super) fn of<'a>(&self, facts: &Facts<'a>) -> Result<&'a str, TemplateError> {
        Ok(match self {
            Self::PluginName => super::NAME,
            Self::TrustDomain => facts.trust_domain,
            Self::Fingerprint => facts.fingerprint,
            Self::SerialNumberHex => facts.serial_number_hex,
            Self::SvidPathTrimmed => facts.svid_path_trimmed,
            Self::CommonName => facts.common_name,
            Self::UriSan(key) => facts
                .uri_sans
                .get(key)
                .ok_or_else(|| TemplateError::Missing(format!("URI x509pop://<trust domain>/{key}/…")))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path_template::PathTemplate;

    fn fill(template: &str) -> Result<String, TemplateError> {
        let uri_sans =
            BTreeMap::from([("env".to_owned(), "prod/a".to_owned()), ("a-b".to_owned(), "c".to_owned())]);
        let facts = Facts {
            trust_domain: "example.org",
            fingerprint: "abcd",
            serial_number_hex: "0a1b",
            svid_path_trimmed: "host/1",
            common_name: "Node-1.Example.ORG",
            uri_sans: &uri_sans,
        };
        PathTemplate::parse(template)?.fill(|value: &Value| value.of(&facts).map(Into::into))
    }

    #[test]
    fn every_documented_value_is_filled_in() {
        for (template, path) in [
            ("/{{ .PluginName }}/{{ .Fingerprint }}", "/x509pop/abcd"),
            ("/{{.PluginName}}/{{ .SVIDPathTrimmed }}", "/x509pop/host/1"),
            ("/cn/{{ .Subject.CommonName }}", "/cn/Node-1.Example.ORG"),
            ("/{{ .TrustDomain }}/{{ .SerialNumberHex }}/x", "/example.org/0a1b/x"),
            ("/{{ .URISanSelectors.env }}", "/prod/a"),
            ("/{{ index .URISanSelectors \"a-b\" }}", "/c"),
            ("/static", "/static"),
        ] {
            assert_eq!(fill(template).as_deref(), Ok(path), "{template}");
        }
    }

    #[test]
    fn functions_apply_in_order() {
        let cn = "/{{ .Subject.CommonName | lower | trimSuffix \".example.org\" | trimPrefix \"node-\" }}";
        assert_eq!(fill(cn).as_deref(), Ok("/1"));
        assert_eq!(fill("/{{ .Fingerprint | upper | trimPrefix \"|\" }}").as_deref(), Ok("/ABCD"));
    }

    #[test]
    fn dashes_eat_white_space() {
        assert_eq!(fill("/a/ {{- .Fingerprint -}} /b").as_deref(), Ok("/a/abcd/b"));
    }

    #[test]
    fn other_forms_are_refused_by_name() {
        for template in [
            "/{{ .Subject.Organization }}",
            "/{{ if .Fingerprint }}x{{ end }}",
            "/{{ .URISanSelectors.a-b }}",
            "/{{ index .DNSNames 0 }}",
            "/{{ printf \"%s\" .Fingerprint }}",
            "/{{ }}",
        ] {
            assert!(matches!(fill(template), Err(TemplateError::UnknownValue { .. })), "{template}");
        }
        let refused = fill("/{{ .Fingerprint | sha256sum }}");
        assert_eq!(refused, Err(TemplateError::UnknownFunction("sha256sum".to_owned())));
    }

    #[test]
    fn a_template_cut_short_is_refused() {
        assert_eq!(fill("/{{ .Fingerprint"), Err(TemplateError::Unclosed));
        assert_eq!(fill("/ .Fingerprint }}"), Err(TemplateError::Unclosed));
    }

    #[test]
    fn a_path_starts_with_a_slash() {
        for template in ["", "x509pop/a", "{{ .PluginName }}/{{ .Fingerprint }}"] {
            assert_eq!(fill(template), Err(TemplateError::NoSlash), "{template}");
        }
    }

    #[test]
    fn a_selector_that_the_certificate_lacks_is_an_error() {
        assert_eq!(
            fill("/{{ .URISanSelectors.rack }}"),
            Err(TemplateError::Missing("URI x509pop://<trust domain>/rack/…".to_owned()))
        );
    }
}
