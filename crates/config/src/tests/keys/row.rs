//! One key of a file, and what is said of its wrong variants.

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Switch,
    Number,
    Fraction,
    Duration,
    Texts,
    Section,
    /// A key of a feature that is not there: what it would do.
    Later(&'static str),
    /// A key that is for Windows: what stands in its place here.
    Windows(&'static str),
    /// Blocks by name, checked elsewhere.
    Plugins,
    /// A key that has no meaning with what else the template says.
    NoMeaning(&'static str),
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// The section, as messages call it.
    pub(super) section: &'static str,
    pub(super) key: &'static str,
    pub(super) kind: Kind,
    /// A value that it may have, with its equals sign.
    pub(super) good: &'static str,
    /// Why it has no effect, if it has none.
    pub(super) idle: Option<&'static str>,
    /// Values that it may not have, each with what is said after `{key} `.
    pub(super) bad: &'static [(&'static str, &'static str)],
    /// The template for good and bad values, if it is not the section's own.
    pub(super) template: Option<&'static str>,
}

impl Row {
    const fn new(section: &'static str, key: &'static str, kind: Kind, good: &'static str) -> Self {
        Self { section, key, kind, good, idle: None, bad: &[], template: None }
    }

    pub(super) const fn idle(self, why: &'static str) -> Self {
        Self { idle: Some(why), ..self }
    }

    pub(super) const fn bad(self, bad: &'static [(&'static str, &'static str)]) -> Self {
        Self { bad, ..self }
    }

    pub(super) const fn in_template(self, template: &'static str) -> Self {
        Self { template: Some(template), ..self }
    }
}

pub(super) const fn text(section: &'static str, key: &'static str, good: &'static str) -> Row {
    Row::new(section, key, Kind::Text, good)
}

pub(super) const fn switch(section: &'static str, key: &'static str) -> Row {
    Row::new(section, key, Kind::Switch, "= true")
}

pub(super) const fn number(section: &'static str, key: &'static str, good: &'static str) -> Row {
    Row::new(section, key, Kind::Number, good)
}

pub(super) const fn fraction(section: &'static str, key: &'static str, good: &'static str) -> Row {
    Row::new(section, key, Kind::Fraction, good)
}

pub(super) const fn duration(section: &'static str, key: &'static str, good: &'static str) -> Row {
    Row::new(section, key, Kind::Duration, good)
}

pub(super) const fn texts(section: &'static str, key: &'static str, good: &'static str) -> Row {
    Row::new(section, key, Kind::Texts, good)
}

pub(super) const fn section(section: &'static str, key: &'static str) -> Row {
    Row::new(section, key, Kind::Section, "{}")
}

pub(super) const fn later(
    section: &'static str,
    key: &'static str,
    good: &'static str,
    would: &'static str,
) -> Row {
    Row::new(section, key, Kind::Later(would), good)
}

pub(super) const fn windows(section: &'static str, key: &'static str, instead: &'static str) -> Row {
    Row::new(section, key, Kind::Windows(instead), "= \"name\"")
}

pub(super) const fn plugins(section: &'static str, key: &'static str) -> Row {
    Row::new(section, key, Kind::Plugins, "{}")
}

pub(super) const fn without_meaning(section: &'static str, key: &'static str, with: &'static str) -> Row {
    Row::new(section, key, Kind::NoMeaning(with), "= \"x\"")
}
