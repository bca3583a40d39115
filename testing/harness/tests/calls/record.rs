//! What SPIRE answered, and where ours is to differ.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::walk::{Answer, Found};

/// The callers that got one and the same answer.
#[derive(Serialize, Deserialize)]
struct Group {
    callers: Vec<String>,
    #[serde(flatten)]
    answer: Answer,
}

type Record = BTreeMap<String, Vec<Group>>;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/calls/record.json")
}

/// What is recorded.
pub(crate) fn read() -> Found {
    let text = std::fs::read_to_string(path()).unwrap();
    let record: Record = serde_json::from_str(&text).unwrap();
    let callers = |groups: Vec<Group>| {
        groups
            .into_iter()
            .flat_map(|g| g.callers.into_iter().map(move |caller| (caller, g.answer.clone())))
            .collect()
    };
    record.into_iter().map(|(method, groups)| (method, callers(groups))).collect()
}

/// Records what was found.
pub(crate) fn write(found: &Found) {
    let mut record = Record::new();
    for (method, answers) in found {
        let mut groups: BTreeMap<&Answer, Vec<String>> = BTreeMap::new();
        for (caller, answer) in answers {
            groups.entry(answer).or_default().push(caller.clone());
        }
        let groups = groups.into_iter().map(|(answer, callers)| Group { callers, answer: answer.clone() });
        record.insert(method.clone(), groups.collect());
    }
    std::fs::write(path(), serde_json::to_string_pretty(&record).unwrap() + "\n").unwrap();
}

/// Where our server's answers are not those on record, and are not meant to be.
pub(crate) fn differences(found: &Found) -> Vec<String> {
    let mut all = Vec::new();
    for (method, answers) in read() {
        for (caller, theirs) in answers {
            let ours = found.get(&method).and_then(|answers| answers.get(&caller)).cloned();
            let expected = meant(theirs.clone());
            if ours.as_ref() != Some(&expected) {
                all.push(format!("{method} by {caller}: {ours:?} instead of {expected:?}"));
            }
        }
    }
    all
}

/// Messages that are ours on purpose: what SPIRE says, what we say, why.
const OURS: [(&str, &str, &str); 1] = [(
    "malformed CSR: asn1: syntax error: sequence truncated",
    "malformed CSR: the CSR is not valid DER: it is not a sequence of info, algorithm and signature",
    "the cause is the parser's own, and says what a CSR is",
)];

/// What our server is to answer where SPIRE answered `theirs`.
fn meant(theirs: Answer) -> Answer {
    if let Some((_, ours, _)) = OURS.iter().find(|(spires, _, _)| *spires == theirs.message) {
        return Answer { message: (*ours).to_owned(), ..theirs };
    }
    theirs
}
