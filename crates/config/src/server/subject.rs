//! The subject of the X.509 authority.

use super::super::block::{Block, Unknown};
use super::super::problem::Notice;

/// The subject of the X.509 authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaSubject {
    /// Country, `C`.
    pub country: Vec<String>,
    /// Organization, `O`.
    pub organization: Vec<String>,
    /// Common name, `CN`; empty if there is none.
    pub common_name: String,
}

impl Default for CaSubject {
    /// `C=US, O=SPIFFE`, as in SPIRE.
    fn default() -> Self {
        Self {
            country: vec!["US".to_owned()],
            organization: vec!["SPIFFE".to_owned()],
            common_name: String::new(),
        }
    }
}

/// Reads `ca_subject`, if there is one.
pub(super) fn read(server: &Block<'_>) -> CaSubject {
    let Some(block) = server.block("ca_subject") else {
        return CaSubject::default();
    };
    let list = |key| block.texts(key).into_iter().map(|given| given.value).collect::<Vec<_>>();
    let subject = CaSubject {
        country: list("country"),
        organization: list("organization"),
        common_name: block.text("common_name").map(|given| given.value).unwrap_or_default(),
    };
    let empty =
        subject.country.is_empty() && subject.organization.is_empty() && subject.common_name.is_empty();
    if empty {
        block.warn(block.place(), Notice::EmptySubject);
    }
    block.finish(Unknown::Refuse);
    if empty { CaSubject::default() } else { subject }
}
