//! The merged view of a body: what stands under each name, however it was nested or repeated.

use super::ast::{Body, Key, Node, Position, Value};
use super::print;

/// The fields of one or several bodies that belong together.
///
/// `a { x = 1 } a { y = 2 }`, `a "x" { … }` and JSON's `{"a": {"x": {…}}}` all read the same through it.
#[derive(Clone, Debug)]
pub struct Section<'a> {
    at: Position,
    fields: Vec<Field<'a>>,
}

/// A key with what stands under it.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    key: &'a Key,
    labels: &'a [Key],
    node: &'a Node,
    assigned: bool,
}

impl<'a> Section<'a> {
    /// The view of one body.
    #[must_use]
    pub fn of(body: &'a Body) -> Self {
        let fields = body
            .items
            .iter()
            .filter_map(|item| {
                let (key, labels) = item.keys.split_first()?;
                Some(Field { key, labels, node: &item.value, assigned: item.assigned })
            })
            .collect();
        Self { at: body.at, fields }
    }

    /// A section of no fields that begins at `at`.
    #[must_use]
    pub fn empty(at: Position) -> Self {
        Self { at, fields: Vec::new() }
    }

    /// Where the section begins.
    #[must_use]
    pub fn at(&self) -> Position {
        self.at
    }

    /// Every field, in the order they stand.
    #[must_use]
    pub fn fields(&self) -> &[Field<'a>] {
        &self.fields
    }

    /// The fields called `name`; ASCII case does not matter, as in HashiCorp's reader.
    pub fn named(&self, name: &str) -> impl Iterator<Item = Field<'a>> {
        self.fields.iter().copied().filter(move |field| field.key.name.eq_ignore_ascii_case(name))
    }

    /// Adds the fields of `other`, as when a block is repeated.
    pub fn merge(&mut self, other: Self) {
        self.fields.extend(other.fields);
    }

    /// The section as HCL text.
    #[must_use]
    pub fn print(&self) -> String {
        let mut out = String::new();
        for field in &self.fields {
            let keys: Vec<&Key> = std::iter::once(field.key).chain(field.labels).collect();
            print::item(&keys, field.assigned, field.node, 0, &mut out);
        }
        out
    }
}

impl<'a> Field<'a> {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &'a Key {
        self.key
    }

    /// Where the value begins.
    #[must_use]
    pub fn at(&self) -> Position {
        self.labels.first().map_or(self.node.at, |label| label.at)
    }

    /// The value, unless the field is a block with labels.
    #[must_use]
    pub fn node(&self) -> Option<&'a Node> {
        self.labels.is_empty().then_some(self.node)
    }

    /// What stands in the block; none if the field is no block. A label is a field of its block.
    #[must_use]
    pub fn section(&self) -> Option<Section<'a>> {
        match (self.labels.split_first(), &self.node.value) {
            (Some((key, labels)), _) => Some(Section {
                at: key.at,
                fields: vec![Field { key, labels, node: self.node, assigned: self.assigned }],
            }),
            (None, Value::Object(body)) => Some(Section::of(body)),
            (None, _) => None,
        }
    }

    /// What kind of value it is, in words.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        if self.labels.is_empty() { self.node.value.kind() } else { "a block" }
    }
}
