//! Parts that spans and metrics share on the wire.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource as Wire;

use super::Resource;
use super::ids::Ids;

pub(super) fn attribute(name: &str, value: Value) -> KeyValue {
    KeyValue { key: name.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

pub(super) fn text(name: &str, value: &str) -> KeyValue {
    attribute(name, Value::StringValue(value.to_owned()))
}

/// This process, one of its kind: its instance is another at each start.
pub(super) fn resource(of: &Resource) -> Wire {
    let instance = Ids::new().trace().0.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut attributes = vec![
        text("service.name", &of.service),
        text("service.version", &of.version),
        text("service.instance.id", &instance),
        text("spiffe.trust_domain", &of.trust_domain),
    ];
    attributes.extend(of.host.iter().map(|host| text("host.name", host)));
    Wire { attributes, ..Wire::default() }
}

pub(super) fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "bonafide".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}
