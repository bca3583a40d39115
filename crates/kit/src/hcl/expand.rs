//! `-expandEnv`: environment variables in a file's text, by the rules of Go's `os.Expand`.

/// Text after expansion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expanded {
    /// The text with every reference replaced.
    pub text: String,
    /// The variables that are not set, each once, in the order met. They were replaced by nothing.
    pub unset: Vec<String>,
}

/// Replaces `$NAME` and `${NAME}` by variables of this process; `$$` is one dollar sign.
#[must_use]
pub fn expand_env(text: &str) -> Expanded {
    expand_with(text, |name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
}

/// As [`expand_env`], with variables looked up by `lookup`.
pub fn expand_with(text: &str, lookup: impl Fn(&str) -> Option<String>) -> Expanded {
    let mut expanded = Expanded { text: String::with_capacity(text.len()), unset: Vec::new() };
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        let (before, from_dollar) = rest.split_at(dollar);
        let after = from_dollar.strip_prefix('$').unwrap_or_default();
        expanded.text.push_str(before);
        if after.is_empty() {
            rest = from_dollar;
            break;
        }
        let reference = Reference::read(after);
        match reference.name {
            Some("$") => expanded.text.push('$'),
            Some(name) => match lookup(name) {
                Some(value) => expanded.text.push_str(&value),
                None if expanded.unset.iter().any(|known| known == name) => {}
                None => expanded.unset.push(name.to_owned()),
            },
            None if reference.width == 0 => expanded.text.push('$'),
            None => {}
        }
        rest = after.split_at(reference.width).1;
    }
    expanded.text.push_str(rest);
    expanded
}

/// What follows a dollar sign.
struct Reference<'a> {
    /// The variable; none when no name follows or the braces are malformed.
    name: Option<&'a str>,
    /// How many bytes after the dollar sign belong to the reference.
    width: usize,
}

impl<'a> Reference<'a> {
    fn read(after: &'a str) -> Self {
        if let Some(inner) = after.strip_prefix('{') {
            return match inner.split_once('}') {
                None => Self { name: None, width: 1 },
                Some(("", _)) => Self { name: None, width: 2 },
                Some((name, _)) => Self { name: Some(name), width: name.len() + 2 },
            };
        }
        let width = match after.chars().next() {
            Some('*' | '#' | '$' | '@' | '!' | '?' | '-' | '0'..='9') => 1,
            _ => after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len()),
        };
        let name = after.split_at(width).0;
        Self { name: (!name.is_empty()).then_some(name), width }
    }
}
