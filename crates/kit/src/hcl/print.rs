//! Writes a body as HCL text that reads back as the same body.

use super::ast::{Body, Item, Key, Node, Value};
use super::escape::quote;
use super::scan::is_identifier;

/// Writes `body` as HCL, two spaces for each level, one item a line.
#[must_use]
pub fn print(body: &Body) -> String {
    let mut out = String::new();
    items(&body.items, 0, &mut out);
    out
}

pub(super) fn items(list: &[Item], level: usize, out: &mut String) {
    for one in list {
        item(&one.keys.iter().collect::<Vec<_>>(), one.assigned, &one.value, level, out);
    }
}

pub(super) fn item(keys: &[&Key], assigned: bool, value: &Node, level: usize, out: &mut String) {
    indent(level, out);
    for (index, name) in keys.iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        key(name, out);
    }
    let assigned = (assigned || !matches!(value.value, Value::Object(_))) && keys.len() == 1;
    out.push_str(if assigned { " = " } else { " " });
    node(&value.value, level, out);
    out.push('\n');
}

fn key(key: &Key, out: &mut String) {
    if key.quoted || !is_identifier(&key.name) {
        quote(&key.name, out);
    } else {
        out.push_str(&key.name);
    }
}

fn node(value: &Value, level: usize, out: &mut String) {
    match value {
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(number.as_written()),
        Value::Text(text) => quote(text, out),
        Value::Null => out.push_str("\"\""),
        Value::List(list) => {
            out.push('[');
            for (index, element) in list.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                node(&element.value, level, out);
            }
            out.push(']');
        }
        Value::Object(body) if body.items.is_empty() => out.push_str("{}"),
        Value::Object(body) => {
            out.push_str("{\n");
            items(&body.items, level + 1, out);
            indent(level, out);
            out.push('}');
        }
    }
}

fn indent(level: usize, out: &mut String) {
    for _ in 0..level {
        out.push_str("  ");
    }
}
