//! `bundle …`.

pub(super) mod count;
pub(super) mod delete;
pub(super) mod list;
pub(super) mod set;
pub(super) mod show;

/// The words for a bundle's form, the default first.
pub(super) const FORMATS: &[&str] = &["pem", "spiffe"];
