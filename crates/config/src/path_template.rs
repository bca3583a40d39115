//! `agent_path_template`: the path of an agent's SPIFFE ID, made from what its attestation proved.
//!
//! Of Go's template language the part that paths need is read: text, and fields as in
//! `{{ .Subject.CommonName }}`. Functions, pipelines and conditions are refused.

use std::fmt;

/// A path with fields to be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTemplate {
    text: String,
    parts: Vec<PathPart>,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathPart {
    /// Text as it stands.
    Text(String),
    /// A field by its dotted name, without the leading dot: `Subject.CommonName`.
    Field(String),
}

/// A template that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `{{` without `}}`.
    #[error("\"{{{{\" is never closed; add \"}}}}\"")]
    Unclosed,
    /// More than a field.
    #[error(
        "{0:?} is not supported yet: only fields as in \"{{{{ .PluginName }}}}\" are, not functions or conditions"
    )]
    NotAField(String),
    /// A field that is not known here.
    #[error("there is no field {field:?}; known are {known}")]
    UnknownField {
        /// The field.
        field: String,
        /// The fields that may be used.
        known: String,
    },
}

impl PathTemplate {
    /// Reads a template whose fields are `known`; a known name that ends in `.*` stands for any key there.
    ///
    /// # Errors
    /// If the template is malformed, uses more than fields, or a field that is not known.
    pub fn parse(text: &str, known: &[&str]) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (action, after) = after.split_once("}}").ok_or(TemplateError::Unclosed)?;
            if !before.is_empty() {
                parts.push(PathPart::Text(before.to_owned()));
            }
            let field = field(action).ok_or_else(|| TemplateError::NotAField(action.trim().to_owned()))?;
            if !known.iter().any(|pattern| matches(pattern, field)) {
                let known = known.join(", ");
                return Err(TemplateError::UnknownField { field: field.to_owned(), known });
            }
            parts.push(PathPart::Field(field.to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(PathPart::Text(rest.to_owned()));
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The pieces, in order.
    #[must_use]
    pub fn parts(&self) -> &[PathPart] {
        &self.parts
    }

    /// The path, with every field looked up by its dotted name.
    ///
    /// # Errors
    /// The name of the first field that `lookup` does not know.
    pub fn render(&self, lookup: impl Fn(&str) -> Option<String>) -> Result<String, String> {
        let mut path = String::new();
        for part in &self.parts {
            match part {
                PathPart::Text(text) => path.push_str(text),
                PathPart::Field(name) => path.push_str(&lookup(name).ok_or_else(|| name.clone())?),
            }
        }
        Ok(path)
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The dotted name in an action, if the action is a field and nothing else.
fn field(action: &str) -> Option<&str> {
    let name = action.trim().strip_prefix('.')?;
    let word = |part: &str| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    name.split('.').all(word).then_some(name)
}

fn matches(pattern: &str, field: &str) -> bool {
    match pattern.strip_suffix(".*") {
        Some(map) => field
            .strip_prefix(map)
            .and_then(|rest| rest.strip_prefix('.'))
            .is_some_and(|key| !key.contains('.')),
        None => pattern == field,
    }
}
