//! The table of what others judge in another way, and the comparison with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use conformance::folder;
use serde::Deserialize;

use super::work::Verdicts;

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disagreements {
    disagreements: Vec<Entry>,
}

/// Vectors of which one peer says the same for one reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    peer: String,
    accepts: bool,
    right: Right,
    why: String,
    vectors: Vec<String>,
}

/// Who is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Right {
    /// The standard says what the vector says.
    Vector,
    /// The standard says what the peer says, and the vector records a decision that goes beyond it.
    Peer,
    /// The standard leaves it open.
    Both,
}

/// How a comparison went.
pub struct Report {
    pub text: String,
    pub faults: Vec<String>,
}

impl Disagreements {
    pub fn read() -> Self {
        let path = folder::here().join("disagreements.json");
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    /// Each entry says why, and each of its vectors exists and occurs once.
    pub fn check(&self, names: &[String]) {
        let mut seen = BTreeSet::new();
        for entry in &self.disagreements {
            assert!(!entry.why.is_empty() && !entry.vectors.is_empty());
            for vector in &entry.vectors {
                assert!(names.contains(vector), "{}: there is no vector {vector}", entry.peer);
                assert!(seen.insert((&entry.peer, vector)), "{}: {vector} is listed twice", entry.peer);
            }
        }
    }

    /// Holds what a peer says against the vectors and this table.
    pub fn compare(&self, peer: &str, verdicts: &Verdicts) -> Report {
        let entries: Vec<&Entry> = self.disagreements.iter().filter(|entry| entry.peer == peer).collect();
        let listed: BTreeMap<&str, &Entry> =
            entries.iter().flat_map(|entry| entry.vectors.iter().map(|name| (&**name, *entry))).collect();
        let mut faults = Vec::new();
        let mut agreed = 0;
        for (name, (item, verdict)) in verdicts {
            if item.accept && verdict.as_ref().is_ok_and(|id| Some(id) != item.id.as_ref()) {
                faults.push(format!("{name}: the peer accepts it as {verdict:?}, and we as {:?}", item.id));
            }
            match (verdict.is_ok() == item.accept, listed.get(&**name)) {
                (true, None) => agreed += 1,
                (true, Some(_)) => {
                    faults.push(format!("{name}: listed as a disagreement, and there is none"))
                }
                (false, Some(entry)) if entry.accepts == verdict.is_ok() => {}
                (false, _) => faults.push(format!("{name}: not listed; the peer says {verdict:?}")),
            }
        }
        faults.extend(
            listed
                .keys()
                .filter(|name| !verdicts.contains_key(**name))
                .map(|n| format!("{n}: not asked about")),
        );
        Report { text: text(peer, verdicts.len(), agreed, &entries), faults }
    }
}

fn text(peer: &str, asked: usize, agreed: usize, entries: &[&Entry]) -> String {
    let mut text = format!("vectors of {peer}: {asked} asked about, {agreed} agreed\n");
    for entry in entries {
        let does = if entry.accepts { "accepts" } else { "refuses" };
        let right = match entry.right {
            Right::Vector => "the vector is right",
            Right::Peer => "the peer is right",
            Right::Both => "both are allowed",
        };
        let _ = writeln!(text, "  {peer} {does} {}: {} ({right})", entry.vectors.join(", "), entry.why);
    }
    text
}
