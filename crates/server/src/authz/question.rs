//! A request as a policy sees it: JSON with the names of the fields, as Go's `encoding/json` writes SPIRE's messages.

use std::collections::HashMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message as _;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet};
use serde_json::{Map, Value, json};

/// How deep messages may lie in each other.
const DEPTH: usize = 16;

/// What is known of a method.
#[derive(Debug)]
pub(super) struct Shape {
    /// The full name of its request.
    input: String,
    /// Whether a policy sees no request.
    streams: bool,
}

#[derive(Default)]
struct Known {
    methods: HashMap<String, Shape>,
    messages: HashMap<String, DescriptorProto>,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let mut known = Known::default();
    for bytes in [proto::DESCRIPTORS, tonic_health::pb::FILE_DESCRIPTOR_SET] {
        let Ok(set) = FileDescriptorSet::decode(bytes) else { continue };
        for file in set.file {
            let package = file.package().to_owned();
            for service in &file.service {
                for method in &service.method {
                    let path = format!("/{package}.{}/{}", service.name(), method.name());
                    let streams = method.client_streaming() || method.server_streaming();
                    known.methods.insert(path, Shape { input: method.input_type().to_owned(), streams });
                }
            }
            for message in file.message_type {
                learn(&mut known.messages, &format!(".{package}"), message);
            }
        }
    }
    known
});

fn learn(messages: &mut HashMap<String, DescriptorProto>, scope: &str, mut message: DescriptorProto) {
    let name = format!("{scope}.{}", message.name());
    for inner in std::mem::take(&mut message.nested_type) {
        learn(messages, &name, inner);
    }
    messages.insert(name, message);
}

/// The shape of a method's request, where a policy sees it.
pub(super) fn shape(method: &str) -> Option<&'static Shape> {
    KNOWN.methods.get(method).filter(|shape| !shape.streams)
}

/// The request in `body`, which is one gRPC message with its five bytes before it. `None` where it cannot be read; the
/// handler will then say why.
pub(super) fn read(shape: &Shape, body: &[u8]) -> Option<Value> {
    let (head, message) = body.split_at_checked(5)?;
    let length = u32::from_be_bytes(head.get(1..)?.try_into().ok()?);
    let whole = head.first() == Some(&0) && usize::try_from(length).ok()? == message.len();
    whole.then(|| object(&shape.input, message, DEPTH)).flatten()
}

fn object(name: &str, mut bytes: &[u8], depth: usize) -> Option<Value> {
    let descriptor = KNOWN.messages.get(name)?;
    let depth = depth.checked_sub(1)?;
    let mut members = Map::new();
    // Go writes an unset choice as null.
    for choice in real_choices(descriptor) {
        members.insert(camel(choice), Value::Null);
    }
    while !bytes.is_empty() {
        let (tag, wire) = decode_key(&mut bytes).ok()?;
        let field = descriptor.field.iter().find(|f| f.number() == tag.cast_signed());
        let Some(field) = field else {
            skip_field(wire, tag, &mut bytes, DecodeContext::default()).ok()?;
            continue;
        };
        member(descriptor, field, wire, &mut bytes, depth, &mut members)?;
    }
    Some(Value::Object(members))
}

fn member(
    descriptor: &DescriptorProto,
    field: &FieldDescriptorProto,
    wire: WireType,
    bytes: &mut &[u8],
    depth: usize,
    members: &mut Map<String, Value>,
) -> Option<()> {
    let repeated = field.label() == Label::Repeated;
    if repeated && wire == WireType::LengthDelimited && !is_delimited(field.r#type()) {
        let mut packed = delimited(bytes)?;
        while !packed.is_empty() {
            let value = value(field, wire_of(field.r#type()), &mut packed, depth)?;
            append(members, field.name(), value);
        }
        return Some(());
    }
    let value = value(field, wire, bytes, depth)?;
    if repeated {
        append(members, field.name(), value);
        return Some(());
    }
    match choice_of(descriptor, field) {
        Some(choice) => _ = members.insert(camel(choice), json!({ camel(field.name()): value })),
        // A zero is as good as nothing, but within a message that stands for a single value.
        None if is_zero(&value) => _ = members.remove(field.name()),
        None => _ = members.insert(field.name().to_owned(), value),
    }
    Some(())
}

fn value(field: &FieldDescriptorProto, wire: WireType, bytes: &mut &[u8], depth: usize) -> Option<Value> {
    if wire != wire_of(field.r#type()) {
        return None;
    }
    Some(match field.r#type() {
        Type::Message => object(field.type_name(), delimited(bytes)?, depth)?,
        Type::String => json!(std::str::from_utf8(delimited(bytes)?).ok()?),
        Type::Bytes => json!(STANDARD.encode(delimited(bytes)?)),
        Type::Bool => json!(decode_varint(bytes).ok()? != 0),
        Type::Uint32 | Type::Uint64 => json!(decode_varint(bytes).ok()?),
        Type::Int32 | Type::Int64 | Type::Enum => json!(decode_varint(bytes).ok()?.cast_signed()),
        // No request of these services has a field of another type.
        _ => return None,
    })
}

fn wire_of(kind: Type) -> WireType {
    if is_delimited(kind) { WireType::LengthDelimited } else { WireType::Varint }
}

fn is_delimited(kind: Type) -> bool {
    matches!(kind, Type::Message | Type::String | Type::Bytes)
}

fn delimited<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(decode_varint(bytes).ok()?).ok()?;
    let (head, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(head)
}

fn append(members: &mut Map<String, Value>, name: &str, value: Value) {
    match members.get_mut(name) {
        Some(Value::Array(list)) => list.push(value),
        _ => _ = members.insert(name.to_owned(), json!([value])),
    }
}

fn is_zero(value: &Value) -> bool {
    matches!(value, Value::Bool(false)) || value.as_i64() == Some(0) || value.as_str() == Some("")
}

/// The choices between fields, without those that only tell a field set to zero from one that is not set.
fn real_choices(descriptor: &DescriptorProto) -> impl Iterator<Item = &str> {
    descriptor.oneof_decl.iter().enumerate().filter_map(|(at, choice)| {
        let mine = |f: &&FieldDescriptorProto| {
            f.oneof_index.is_some_and(|index| usize::try_from(index) == Ok(at)) && !f.proto3_optional()
        };
        descriptor.field.iter().find(mine).map(|_| choice.name())
    })
}

fn choice_of<'a>(descriptor: &'a DescriptorProto, field: &FieldDescriptorProto) -> Option<&'a str> {
    let index = field.oneof_index.filter(|_| !field.proto3_optional())?;
    descriptor.oneof_decl.get(usize::try_from(index).ok()?).map(|choice| choice.name())
}

