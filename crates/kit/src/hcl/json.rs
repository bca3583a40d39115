//! Builds the tree from JSON.
//!
//! As in HashiCorp's reader, a list of objects under a key is the same as the key repeated, a comma may
//! trail, and `null` stands for an empty string. Text after the document is refused, not skipped.

use super::ast::{Body, Item, Key, Node, Position, Value};
use super::error::Fault;
use super::number::Number;
use super::parse::Budget;
use super::scan::Cursor;
use super::{Limits, Placed};

/// Reads a whole file.
pub(super) fn document(text: &str, limits: Limits) -> Placed<Body> {
    let mut reader = Reader { cursor: Cursor::new(text), budget: Budget::new(limits) };
    reader.skip_blanks();
    let at = reader.cursor.at();
    reader.cursor.bump();
    let root = reader.object(at)?;
    reader.skip_blanks();
    if reader.cursor.peek().is_some() {
        return reader.unexpected("the end of the file after the closing \"}\"");
    }
    Ok(root)
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    budget: Budget,
}

impl Reader<'_> {
    fn skip_blanks(&mut self) {
        self.cursor.take_while(char::is_whitespace);
    }

    fn unexpected<T>(&self, expected: &'static str) -> Placed<T> {
        let found = self.cursor.peek().map_or("the end of the file".to_owned(), |c| format!("{c:?}"));
        self.cursor.fail(Fault::Json { expected, found })
    }

    /// The inside of an object; its opening brace has been read.
    fn object(&mut self, at: Position) -> Placed<Body> {
        self.budget.enter(at)?;
        let mut items = Vec::new();
        loop {
            self.skip_blanks();
            match self.cursor.peek() {
                None => return Err((at, Fault::UnclosedObject)),
                Some('}') => break,
                Some('"') => self.member(&mut items)?,
                Some(_) => return self.unexpected("a key in double quotes or \"}\""),
            }
            self.skip_blanks();
            match self.cursor.peek() {
                None => return Err((at, Fault::UnclosedObject)),
                Some('}') => {}
                Some(',') => {
                    self.cursor.bump();
                }
                Some(_) => return self.unexpected("\",\" or \"}\""),
            }
        }
        self.cursor.bump();
        self.budget.leave();
        Ok(Body { items, at })
    }

    fn member(&mut self, items: &mut Vec<Item>) -> Placed<()> {
        let at = self.cursor.at();
        self.budget.node(at)?;
        let key = Key { name: self.string()?, quoted: true, at };
        self.skip_blanks();
        if self.cursor.peek() != Some(':') {
            return self.unexpected("\":\" after the key");
        }
        self.cursor.bump();
        let value = self.value()?;
        match value.value {
            Value::List(list) if !list.is_empty() && list.iter().all(is_object) => {
                for element in list {
                    self.budget.node(element.at)?;
                    items.push(Item { keys: vec![key.clone()], value: element, assigned: true });
                }
            }
            _ => items.push(Item { keys: vec![key], value, assigned: true }),
        }
        Ok(())
    }

    fn value(&mut self) -> Placed<Node> {
        self.skip_blanks();
        let at = self.cursor.at();
        self.budget.node(at)?;
        let value = match self.cursor.peek() {
            Some('"') => Value::Text(self.string()?),
            Some('{') => {
                self.cursor.bump();
                Value::Object(self.object(at)?)
            }
            Some('[') => {
                self.cursor.bump();
                Value::List(self.list(at)?)
            }
            Some('-' | '0'..='9') => self.number()?,
            Some(c) if c.is_ascii_alphabetic() => self.word()?,
            _ => return self.unexpected("a value"),
        };
        Ok(Node { value, at })
    }

    fn word(&mut self) -> Placed<Value> {
        let at = self.cursor.at();
        match self.cursor.take_while(|c| c.is_ascii_alphanumeric() || c == '_') {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "null" => Ok(Value::Null),
            word => Err((at, Fault::BareWord(word.to_owned()))),
        }
    }

    fn number(&mut self) -> Placed<Value> {
        let at = self.cursor.at();
        let text = self.cursor.take_while(|c| matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'));
        let digits = text.strip_prefix('-').unwrap_or(text);
        let mut first_two = digits.chars();
        let first = first_two.next();
        // JSON has no octal, and a digit before the point.
        let octal = first == Some('0') && first_two.next().is_some_and(|c| c.is_ascii_digit());
        let whole = first.is_some_and(|c| c.is_ascii_digit());
        match Number::parse(text) {
            Some(number) if whole && !octal => Ok(Value::Number(number)),
            _ => Err((at, Fault::BadNumber(text.to_owned()))),
        }
    }

    /// The inside of a list; its opening bracket has been read.
    fn list(&mut self, at: Position) -> Placed<Vec<Node>> {
        self.budget.enter(at)?;
        let mut list = Vec::new();
        loop {
            self.skip_blanks();
            match self.cursor.peek() {
                None => return Err((at, Fault::UnclosedList)),
                Some(']') => break,
                Some(_) => list.push(self.value()?),
            }
            self.skip_blanks();
            match self.cursor.peek() {
                None => return Err((at, Fault::UnclosedList)),
                Some(']') => {}
                Some(',') => {
                    self.cursor.bump();
                }
                Some(_) => return self.unexpected("\",\" or \"]\""),
            }
        }
        self.cursor.bump();
        self.budget.leave();
        Ok(list)
    }

    fn string(&mut self) -> Placed<String> {
        let start = self.cursor.at();
        self.cursor.bump();
        let mut value = String::new();
        loop {
            let at = self.cursor.at();
            match self.cursor.bump() {
                None | Some('\n') => return Err((start, Fault::UnclosedString)),
                Some('"') => return Ok(value),
                Some('\\') => value.push(self.escape().ok_or((at, Fault::BadJsonEscape))?),
                Some(c) => value.push(c),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.cursor.bump()? {
            c @ ('"' | '\\' | '/') => c,
            'b' => '\u{08}',
            'f' => '\u{0c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.code_point(),
            _ => return None,
        })
    }

    fn code_point(&mut self) -> Option<char> {
        let high = self.four_digits()?;
        if !(0xD800..0xDC00).contains(&high) {
            return char::from_u32(high);
        }
        (self.cursor.bump() == Some('\\') && self.cursor.bump() == Some('u')).then_some(())?;
        let low = self.four_digits()?;
        let low = (0xDC00..0xE000).contains(&low).then(|| low - 0xDC00)?;
        char::from_u32(0x10000 + ((high - 0xD800) << 10) + low)
    }

    fn four_digits(&mut self) -> Option<u32> {
        let mut code = 0;
        for _ in 0..4 {
            code = code * 16 + self.cursor.bump()?.to_digit(16)?;
        }
        Some(code)
    }
}

fn is_object(node: &Node) -> bool {
    matches!(node.value, Value::Object(_))
}
