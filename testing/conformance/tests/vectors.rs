//! Every vector through the crate `spiffe`; every check with vectors, or a reason for having none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use conformance::checks::{TOPICS, Topic};
use conformance::format::{Check, Only, Vector};
use conformance::{folder, kinds, left_out, topics};
use serde_json::json;

fn vectors() -> Vec<Check> {
    folder::read(&folder::here()).expect("the vectors are there and can be read")
}

#[test]
fn every_vector_has_the_outcome_that_it_must_have() {
    let mut wrong = Vec::new();
    for check in vectors() {
        for vector in &check.vectors {
            if let Err(why) = kinds::judge(vector) {
                wrong.push(format!("{} \"{}\" ({}): {why}", check.check, vector.name, check.source));
            }
        }
    }
    assert!(wrong.is_empty(), "{} vectors:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_check_has_vectors_of_both_outcomes_or_a_reason() {
    let checks: BTreeMap<String, Check> =
        vectors().into_iter().map(|check| (check.check.clone(), check)).collect();
    let left: BTreeSet<&str> = left_out::all().iter().map(|left| left.check).collect();
    let mut wrong = Vec::new();
    for topic in &TOPICS {
        for id in topic.ids() {
            match (checks.get(&id), left.contains(&*id)) {
                (Some(_), true) => wrong.push(format!("{id} has vectors and is left out")),
                (None, false) => wrong.push(format!("{id} has no vectors")),
                (Some(check), false) => wrong.extend(outcomes(check)),
                (None, true) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is missing of a check's outcomes.
fn outcomes(check: &Check) -> Option<String> {
    let (accepted, refused) = check.counts();
    let fine = match check.only {
        None => accepted > 0 && refused > 0 && check.only_because.is_none(),
        Some(Only::Accepted) => accepted > 0 && refused == 0 && check.only_because.is_some(),
        Some(Only::Refused) => refused > 0 && accepted == 0 && check.only_because.is_some(),
    };
    (!fine).then(|| format!("{}: {accepted} accepted, {refused} refused, only {:?}", check.check, check.only))
}

#[test]
fn names_are_unique_within_a_check() {
    for check in vectors() {
        let names: BTreeSet<&str> = check.vectors.iter().map(|vector| &*vector.name).collect();
        assert_eq!(names.len(), check.vectors.len(), "{}", check.check);
    }
}

#[test]
fn making_the_vectors_again_changes_nothing() {
    let folder = folder::here();
    let mut made = BTreeSet::new();
    for check in topics::all() {
        let path = folder::file_of(&folder, &check.check).unwrap();
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(text == check.to_json().unwrap(), "{} is not what `make vectors` writes", path.display());
        assert!(made.insert(path), "{} is made twice", check.check);
    }
    let there: BTreeSet<_> =
        TOPICS.iter().flat_map(|topic| folder::files(&folder.join(topic.folder)).unwrap()).collect();
    assert_eq!(there, made);
}

#[test]
fn there_are_379_checks() {
    assert_eq!(TOPICS.iter().map(|topic| topic.count).sum::<usize>(), 379);
    assert!(TOPICS.iter().flat_map(Topic::ids).all(|id| Topic::of(&id).is_some()));
    assert!(["ID-1", "ID-00", "ID-31", "IX-01", "ID"].iter().all(|id| Topic::of(id).is_none()));
}

#[test]
fn what_is_left_out_is_shown_by_tests_that_exist() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for left in left_out::all() {
        assert!(Topic::of(left.check).is_some(), "{}", left.check);
        assert!(!left.asks.is_empty() && !left.reason.is_empty(), "{}", left.check);
        let Some((file, test)) = left.shown_by else { continue };
        let text = std::fs::read_to_string(top.join(file)).unwrap_or_default();
        assert!(text.contains(&format!("fn {test}(")), "{}: there is no {test} in {file}", left.check);
    }
}

#[test]
fn a_vector_with_another_outcome_than_it_must_have_is_noticed() {
    let checks = vectors();
    let good = checks.iter().flat_map(|check| &check.vectors).find(|vector| vector.expect.is_some()).unwrap();
    kinds::judge(good).unwrap();
    let judged = |change: fn(&mut Vector)| {
        let mut vector = good.clone();
        change(&mut vector);
        kinds::judge(&vector).unwrap_err()
    };
    assert!(judged(|vector| vector.accept = false).starts_with("accepted"));
    assert!(
        judged(|vector| vector.expect = Some(json!({ "id": "spiffe://example.org/other" })))
            .contains("must be")
    );
    assert!(judged(|vector| vector.kind = "poem".to_owned()).contains("no kind"));
    assert!(judged(|vector| vector.input["more"] = json!(1)).contains("did not match"));
    assert!(judged(|vector| vector.input["id"] = json!("")).starts_with("refused"));
}

#[test]
fn the_readme_tells_every_kind() {
    let readme = std::fs::read_to_string(folder::here().join("README.md")).unwrap();
    for kind in kinds::KINDS {
        assert!(readme.contains(&format!("| `{}` |", kind.name)), "{} is not in the README", kind.name);
    }
    let used: BTreeSet<String> =
        vectors().into_iter().flat_map(|check| check.vectors).map(|vector| vector.kind).collect();
    for kind in used {
        assert!(kinds::KINDS.iter().any(|known| known.name == kind), "{kind}");
    }
}
