//! The signature of a message (RFC 9421 §4).

use sfv::{BareItem, Dictionary, InnerList, ListEntry, Parser};

use super::component::{Component, combined};
use super::params::Params;
use super::{LABEL, MAX_COMPONENTS, MAX_FIELD, SIGNATURE, SIGNATURE_INPUT, SignatureError};
use crate::proof::ProofError;
use crate::proof::http::Fields;

/// A signature and what it says that it covers.
pub(super) struct Signed {
    pub(super) list: InnerList,
    pub(super) components: Vec<Component>,
    pub(super) params: Params,
    pub(super) signature: Vec<u8>,
}

impl Signed {
    /// Reads the one signature of a message, or that with the label `wimse` among several.
    pub(super) fn read(fields: Fields<'_>) -> Result<Self, ProofError> {
        let (Some(inputs), Some(signatures)) =
            (dictionary(fields, SIGNATURE_INPUT)?, dictionary(fields, SIGNATURE)?)
        else {
            return Err(ProofError::NoProof);
        };
        let label = match inputs.len() {
            1 => inputs.keys().next().map(|label| label.as_str()),
            _ => Some(LABEL).filter(|label| inputs.contains_key(*label)),
        };
        let label = label.ok_or(SignatureError::Label)?;
        let Some(ListEntry::InnerList(list)) = inputs.get(label) else {
            return Err(SignatureError::Field(SIGNATURE_INPUT).into());
        };
        let Some(ListEntry::Item(item)) = signatures.get(label) else {
            return Err(SignatureError::Field(SIGNATURE).into());
        };
        let BareItem::ByteSequence(signature) = &item.bare_item else {
            return Err(SignatureError::Field(SIGNATURE).into());
        };
        Ok(Self {
            components: components(list)?,
            params: Params::read(&list.params)?,
            list: list.clone(),
            signature: signature.clone(),
        })
    }

    pub(super) fn covers(&self, component: &Component) -> bool {
        self.components.contains(component)
    }
}

/// Whether a message has a signature, of whatever kind.
pub(super) fn is_signed(fields: Fields<'_>) -> bool {
    fields.has(SIGNATURE_INPUT) || fields.has(SIGNATURE)
}

fn dictionary(fields: Fields<'_>, name: &'static str) -> Result<Option<Dictionary>, SignatureError> {
    let Some(value) = combined(fields, name) else { return Ok(None) };
    if value.len() > MAX_FIELD {
        return Err(SignatureError::Field(name));
    }
    let all: Dictionary = Parser::new(&value).parse().map_err(|_| SignatureError::Field(name))?;
    Ok(Some(all).filter(|all| !all.is_empty()))
}

fn components(list: &InnerList) -> Result<Vec<Component>, SignatureError> {
    if list.items.len() > MAX_COMPONENTS {
        return Err(SignatureError::TooMany);
    }
    let mut components = Vec::with_capacity(list.items.len());
    for item in &list.items {
        let component = Component::read(item)?;
        if components.contains(&component) {
            return Err(SignatureError::Twice(component.to_string()));
        }
        components.push(component);
    }
    Ok(components)
}
