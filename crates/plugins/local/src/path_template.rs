//! `agent_path_template`: the path of an agent's identity, made of what its certificate says.
//!
//! SPIRE takes Go templates with a library of functions. Here is what its documentation shows and people write, and
//! nothing is guessed: any other form is refused when the configuration is read.
//!
//! ```text
//! template = (text | "{{" ["- "] value ("|" function)* [" -"] "}}")*          "- " eats the white space beside it
//! function = lower | upper | trimPrefix "TEXT" | trimSuffix "TEXT"
//! ```
//!
//! Which values there are is the attestor's affair.

/// Why a template was refused, or yielded no path.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TemplateError {
    /// `{{` without `}}`, or `}}` alone.
    #[error("the template is cut short: each {{{{ needs its }}}}")]
    Unclosed,
    /// A value that is not known.
    #[error("\"{given}\" is not supported in a path template; use {known}")]
    UnknownValue {
        /// What was written.
        given: String,
        /// What can be written, in words.
        known: &'static str,
    },
    /// A function that is not known.
    #[error(
        "\"{0}\" is not supported in a path template; use lower, upper, trimPrefix \"TEXT\" or trimSuffix \"TEXT\""
    )]
    UnknownFunction(String),
    /// Every path starts with a slash.
    #[error("the path must start with a slash")]
    NoSlash,
    /// The certificate lacks what the template asks for.
    #[error("the certificate has no {0}, which the path template asks for")]
    Missing(String),
}

/// What the templates of an attestor can ask for.
pub(crate) trait Value: Sized {
    /// All of them in words, for messages.
    const KNOWN: &'static str;

    /// The value of this name, as it stands in a template.
    fn parse(text: &str) -> Option<Self>;
}

/// A template that has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathTemplate<V>(Vec<Part<V>>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part<V> {
    Text(String),
    Value(V, Vec<Function>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Function {
    Lower,
    Upper,
    TrimPrefix(String),
    TrimSuffix(String),
}

impl<V: Value> PathTemplate<V> {
    /// Reads a template in the forms that the module lists.
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateError> {
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
    pub(crate) fn fill<'f>(
        &self,
        facts: impl Fn(&V) -> Result<std::borrow::Cow<'f, str>, TemplateError>,
    ) -> Result<String, TemplateError> {
        let mut path = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => path.push_str(text),
                Part::Value(value, functions) => {
                    let start = facts(value)?.into_owned();
                    path.push_str(&functions.iter().fold(start, |text, function| function.of(text)));
                }
            }
        }
        Ok(path)
    }
}

fn literal<V>(parts: &mut Vec<Part<V>>, text: &str) -> Result<(), TemplateError> {
    if text.contains("}}") {
        return Err(TemplateError::Unclosed);
    }
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
    Ok(())
}

fn action_of<V: Value>(action: &str) -> Result<Part<V>, TemplateError> {
    let mut stages = split_outside_quotes(action).into_iter();
    let value = stages.next().unwrap_or_default();
    let value = value.trim();
    let unknown = || TemplateError::UnknownValue { given: value.to_owned(), known: V::KNOWN };
    let value = V::parse(value).ok_or_else(unknown)?;
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
pub(crate) fn quoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains(['"', '\\'])).then(|| inner.to_owned())
}

/// The key of `index .NAME KEY`, as it is written.
pub(crate) fn index_of<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let key =
        text.strip_prefix("index")?.strip_prefix(char::is_whitespace)?.trim_start().strip_prefix(name)?;
    key.starts_with(char::is_whitespace).then(|| key.trim())
}

/// Whether a key may stand behind a dot.
pub(crate) fn is_identifier(key: &str) -> bool {
    key.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && key.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
}
