//! The report: for each topic, how many checks there are, how many have vectors, and what is left out and why.

use std::fmt::Write as _;

use crate::checks::TOPICS;
use crate::format::Check;
use crate::left_out::LeftOut;

/// The report as text.
pub fn print(checks: &[Check], left_out: &[LeftOut]) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:<16} {:>6} {:>8} {:>8} {:>7} {:>8}",
        "topic", "checks", "covered", "accepted", "refused", "left out"
    );
    let mut sums = [0; 5];
    for topic in &TOPICS {
        let of = |id: &str| crate::checks::Topic::of(id) == Some(topic);
        let covered: Vec<&Check> = checks.iter().filter(|check| of(&check.check)).collect();
        let (accepted, refused) =
            covered.iter().map(|c| c.counts()).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let left = left_out.iter().filter(|left| of(left.check)).count();
        let row = [topic.count, covered.len(), accepted, refused, left];
        line(&mut text, topic.folder, row);
        sums.iter_mut().zip(row).for_each(|(sum, one)| *sum += one);
    }
    line(&mut text, "all", sums);
    for check in checks {
        if let (Some(only), Some(why)) = (check.only, &check.only_because) {
            let _ = writeln!(text, "only {only:?} {}: {why}", check.check);
        }
    }
    for left in left_out {
        let shown =
            left.shown_by.map_or_else(String::new, |(file, test)| format!(" [shown by {test} in {file}]"));
        let _ = writeln!(text, "left out {} ({}): {}{shown}", left.check, left.asks, left.reason);
    }
    text
}

fn line(text: &mut String, name: &str, [checks, covered, accepted, refused, left]: [usize; 5]) {
    let _ = writeln!(text, "{name:<16} {checks:>6} {covered:>8} {accepted:>8} {refused:>7} {left:>8}");
}
