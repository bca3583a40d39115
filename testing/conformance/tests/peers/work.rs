//! The work list: each vector that others can judge.

use std::collections::BTreeMap;

use conformance::folder;
use conformance::forge::keys;
use conformance::kinds::input::Bytes;
use serde_json::{Value, json};

/// A vector of another's work list.
#[derive(Debug, Clone)]
pub struct Item {
    /// The check and the vector's name.
    pub name: String,
    pub kind: String,
    pub accept: bool,
    pub now: i64,
    pub input: Value,
    /// The ID that it must yield, if it is accepted.
    pub id: Option<String>,
    /// Why our own crate refuses it, if it does.
    pub refusal: Option<String>,
    /// The leaf's private key, if it is one of the fixed keys.
    pub private_key: Option<Bytes>,
}

/// What a peer says of a vector: the ID, or why it was refused.
pub type Verdict = Result<String, String>;

/// What a peer says, by the vector's name, and the vector.
pub type Verdicts = BTreeMap<String, (Item, Verdict)>;

const KINDS: [&str; 3] = ["x509-svid", "x509-svid-with-crls", "jwt-svid"];

/// All vectors of the two kinds of SVID; those with revocation lists are for OpenSSL alone.
pub fn svids() -> Vec<Item> {
    let mut items = Vec::new();
    for check in folder::read(&folder::here()).unwrap() {
        for vector in check.vectors {
            // None of the others can be told the side, for which something is refused.
            let sided = vector.input.get("side").is_some() && !vector.accept;
            if KINDS.contains(&&*vector.kind) && !sided {
                let (id, refusal) = ours(&vector);
                items.push(Item {
                    name: format!("{}/{}", check.check, vector.name),
                    accept: vector.accept,
                    now: vector.input["now"].as_i64().unwrap(),
                    id,
                    refusal,
                    private_key: private_key(&vector.input),
                    kind: vector.kind,
                    input: vector.input,
                });
            }
        }
    }
    items
}

impl Item {
    /// As a line of the work list.
    pub fn line(&self) -> String {
        let mut line = self.input.clone();
        line["name"] = json!(self.name);
        line["kind"] = json!(self.kind);
        line["private_key"] = json!(self.private_key);
        line.to_string()
    }
}

/// The ID that our own crate says it yields, or why it is refused; the loop over all vectors makes sure that this is right.
fn ours(vector: &conformance::format::Vector) -> (Option<String>, Option<String>) {
    match conformance::kinds::outcome(vector).unwrap() {
        Ok(outcome) => (outcome["id"].as_str().map(str::to_owned), None),
        Err(why) => (None, Some(why)),
    }
}

fn private_key(input: &Value) -> Option<Bytes> {
    let leaf: Bytes = serde_json::from_value(input["chain"].get(0)?.clone()).ok()?;
    let leaf = spiffe::x509::Certificate::parse(leaf.0).ok()?;
    keys::all().find(|key| key.spki() == leaf.spki()).map(|key| Bytes(key.pkcs8()))
}
