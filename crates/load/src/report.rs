//! What was measured, as a table for people and as JSON for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Map, Value, json};

/// In what a figure is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Plain.
    Number,
    /// A rate.
    PerSecond,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Hundredths.
    Percent,
    /// Bytes.
    Bytes,
    /// Processors kept busy.
    Cores,
}

impl Unit {
    /// What ends the name of a figure in JSON.
    fn suffix(self) -> &'static str {
        match self {
            Self::Number => "",
            Self::PerSecond => "_per_second",
            Self::Millis => "_ms",
            Self::Micros => "_us",
            Self::Percent => "_percent",
            Self::Bytes => "_bytes",
            Self::Cores => "_cores",
        }
    }
}

/// A number with its name and unit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) value: f64,
    pub(crate) unit: Unit,
}

impl Figure {
    pub(crate) fn new(name: &'static str, value: f64, unit: Unit) -> Self {
        Self { name, value, unit }
    }

    pub(crate) fn time(name: &'static str, time: Duration) -> Self {
        Self::new(name, time.as_secs_f64() * 1000.0, Unit::Millis)
    }

    pub(crate) fn bytes(name: &'static str, bytes: u64) -> Self {
        Self::new(name, bytes as f64, Unit::Bytes)
    }

    /// As people read it.
    pub(crate) fn text(&self) -> String {
        match self.unit {
            Unit::Number => grouped(self.value),
            Unit::PerSecond => format!("{}/s", grouped(self.value)),
            Unit::Millis if self.value >= 100.0 => format!("{} ms", grouped(self.value)),
            Unit::Millis => format!("{:.2} ms", self.value),
            Unit::Micros => format!("{:.2} µs", self.value),
            Unit::Percent => format!("{:.0} %", self.value),
            Unit::Bytes if self.value.abs() >= 1e6 => format!("{:.1} MB", self.value / 1e6),
            Unit::Bytes => format!("{:.1} kB", self.value / 1e3),
            Unit::Cores => format!("{:.2} cores", self.value),
        }
    }
}

/// One measurement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measured {
    pub(crate) what: String,
    pub(crate) figures: Vec<Figure>,
}

impl Measured {
    pub(crate) fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }
}

/// All of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Report(pub(crate) Vec<Measured>);

impl Report {
    pub(crate) fn push(&mut self, measured: Measured) {
        self.0.push(measured);
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// A figure of a measurement.
    pub(crate) fn find(&self, what: &str, name: &str) -> Option<&Figure> {
        self.0.iter().find(|measured| measured.what == what)?.figure(name)
    }

    /// One line a measurement, one column a figure.
    pub(crate) fn table(&self) -> String {
        let rows = self.rows();
        let width =
            |column: usize| rows.iter().filter_map(|r| r.get(column)).map(|c| c.chars().count()).max();
        let widths: Vec<usize> = (0..).map_while(width).collect();
        rows.iter().fold(String::new(), |mut text, row| {
            let cells = row.iter().zip(&widths).enumerate().map(|(at, (cell, width))| match at {
                0 => format!("{cell:width$}"),
                _ => format!("{cell:>width$}"),
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}", line.trim_end());
            text
        })
    }

    /// The same in Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut rows = self.rows().into_iter();
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let head = rows.next().unwrap_or_default();
        let rule: String = (0..head.len()).map(|at| if at == 0 { "|---|" } else { "---:|" }).collect();
        format!("{}{rule}\n{}", line(head), rows.map(line).collect::<String>())
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let mut names: Vec<&str> = Vec::new();
        for figure in self.0.iter().flat_map(|measured| &measured.figures) {
            if !names.contains(&figure.name) {
                names.push(figure.name);
            }
        }
        let head = std::iter::once("measured").chain(names.iter().copied()).map(str::to_owned).collect();
        let row = |measured: &Measured| {
            let cell = |name: &&str| measured.figure(name).map(Figure::text).unwrap_or_default();
            std::iter::once(measured.what.clone()).chain(names.iter().map(cell)).collect()
        };
        std::iter::once(head).chain(self.0.iter().map(row)).collect()
    }

    /// An array with an object for each measurement; names end in their units.
    pub(crate) fn json(&self) -> Value {
        let one = |measured: &Measured| {
            let mut object = Map::new();
            object.insert("measured".to_owned(), json!(measured.what));
            for figure in &measured.figures {
                let name = figure.name.to_lowercase().replace(' ', "_");
                object.insert(format!("{name}{}", figure.unit.suffix()), json!(figure.value));
            }
            Value::Object(object)
        };
        self.0.iter().map(one).collect()
    }
}

/// A number with its thousands apart; small ones with a fraction.
fn grouped(value: f64) -> String {
    if value.abs() < 10.0 && value.fract() != 0.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let figures = vec![
            Figure::new("rate", 12345.6, Unit::PerSecond),
            Figure::time("p50", Duration::from_micros(1500)),
        ];
        let memory = vec![Figure::bytes("resident", 3_000_000)];
        Report(vec![
            Measured { what: "signing".to_owned(), figures },
            Measured { what: "memory".to_owned(), figures: memory },
        ])
    }

    #[test]
    fn a_table_has_a_line_for_each_measurement() {
        let expected = "measured      rate      p50  resident\n\
                        signing   12,346/s  1.50 ms\n\
                        memory                         3.0 MB\n";
        assert_eq!(report().table(), expected);
    }

    #[test]
    fn markdown_is_the_same_table() {
        let text = report().markdown();
        assert!(text.starts_with("| measured | rate | p50 | resident |\n|---|---:|---:|---:|\n"), "{text}");
        assert!(text.contains("| signing | 12,346/s | 1.50 ms |  |\n"), "{text}");
    }

    #[test]
    fn json_names_the_units() {
        let expected = json!([
            {"measured": "signing", "rate_per_second": 12345.6, "p50_ms": 1.5},
            {"measured": "memory", "resident_bytes": 3_000_000.0},
        ]);
        assert_eq!(report().json(), expected);
    }

    #[test]
    fn thousands_stand_apart() {
        let texts = [0.5, 12.0, 999.4, 1000.0, 1_234_567.0, -4321.0].map(grouped);
        assert_eq!(texts, ["0.50", "12", "999", "1,000", "1,234,567", "-4,321"]);
    }
}