/// `bundle_endpoint_profile` as Go names its field.
fn camel(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
                .unwrap_or_default()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proto::spire::api::server::entry::v1::BatchCreateEntryRequest;
    use proto::spire::api::server::trustdomain::v1::BatchCreateFederationRelationshipRequest;
    use proto::spire::api::types;

    use super::*;

    fn framed(message: &impl prost::Message) -> Vec<u8> {
        let bytes = message.encode_to_vec();
        [&[0][..], &u32::try_from(bytes.len()).unwrap().to_be_bytes(), &bytes].concat()
    }

    #[test]
    fn a_request_reads_as_go_writes_it() {
        let entry = types::Entry {
            spiffe_id: Some(types::Spiffeid { trust_domain: "example.org".into(), path: "/a".into() }),
            selectors: vec![types::Selector { r#type: "unix".into(), value: "uid:1".into() }],
            x509_svid_ttl: 60,
            expires_at: -1,
            admin: true,
            dns_names: vec!["a".into(), "b".into()],
            ..types::Entry::default()
        };
        let request = BatchCreateEntryRequest { entries: vec![entry], output_mask: None };
        let method = shape("/spire.api.server.entry.v1.Entry/BatchCreateEntry").unwrap();
        assert_eq!(
            read(method, &framed(&request)).unwrap(),
            json!({"entries": [{
                "spiffe_id": {"trust_domain": "example.org", "path": "/a"},
                "selectors": [{"type": "unix", "value": "uid:1"}],
                "x509_svid_ttl": 60, "expires_at": -1, "admin": true, "dns_names": ["a", "b"],
            }]})
        );
    }

    #[test]
    fn a_choice_is_named_as_in_go() {
        use types::federation_relationship::BundleEndpointProfile::HttpsWeb;
        let relationship = |profile| types::FederationRelationship {
            trust_domain: "a.test".into(),
            bundle_endpoint_profile: profile,
            ..types::FederationRelationship::default()
        };
        let request = BatchCreateFederationRelationshipRequest {
            federation_relationships: vec![
                relationship(Some(HttpsWeb(types::HttpsWebProfile {}))),
                relationship(None),
            ],
            output_mask: None,
        };
        let method =
            shape("/spire.api.server.trustdomain.v1.TrustDomain/BatchCreateFederationRelationship").unwrap();
        assert_eq!(
            read(method, &framed(&request)).unwrap(),
            json!({"federation_relationships": [
                {"trust_domain": "a.test", "BundleEndpointProfile": {"HttpsWeb": {}}},
                {"trust_domain": "a.test", "BundleEndpointProfile": null},
            ]})
        );
    }

    #[test]
    fn streams_and_what_is_no_message_are_not_shown() {
        assert!(shape("/spire.api.server.agent.v1.Agent/AttestAgent").is_none());
        assert!(shape("/grpc.health.v1.Health/Watch").is_none());
        let method = shape("/spire.api.server.entry.v1.Entry/GetEntry").unwrap();
        for body in
            [&b""[..], &[0, 0, 0, 0], &[0, 0, 0, 0, 9, 1], &[1, 0, 0, 0, 0], &[0, 0, 0, 0, 2, 0x0a, 0x7f]]
        {
            assert_eq!(read(method, body), None, "{body:?}");
        }
        assert_eq!(read(method, &[0; 5]), Some(json!({})));
    }
}
