//! What can be wrong with a configuration, and what can be odd about it.

use kit::duration::DurationError;
use kit::hcl::HclError;

/// A mistake.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Problem {
    /// The file is neither HCL nor JSON.
    #[error("{}", .0.fault())]
    Syntax(HclError),
    /// A key that nobody knows.
    #[error("{}", unknown(.what, .section, .nearest.as_deref()))]
    Unknown {
        /// The key or name, as written.
        what: String,
        /// The section it stands in.
        section: String,
        /// The known key that it resembles.
        nearest: Option<String>,
    },
    /// A key of a feature that is not there.
    #[error("{what} is not supported yet: it would {would}; remove it to go on without")]
    NotYet {
        /// The key, or the plugin.
        what: String,
        /// What it does in SPIRE.
        would: &'static str,
    },
    /// A key for another operating system.
    #[error("{key} is for Windows; use {instead} here")]
    OtherPlatform {
        /// The key.
        key: String,
        /// The key to use.
        instead: &'static str,
    },
    /// A value of the wrong kind.
    #[error("{key} must be {wanted}, not {found}")]
    WrongKind {
        /// The key.
        key: String,
        /// The kind it must be.
        wanted: &'static str,
        /// The kind it is.
        found: &'static str,
    },
    /// A value that cannot be used.
    #[error("{key} {value:?} cannot be used: {why}")]
    BadValue {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// Why, and what to write.
        why: String,
    },
    /// A value that is no duration.
    #[error("{key} {value:?}: {cause}")]
    BadDuration {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// Why.
        cause: DurationError,
    },
    /// A key that must be there.
    #[error("{key} must be configured: {why}")]
    Required {
        /// The key.
        key: String,
        /// What it is for.
        why: &'static str,
    },
    /// Keys that exclude each other.
    #[error("only one of {} may be set; remove the others", .0.join(", "))]
    OnlyOne(Vec<&'static str>),
    /// A key that makes no sense without another.
    #[error("{key} has no meaning without {needs}; set that too, or remove this")]
    Needs {
        /// The key.
        key: String,
        /// The key it needs.
        needs: &'static str,
    },
    /// A key that has no meaning with the choice made.
    #[error("{key} has no meaning {with}; remove it")]
    NoMeaning {
        /// The key.
        key: String,
        /// The choice: "with an SQLite database".
        with: &'static str,
    },
    /// A lifetime longer than the authority's.
    #[error("{0}")]
    Ttl(#[from] super::server::Outlives),
    /// A plugin that stands twice.
    #[error("plugin {kind} {name:?} is declared more than once; keep one")]
    PluginTwice {
        /// The type.
        kind: String,
        /// The name.
        name: String,
    },
    /// Too many or too few plugins of a type.
    #[error("{wanted} {kind} plugin must be configured, {found} are; known are {known}")]
    PluginCount {
        /// The type.
        kind: &'static str,
        /// How many there must be, in words.
        wanted: &'static str,
        /// How many there are.
        found: usize,
        /// The names that may be used.
        known: String,
    },
    /// A file named by the configuration cannot be read.
    #[error("{key} names {path}, which cannot be read: {cause}")]
    Unreadable {
        /// The key.
        key: String,
        /// The file.
        path: String,
        /// Why.
        cause: String,
    },
}

fn unknown(what: &str, section: &str, nearest: Option<&str>) -> String {
    match nearest {
        Some(nearest) => format!("unknown key {what:?} in {section}; did you mean {nearest:?}?"),
        None => format!("unknown key {what:?} in {section}; remove it"),
    }
}

/// A reason for a warning.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Notice {
    /// An unknown key where SPIRE lets one pass.
    #[error("{} It is ignored.", unknown_sentence(.key, .section, .nearest.as_deref()))]
    UnknownIgnored {
        /// The key.
        key: String,
        /// The section it stands in.
        section: String,
        /// The known key that it resembles.
        nearest: Option<String>,
    },
    /// A key that changes nothing.
    #[error("{key} has no effect: {why}")]
    NoEffect {
        /// The key.
        key: String,
        /// Why.
        why: &'static str,
    },
    /// A key that stands more than once.
    #[error("{0} is set more than once; the last one counts")]
    Repeated(String),
    /// The first server that answers will be believed.
    #[error("insecure_bootstrap is set: the first server that answers is believed without proof")]
    InsecureBootstrap,
    /// An empty subject.
    #[error("ca_subject is empty; the default C=US, O=SPIFFE is used")]
    EmptySubject,
    /// A default was lowered to fit the authority's lifetime.
    #[error("{key} is not set; its default of {default} is lowered to {used}, a sixth of ca_ttl")]
    DefaultLowered {
        /// The key.
        key: &'static str,
        /// The default, printed.
        default: String,
        /// What is used, printed.
        used: String,
    },
    /// A lifetime that the rotation of the authority may cut short.
    #[error("{0}")]
    CutShort(#[from] super::server::CutShort),
    /// A variable that is not set.
    #[error("environment variable {0} is not set; its place in the file was left empty")]
    VariableUnset(String),
    /// Something will be lost at each restart.
    #[error("KeyManager \"memory\" forgets its keys when the process ends: {0}")]
    KeysInMemory(&'static str),
}

fn unknown_sentence(key: &str, section: &str, nearest: Option<&str>) -> String {
    match nearest {
        Some(nearest) => format!("unknown key {key:?} in {section} (did you mean {nearest:?}?)."),
        None => format!("unknown key {key:?} in {section}."),
    }
}
