//! Holds the crates to the table of allowed edges in `ARCHITECTURE.md`.
//!
//! The table is the law: an edge that a manifest has and the table does not, a row or an edge of the table
//! that no manifest has, and an edge that points up, are each an error that names both ends.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const DOCUMENT: &str = "ARCHITECTURE.md";
const HEADING: &str = "## Allowed edges";

/// From the bottom up; an edge goes to the same layer or a lower one.
const LAYERS: [&str; 8] =
    ["credentials", "vocabulary", "kit", "adapters", "engines", "tools", "program", "proof"];

/// Edges by crate: what it may use, and what only its tests may use.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Edges {
    normal: BTreeSet<String>,
    tests: BTreeSet<String>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Row {
    layer: String,
    edges: Edges,
}

/// Compares the table with the manifests, and prints what it compared.
pub(crate) fn run() -> Result<(), String> {
    let document = std::fs::read_to_string(DOCUMENT).map_err(|cause| {
        format!("cannot read {DOCUMENT} (run this from the top of the repository): {cause}")
    })?;
    let table = parse_table(&document)?;
    let manifests = read_manifests()?;
    let faults = compare(&table, &manifests);
    if faults.is_empty() {
        let edges: usize = manifests.values().map(|edges| edges.normal.len() + edges.tests.len()).sum();
        println!("layers: {} crates, {edges} edges, all of them allowed by {DOCUMENT}", manifests.len());
        return Ok(());
    }
    Err(format!("layers: {DOCUMENT} and the manifests disagree\n  {}", faults.join("\n  ")))
}

fn parse_table(document: &str) -> Result<BTreeMap<String, Row>, String> {
    let rows = document
        .lines()
        .skip_while(|line| line.trim() != HEADING)
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter(|line| line.starts_with("| `"));
    let mut table = BTreeMap::new();
    for line in rows {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let [name, layer, normal, tests] = cells.as_slice() else {
            return Err(format!("{DOCUMENT}: this row has not four cells: {line}"));
        };
        let row =
            Row { layer: (*layer).to_owned(), edges: Edges { normal: names(normal), tests: names(tests) } };
        let name = names(name).into_iter().next().unwrap_or_default();
        if table.insert(name.clone(), row).is_some() {
            return Err(format!("{DOCUMENT}: {name} has two rows"));
        }
    }
    if table.is_empty() {
        return Err(format!("{DOCUMENT} has no table under the heading '{HEADING}'"));
    }
    Ok(table)
}

/// The names between backticks in one cell.
fn names(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn read_manifests() -> Result<BTreeMap<String, Edges>, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .map_err(|cause| format!("cannot run cargo metadata: {cause}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)
        .map_err(|cause| format!("cargo metadata printed no JSON: {cause}"))?;
    Ok(edges_of(&metadata))
}

/// The edges between members: dependencies that have a path.
fn edges_of(metadata: &serde_json::Value) -> BTreeMap<String, Edges> {
    let mut manifests = BTreeMap::new();
    for package in array(metadata, "packages") {
        let mut edges = Edges::default();
        for dependency in array(package, "dependencies").iter().filter(|it| it["path"].is_string()) {
            let name = text(dependency, "name");
            match dependency["kind"].as_str() {
                Some("dev") => edges.tests.insert(name),
                _ => edges.normal.insert(name),
            };
        }
        edges.tests = edges.tests.difference(&edges.normal).cloned().collect();
        manifests.insert(text(package, "name"), edges);
    }
    manifests
}

fn array<'a>(value: &'a serde_json::Value, key: &str) -> &'a [serde_json::Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &serde_json::Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn compare(table: &BTreeMap<String, Row>, manifests: &BTreeMap<String, Edges>) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, row) in table {
        match manifests.get(name) {
            None => faults.push(format!("stale row: there is no crate {name}; remove its row")),
            Some(has) => {
                compare_edges(name, "depends on", &row.edges.normal, &has.normal, &mut faults);
                compare_edges(name, "uses in tests", &row.edges.tests, &has.tests, &mut faults);
            }
        }
        faults.extend(upward(name, row, table));
    }
    for name in manifests.keys().filter(|name| !table.contains_key(*name)) {
        faults.push(format!("missing row: the crate {name} has no row; add it with its layer"));
    }
    faults
}

