//! The form of a command's output.

use std::io::{self, Write};

use kit::flags::{Flag, Values};
use serde_json::Value;

/// The flag that chooses the form.
pub(crate) const FLAGS: &[Flag] =
    &[Flag::choice("output", &["pretty", "json", "prettyprint"], "The form of the output: pretty or json")];

/// The form of a command's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    Pretty,
    /// For programs.
    Json,
}

/// The form that was asked for.
pub(crate) fn form(values: &Values) -> Form {
    named(values.text("output"))
}

/// The form with that name.
pub(crate) fn named(name: &str) -> Form {
    if name == "json" { Form::Json } else { Form::Pretty }
}

/// Prints a JSON document in one line, as SPIRE does: the names of an object in order, and `<`, `>` and `&` escaped.
pub(crate) fn print_json(out: &mut dyn Write, mut document: Value) -> io::Result<()> {
    document.sort_all_objects();
    print_json_unsorted(out, &document)
}

/// The same with names in the order in which they were put in.
pub(crate) fn print_json_unsorted(out: &mut dyn Write, document: &Value) -> io::Result<()> {
    // Outside of strings these characters do not stand in JSON.
    let text = document
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029");
    writeln!(out, "{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_html_is_escaped() {
        let mut out = Vec::new();
        print_json(&mut out, serde_json::json!({"b": [{"z": 1, "a": "<&>"}], "a": "é"})).unwrap();
        let expected = "{\"a\":\"é\",\"b\":[{\"a\":\"\\u003c\\u0026\\u003e\",\"z\":1}]}\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
