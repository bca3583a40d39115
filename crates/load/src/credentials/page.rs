//! The section of the page of benchmarks.

use std::fmt::Write as _;
use std::path::Path;

use super::{BARE, EACH, MORE};
use crate::fault::Fault;
use crate::page::with_section;
use crate::report::{Figure, Report};

const TITLE: &str = "## The credentials crate";

/// How much more than its cryptography an operation should cost at the most, in percent.
const AIM: f64 = 10.0;
/// How long an operation without cryptography should take at the most, in microseconds.
const AIM_ALONE: f64 = 1.0;

/// The section: each operation beside the cryptography that is in it.
pub(crate) fn section(report: &Report) -> String {
    let mut text = format!(
        "{TITLE}\n\nProcessor time of one operation on one thread with keys on P-256, beside that of the signatures \
         made or checked in it:\nthe median of turns that both take. Aims: at most {AIM:.0} % more than the \
         cryptography, and at most {AIM_ALONE:.0} µs where there is\nnone. Criterion measures the same: `cargo bench -p \
         bonafide-spiffe`.\n\n| what | seen | cryptography alone | more | |\n|---|---:|---:|---:|---|\n"
    );
    for row in &report.0 {
        let cell = |name| row.figure(name).map(Figure::text).unwrap_or_default();
        let met = match (row.figure(MORE), row.figure(EACH)) {
            (Some(more), _) => more.value <= AIM,
            (None, Some(each)) => each.value <= AIM_ALONE,
            (None, None) => false,
        };
        let met = if met { "met" } else { "**missed**" };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {} | {} | {} | {} | {met} |", row.what, cell(EACH), cell(BARE), cell(MORE));
    }
    text.push('\n');
    text
}

/// Puts the section into the page at `path`, in place of the one that is there.
pub(crate) fn write(path: &Path, report: &Report) -> Result<(), Fault> {
    let fault = |doing| move |cause| Fault::File { doing, path: path.to_owned(), cause };
    let page = std::fs::read_to_string(path).map_err(fault("reading"))?;
    std::fs::write(path, with_section(&page, &section(report))).map_err(fault("writing"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Measured, Unit};

    #[test]
    fn a_miss_is_called_a_miss() {
        let row = |what: &str, figures| Measured { what: what.to_owned(), figures };
        let each = |value| Figure::new(EACH, value, Unit::Micros);
        let both = |more| {
            vec![each(20.0), Figure::new(BARE, 19.0, Unit::Micros), Figure::new(MORE, more, Unit::Percent)]
        };
        let text =
            section(&Report(vec![row("a", both(5.3)), row("b", both(11.0)), row("c", vec![each(1.5)])]));
        assert!(text.contains("| a | 20.00 µs | 19.00 µs | 5 % | met |"), "{text}");
        assert!(text.contains("| b | 20.00 µs | 19.00 µs | 11 % | **missed** |"), "{text}");
        assert!(text.contains("| c | 1.50 µs |  |  | **missed** |"), "{text}");
    }
}