fn compare_edges(
    name: &str,
    verb: &str,
    allowed: &BTreeSet<String>,
    has: &BTreeSet<String>,
    faults: &mut Vec<String>,
) {
    for edge in has.difference(allowed) {
        faults.push(format!(
            "forbidden edge: {name} {verb} {edge}; take it out of the manifest, or give a reason for it in the table"
        ));
    }
    for edge in allowed.difference(has) {
        faults.push(format!(
            "stale edge: no manifest says that {name} {verb} {edge}; take it out of the table"
        ));
    }
}

/// Test edges may point anywhere; the others never point up.
fn upward(name: &str, row: &Row, table: &BTreeMap<String, Row>) -> Vec<String> {
    let Some(height) = height(&row.layer) else {
        return vec![format!(
            "unknown layer: {name} stands in '{}'; the layers are {}",
            row.layer,
            LAYERS.join(", ")
        )];
    };
    row.edges
        .normal
        .iter()
        .filter(|edge| {
            table.get(*edge).and_then(|below| self::height(&below.layer)).is_some_and(|below| below > height)
        })
        .map(|edge| {
            format!("upward edge: {name} ({}) may not depend on {edge}, which stands above it", row.layer)
        })
        .collect()
}

fn height(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|known| *known == layer)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "## Allowed edges\n\
        | crate | layer | may depend on | in tests also |\n|---|---|---|---|\n\
        | `low` | credentials | – | – |\n\
        | `high` | engines | `low` | – |\n## Next\n| `other` | engines | – | – |\n";

    fn manifests(high: &[&str]) -> BTreeMap<String, Edges> {
        let normal = high.iter().map(|name| (*name).to_owned()).collect();
        BTreeMap::from([
            ("low".to_owned(), Edges::default()),
            ("high".to_owned(), Edges { normal, tests: BTreeSet::new() }),
        ])
    }

    #[test]
    fn a_table_that_says_what_the_manifests_say_has_no_fault() {
        let table = parse_table(TABLE).unwrap();
        assert_eq!(table.len(), 2, "rows under other headings are not read");
        assert_eq!(compare(&table, &manifests(&["low"])), Vec::<String>::new());
    }

    #[test]
    fn an_edge_outside_the_table_is_named_with_both_ends() {
        let table = parse_table(&TABLE.replace("engines | `low`", "engines | –")).unwrap();
        let faults = compare(&table, &manifests(&["low"]));
        assert_eq!(faults.len(), 1);
        assert!(faults[0].starts_with("forbidden edge: high depends on low"), "{}", faults[0]);
    }

    #[test]
    fn a_row_or_an_edge_that_nothing_has_is_stale() {
        let table = parse_table(TABLE).unwrap();
        assert!(compare(&table, &manifests(&[]))[0].starts_with("stale edge: "));
        let mut gone = manifests(&["low"]);
        gone.remove("high");
        assert!(compare(&table, &gone)[0].starts_with("stale row: "));
    }

    #[test]
    fn a_crate_without_a_row_is_missing_from_the_table() {
        let table = parse_table(TABLE).unwrap();
        let mut more = manifests(&["low"]);
        more.insert("new".to_owned(), Edges::default());
        assert!(compare(&table, &more)[0].starts_with("missing row: "));
    }

    #[test]
    fn an_edge_that_points_up_is_refused_even_when_the_table_has_it() {
        let table = parse_table(
            "## Allowed edges\n| `low` | credentials | `high` | – |\n| `high` | engines | – | – |\n",
        )
        .unwrap();
        assert!(upward("low", &table["low"], &table)[0].starts_with("upward edge: low"));
    }

    #[test]
    fn only_dependencies_with_a_path_are_edges() {
        let metadata = serde_json::json!({"packages": [{"name": "a", "dependencies": [
            {"name": "serde", "kind": null}, {"name": "b", "kind": null, "path": "/b"},
            {"name": "c", "kind": "dev", "path": "/c"}, {"name": "b", "kind": "dev", "path": "/b"}]}]});
        let edges = edges_of(&metadata);
        assert_eq!(edges["a"].normal, BTreeSet::from(["b".to_owned()]));
        assert_eq!(edges["a"].tests, BTreeSet::from(["c".to_owned()]));
    }
}
