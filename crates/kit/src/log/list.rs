//! Lists as field values.

use std::fmt;

/// Prints elements as Go prints a slice: `[a b]`.
pub fn list<T: fmt::Display>(elements: impl IntoIterator<Item = T>) -> impl fmt::Display + fmt::Debug {
    let mut text = String::from("[");
    for (index, element) in elements.into_iter().enumerate() {
        if index > 0 {
            text.push(' ');
        }
        text.push_str(&element.to_string());
    }
    text.push(']');
    List(text)
}

struct List(String);

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
