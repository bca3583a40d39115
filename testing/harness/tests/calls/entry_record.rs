//! What SPIRE's entry service told, and where ours is to differ.

use std::path::PathBuf;

use serde::Deserialize;

use super::entries::Told;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/calls/entries.json")
}

/// What is recorded.
pub(crate) fn read() -> Told {
    serde_json::from_str(&std::fs::read_to_string(path()).unwrap()).unwrap()
}

/// Records what was told.
pub(crate) fn write(told: &Told) {
    std::fs::write(path(), serde_json::to_string_pretty(told).unwrap() + "\n").unwrap();
}

/// Cases in which ours differs on purpose.
#[derive(Deserialize)]
struct Meant {
    why: String,
    /// What each case is told instead.
    cases: Told,
}

fn meant() -> Told {
    let text = include_str!("entries_ours.json");
    let groups: Vec<Meant> = serde_json::from_str(text).unwrap();
    assert!(groups.iter().all(|group| !group.why.is_empty()));
    groups.into_iter().flat_map(|group| group.cases).collect()
}

/// Where our server tells something else than what is on record, and is not meant to.
pub(crate) fn differences(told: &Told) -> Vec<String> {
    let (mut all, mut meant) = (Vec::new(), meant());
    for (case, theirs) in read() {
        let ours = told.get(&case).cloned().unwrap_or_default();
        let expected =
            meant.remove(&case).inspect(|ours| assert_ne!(*ours, theirs, "{case}: no difference any more"));
        let expected = expected.unwrap_or(theirs);
        if ours != expected {
            all.push(format!("{case}:\n  ours {ours:#?}\n  expected {expected:#?}"));
        }
    }
    all.extend(meant.into_keys().map(|case| format!("{case}: there is no such case")));
    all
}
