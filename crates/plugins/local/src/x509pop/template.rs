//! `agent_path_template`: the path of an agent's identity, made of what its certificate says.
//!
//! SPIRE takes Go templates with a library of functions. Here is what its documentation shows and people write, and
//! nothing is guessed: any other form is refused when the configuration is read.
//!
//! ```text
//! template = (text | "{{" ["- "] value ("|" function)* [" -"] "}}")*          "- " eats the white space beside it
//! value    = .PluginName | .TrustDomain | .Fingerprint | .SerialNumberHex | .SVIDPathTrimmed
//!          | .Subject.CommonName | .URISanSelectors.KEY | index .URISanSelectors "KEY"
//! function = lower | upper | trimPrefix "TEXT" | trimSuffix "TEXT"
//! ```

use std::collections::BTreeMap;

/// Why a template was refused, or yielded no path.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TemplateError {
    /// `{{` without `}}`, or `}}` alone.
    #[error("the template is cut short: each {{{{ needs its }}}}")]
    Unclosed,
    /// A value that is not known.
    #[error(
        "\"{0}\" is not supported in a path template; use .PluginName, .TrustDomain, .Fingerprint, \
         .SerialNumberHex, .SVIDPathTrimmed, .Subject.CommonName, .URISanSelectors.KEY or \
         index .URISanSelectors \"KEY\""
    )]
    UnknownValue(String),
    /// A function that is not known.
    #[error(
        "\"{0}\" is not supported in a path template; use lower, upper, trimPrefix \"TEXT\" or trimSuffix \"TEXT\""
    )]
    UnknownFunction(String),
    /// Every path starts with a slash.
    #[error("the path must start with a slash")]
    NoSlash,
    /// The certificate has no selector of that key.
    #[error("the certificate has no URI x509pop://<trust domain>/{0}/…, which the path template asks for")]
    NoSelector(String),
}

/// A template that has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTemplate(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(Value, Vec<Function>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    PluginName,
    TrustDomain,
    Fingerprint,
    SerialNumberHex,
    SvidPathTrimmed,
    CommonName,
    UriSan(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Function {
    Lower,
    Upper,
    TrimPrefix(String),
    TrimSuffix(String),
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

impl PathTemplate {
    /// Reads a template in the forms that the module lists.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        let mut eat = false;
        while let Some((before, after)) = rest.split_once("{{") {
            let (action, after) = after.split_once("}}").ok_or(TemplateError::Unclosed)?;
            let (eats_before, action) = match action.strip_prefix("- ") {
                Some(action) => (true, action),
                None => (false, action),
            };
            let (eats_after, action) = match action.strip_suffix(" -") {
                Some(action) => (true, action),
                None => (false, action),
            };
            let before = if eat { before.trim_start() } else { before };
            literal(&mut parts, if eats_before { before.trim_end() } else { before })?;
            parts.push(action_of(action)?);
            (rest, eat) = (after, eats_after);
        }
        literal(&mut parts, if eat { rest.trim_start() } else { rest })?;
        match parts.first() {
            Some(Part::Text(text)) if text.starts_with('/') => Ok(Self(parts)),
            _ => Err(TemplateError::NoSlash),
        }
    }

    /// The path, which is not yet known to be one that a SPIFFE ID can have.
    pub(super) fn fill(&self, facts: &Facts<'_>) -> Result<String, TemplateError> {
        let mut path = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => path.push_str(text),
                Part::Value(value, functions) => {
                    let start = value.of(facts)?.to_owned();
                    path.push_str(&functions.iter().fold(start, |text, function| function.of(text)));
                }
            }
        }
        Ok(path)
    }
}

fn literal(parts: &mut Vec<Part>, text: &str) -> Result<(), TemplateError> {
    if text.contains("}}") {
        return Err(TemplateError::Unclosed);
    }
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
    Ok(())
}

fn action_of(action: &str) -> Result<Part, TemplateError> {
    let mut stages = split_outside_quotes(action).into_iter();
    let value = stages.next().unwrap_or_default();
    let value = Value::parse(value.trim())?;
    let functions = stages.map(|stage| Function::parse(stage.trim())).collect::<Result<_, _>>()?;
    Ok(Part::Value(value, functions))
}

/// Cuts at `|`, but not within a quoted text.
fn split_outside_quotes(action: &str) -> Vec<&str> {
    let mut quoted = false;
    action
        .split(|letter| {
            quoted ^= letter == '"';
            letter == '|' && !quoted
        })
        .collect()
}

impl Value {
    fn parse(text: &str) -> Result<Self, TemplateError> {
        let unknown = || TemplateError::UnknownValue(text.to_owned());
        Ok(match text {
            ".PluginName" => Self::PluginName,
            ".TrustDomain" => Self::TrustDomain,
            ".Fingerprint" => Self::Fingerprint,
            ".SerialNumberHex" => Self::SerialNumberHex,
            ".SVIDPathTrimmed" => Self::SvidPathTrimmed,
            ".Subject.CommonName" => Self::CommonName,
            _ => match text.strip_prefix(".URISanSelectors.") {
                Some(key) if is_identifier(key) => Self::UriSan(key.to_owned()),
                _ => {
                    let words = text
                        .strip_prefix("index")
                        .and_then(|rest| rest.trim().strip_prefix(".URISanSelectors"));
                    let key = words.filter(|key| key.starts_with(char::is_whitespace)).ok_or_else(unknown)?;
                    Self::UriSan(quoted(key.trim()).ok_or_else(unknown)?)
                }
            },
        })
    }

    fn of<'a>(&self, facts: &Facts<'a>) -> Result<&'a str, TemplateError> {
        Ok(match self {
            Self::PluginName => super::NAME,
            Self::TrustDomain => facts.trust_domain,
            Self::Fingerprint => facts.fingerprint,
            Self::SerialNumberHex => facts.serial_number_hex,
            Self::SvidPathTrimmed => facts.svid_path_trimmed,
            Self::CommonName => facts.common_name,
            Self::UriSan(key) => {
                facts.uri_sans.get(key).ok_or_else(|| TemplateError::NoSelector(key.clone()))?
            }
        })
    }
}

impl Function {
    fn parse(text: &str) -> Result<Self, TemplateError> {
        let unknown = || TemplateError::UnknownFunction(text.to_owned());
        let (name, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let argument = argument.trim();
        match (name, argument) {
            ("lower", "") => Ok(Self::Lower),
            ("upper", "") => Ok(Self::Upper),
            ("trimPrefix", _) => quoted(argument).map(Self::TrimPrefix).ok_or_else(unknown),
            ("trimSuffix", _) => quoted(argument).map(Self::TrimSuffix).ok_or_else(unknown),
            _ => Err(unknown()),
        }
    }

    fn of(&self, text: String) -> String {
        match self {
            Self::Lower => text.to_lowercase(),
            Self::Upper => text.to_uppercase(),
            Self::TrimPrefix(prefix) => text.strip_prefix(prefix.as_str()).unwrap_or(&text).to_owned(),
            Self::TrimSuffix(suffix) => text.strip_suffix(suffix.as_str()).unwrap_or(&text).to_owned(),
        }
    }
}

/// A text in double quotes, without escapes.
fn quoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains(['"', '\\'])).then(|| inner.to_owned())
}

fn is_identifier(key: &str) -> bool {
    key.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && key.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

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
        PathTemplate::parse(template)?.fill(&facts)
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
            assert!(matches!(fill(template), Err(TemplateError::UnknownValue(_))), "{template}");
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
        assert_eq!(fill("/{{ .URISanSelectors.rack }}"), Err(TemplateError::NoSelector("rack".to_owned())));
    }
}
