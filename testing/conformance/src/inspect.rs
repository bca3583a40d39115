//! What a certificate says, read by a library that had no part in writing it.

use der::{Decode, Encode};
use serde_json::{Map, Value, json};
use x509_cert::Certificate;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, NameConstraints, SubjectAltName};

use crate::forge::extension::{CLIENT_AUTH, SERVER_AUTH};

/// The members of an outcome that describe a certificate: see the README beside the vectors.
pub fn certificate(der: &[u8]) -> Result<Value, String> {
    let certificate = Certificate::from_der(der).map_err(|e| format!("it is no certificate: {e}"))?;
    let tbs = certificate.tbs_certificate();
    let mut said = Map::new();
    said.insert("self_issued".into(), json!(tbs.subject() == tbs.issuer()));
    said.insert("subject_empty".into(), json!(tbs.subject().is_empty()));
    said.insert("not_before".into(), json!(tbs.validity().not_before.to_unix_duration().as_secs()));
    said.insert("not_after".into(), json!(tbs.validity().not_after.to_unix_duration().as_secs()));
    for extension in tbs.extensions().into_iter().flatten() {
        let value = extension.extn_value.as_bytes();
        let read = extension_members(&extension.extn_id.to_string(), value, extension.critical);
        said.extend(read.map_err(|e| format!("extension {}: {e}", extension.extn_id))?);
    }
    Ok(Value::Object(said))
}

/// What one extension adds to them.
fn extension_members(dotted: &str, value: &[u8], critical: bool) -> Result<Map<String, Value>, der::Error> {
    let members = match dotted {
        "2.5.29.15" => {
            json!({ "key_usage": usages(&KeyUsage::from_der(value)?)?, "key_usage_critical": critical })
        }
        "2.5.29.19" => {
            let constraints = BasicConstraints::from_der(value)?;
            json!({ "ca": constraints.ca, "path_length": constraints.path_len_constraint })
        }
        "2.5.29.37" => {
            let all = ExtendedKeyUsage::from_der(value)?;
            json!({ "purposes": all.0.iter().map(|p| purpose(&p.to_string())).collect::<Vec<_>>() })
        }
        "2.5.29.17" => {
            let names = SubjectAltName::from_der(value)?.0;
            json!({ "uris": uris(&names), "names": names.len(), "names_critical": critical })
        }
        "2.5.29.30" => {
            let constraints = NameConstraints::from_der(value)?;
            let permitted = constraints.permitted_subtrees.unwrap_or_default();
            let bases: Vec<GeneralName> = permitted.into_iter().map(|subtree| subtree.base).collect();
            json!({ "permitted_uris": uris(&bases), "name_constraints_critical": critical })
        }
        _ => json!({}),
    };
    Ok(members.as_object().cloned().unwrap_or_default())
}

fn uris(names: &[GeneralName]) -> Vec<String> {
    let uri = |name: &GeneralName| match name {
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.to_string()),
        _ => None,
    };
    names.iter().filter_map(uri).collect()
}

fn purpose(dotted: &str) -> String {
    match dotted {
        SERVER_AUTH => "serverAuth".to_owned(),
        CLIENT_AUTH => "clientAuth".to_owned(),
        other => other.to_owned(),
    }
}

/// The names of the bits that are set (RFC 5280 §4.2.1.3).
fn usages(usage: &KeyUsage) -> Result<Vec<&'static str>, der::Error> {
    const NAMES: [&str; 9] = [
        "digitalSignature",
        "contentCommitment",
        "keyEncipherment",
        "dataEncipherment",
        "keyAgreement",
        "keyCertSign",
        "cRLSign",
        "encipherOnly",
        "decipherOnly",
    ];
    let bits = der::asn1::BitString::from_der(&usage.to_der()?)?;
    Ok(NAMES.into_iter().zip(bits.bits()).filter(|(_, set)| *set).map(|(name, _)| name).collect())
}
