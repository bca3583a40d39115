//! The vectors as seeds for fuzzers: a folder for each target, a file for each input.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::folder::FolderError;
use crate::forge::key::Hash;
use crate::format::Check;

/// How a member of an input is turned into bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A text as it is.
    Text,
    /// Bytes in base64.
    Bytes,
    /// A list of bytes, each alone.
    Each,
    /// A list of bytes, one after another.
    Together,
    /// The texts of an object's members.
    Members,
    /// An object as JSON.
    Json,
    /// An HTTP message as text: method and target, or status; the fields; an empty line; the body.
    Message,
}

/// Which member of an input is a seed for which target of `fuzz/fuzz_targets`.
const SEEDS: &[(&str, Form, &str)] = &[
    ("id", Form::Text, "id"),
    ("name", Form::Text, "id"),
    ("a", Form::Text, "id"),
    ("b", Form::Text, "id"),
    ("bytes", Form::Bytes, "id"),
    ("chain", Form::Each, "certificate"),
    ("chain", Form::Together, "certificate"),
    ("chain", Form::Together, "chain"),
    ("certificates", Form::Bytes, "chain"),
    ("crls", Form::Each, "crl"),
    ("csr", Form::Bytes, "csr"),
    ("token", Form::Text, "jwt"),
    ("token", Form::Text, "jws"),
    ("wit", Form::Text, "wit"),
    ("wit", Form::Text, "jws"),
    ("request", Form::Message, "proof"),
    ("response", Form::Message, "proof"),
    ("private_jwk", Form::Text, "jwk"),
    ("confirmation", Form::Json, "jwk"),
    ("document", Form::Text, "bundle"),
    ("documents", Form::Members, "bundle"),
    ("body", Form::Bytes, "bundle"),
    ("map", Form::Text, "bundle_map"),
    ("address", Form::Text, "endpoint"),
    ("url", Form::Text, "endpoint"),
];

/// Writes the seeds below `folder`; two equal ones are one. Returns how many there are.
pub fn write(folder: &Path, checks: &[Check]) -> Result<usize, FolderError> {
    let seeds: BTreeSet<(&str, Vec<u8>)> =
        checks.iter().flat_map(|check| &check.vectors).flat_map(|vector| seeds(&vector.input)).collect();
    for (target, seed) in &seeds {
        let folder = folder.join(target);
        let name: String = Hash::Sha256.of(seed).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let path = folder.join(name);
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(&path, seed))
            .map_err(|cause| FolderError::File { path, cause })?;
    }
    Ok(seeds.len())
}

/// The seeds of one input.
fn seeds(input: &Value) -> Vec<(&'static str, Vec<u8>)> {
    let mut all = Vec::new();
    for (member, form, target) in SEEDS {
        let Some(value) = input.get(member) else { continue };
        all.extend(bytes(value, *form).into_iter().map(|seed| (*target, seed)));
    }
    for der in authorities(input) {
        all.push(("pem", pem(&der)));
        all.push(("certificate", der));
    }
    all
}

/// The signing certificates of what a verifier holds.
fn authorities(input: &Value) -> Vec<Vec<u8>> {
    let bundles =
        input.get("bundles").and_then(Value::as_object).into_iter().flat_map(serde_json::Map::values);
    bundles.filter_map(|held| held.get("x509")).flat_map(|list| bytes(list, Form::Each)).collect()
}

fn pem(der: &[u8]) -> Vec<u8> {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der)).into_bytes()
}

fn bytes(value: &Value, form: Form) -> Vec<Vec<u8>> {
    let decoded = |value: &Value| value.as_str().and_then(|text| STANDARD.decode(text).ok());
    let list = || value.as_array().into_iter().flatten().filter_map(decoded);
    match form {
        Form::Text => value.as_str().map(|text| text.as_bytes().to_vec()).into_iter().collect(),
        Form::Bytes => decoded(value).into_iter().collect(),
        Form::Each => list().collect(),
        Form::Together => vec![list().flatten().collect()],
        Form::Json => vec![value.to_string().into_bytes()],
        Form::Message => vec![message(value).into_bytes()],
        Form::Members => {
            let members = value.as_object().into_iter().flat_map(serde_json::Map::values);
            members.filter_map(Value::as_str).map(|text| text.as_bytes().to_vec()).collect()
        }
    }
}

fn message(value: &Value) -> String {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let first = match value.get("status") {
        Some(status) => format!("HTTP/1.1 {status}"),
        None => format!("{} {}", text("method"), text("target")),
    };
    let fields = value.get("fields").and_then(Value::as_array).into_iter().flatten();
    let line = |field: &Value| format!("{}: {}\n", part(field, 0), part(field, 1));
    format!("{first}\n{}\n{}", fields.map(line).collect::<String>(), text("body"))
}

fn part(field: &Value, place: usize) -> &str {
    field.get(place).and_then(Value::as_str).unwrap_or_default()
}
