//! What is signed (RFC 9421 §2.5).

use sfv::{FieldType, InnerList, ListEntry};

use super::SignatureError;
use super::component::{Component, Parts};

/// The signature base: a line for each component, and one for the list of them with its parameters.
pub(super) fn base(
    components: &[Component],
    list: &InnerList,
    parts: &Parts<'_>,
) -> Result<String, SignatureError> {
    let mut base = String::with_capacity(1024);
    for component in components {
        let value = component.value(parts)?;
        if value.contains(['\r', '\n']) {
            return Err(SignatureError::Component(component.to_string()));
        }
        base.push_str(&component.to_string());
        base.push_str(": ");
        base.push_str(&value);
        base.push('\n');
    }
    base.push_str("\"@signature-params\": ");
    base.push_str(&written(list)?);
    Ok(base)
}

/// A list of components with its parameters, as it stands in the field.
pub(super) fn written(list: &InnerList) -> Result<String, SignatureError> {
    let list = vec![ListEntry::InnerList(list.clone())];
    list.serialize().ok_or(SignatureError::Field(super::SIGNATURE_INPUT))
}
