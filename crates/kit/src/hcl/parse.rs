//! Builds the tree from HCL's own notation.

use super::ast::{Body, Item, Key, Node, Position, Value};
use super::error::Fault;
use super::scan::{Cursor, Token, next};
use super::{Limits, Placed};

/// Reads a whole file.
pub(super) fn document(text: &str, limits: Limits) -> Placed<Body> {
    let mut reader = Reader { cursor: Cursor::new(text), ahead: None, budget: Budget::new(limits) };
    let mut items = Vec::new();
    while reader.peek()? != &Token::End {
        items.push(reader.item()?);
    }
    Ok(Body { items, at: Position::START })
}

/// Counts what is left of the limits.
pub(super) struct Budget {
    limits: Limits,
    depth: usize,
    nodes: usize,
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, depth: 0, nodes: 0 }
    }

    /// Counts one key or value.
    pub(super) fn node(&mut self, at: Position) -> Placed<()> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            return Err((at, Fault::TooMany { limit: self.limits.nodes }));
        }
        Ok(())
    }

    /// Goes one level down.
    pub(super) fn enter(&mut self, at: Position) -> Placed<()> {
        self.depth += 1;
        if self.depth > self.limits.depth {
            return Err((at, Fault::TooDeep { limit: self.limits.depth }));
        }
        Ok(())
    }

    /// Comes back up.
    pub(super) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    ahead: Option<(Position, Token)>,
    budget: Budget,
}

impl Reader<'_> {
    fn peek(&mut self) -> Placed<&Token> {
        let token = match self.ahead.take() {
            Some(token) => token,
            None => next(&mut self.cursor)?,
        };
        Ok(&self.ahead.insert(token).1)
    }

    fn next(&mut self) -> Placed<(Position, Token)> {
        match self.ahead.take() {
            Some(token) => Ok(token),
            None => next(&mut self.cursor),
        }
    }

    /// One item and the comma that may follow it.
    fn item(&mut self) -> Placed<Item> {
        let mut keys: Vec<Key> = Vec::new();
        let item = loop {
            let (at, token) = self.next()?;
            let (name, quoted) = match (token, keys.first()) {
                (Token::Word(name), _) => (name, false),
                (Token::Text(name), _) => (name, true),
                (Token::Assign, Some(key)) if keys.len() > 1 => {
                    return Err((at, Fault::LabelsWithAssignment { key: key.name.clone() }));
                }
                (Token::Assign, Some(_)) => {
                    break Item { keys, value: self.value()?, assigned: true };
                }
                (Token::OpenBrace, Some(_)) => {
                    self.budget.node(at)?;
                    let value = Node { value: Value::Object(self.object(at)?), at };
                    break Item { keys, value, assigned: false };
                }
                (other, Some(key)) => {
                    let fault = Fault::ExpectedValueMark { key: key.name.clone(), found: other.describe() };
                    return Err((at, fault));
                }
                (other, None) => return Err((at, Fault::ExpectedKey { found: other.describe() })),
            };
            self.budget.node(at)?;
            keys.push(Key { name, quoted, at });
        };
        if self.peek()? == &Token::Comma {
            self.next()?;
        }
        Ok(item)
    }

    fn value(&mut self) -> Placed<Node> {
        let (at, token) = self.next()?;
        self.value_from(at, token)
    }

    fn value_from(&mut self, at: Position, token: Token) -> Placed<Node> {
        self.budget.node(at)?;
        let value = match token {
            Token::Text(text) => Value::Text(text),
            Token::Number(number) => Value::Number(number),
            Token::Bool(value) => Value::Bool(value),
            Token::OpenBrace => Value::Object(self.object(at)?),
            Token::OpenBracket => Value::List(self.list(at)?),
            Token::Word(word) => return Err((at, Fault::BareWord(word))),
            other => return Err((at, Fault::ExpectedValue { found: other.describe() })),
        };
        Ok(Node { value, at })
    }

    /// The inside of a block; its opening brace has been read.
    fn object(&mut self, at: Position) -> Placed<Body> {
        self.budget.enter(at)?;
        let mut items = Vec::new();
        loop {
            match self.peek()? {
                Token::CloseBrace => break,
                Token::End => return Err((at, Fault::UnclosedObject)),
                _ => items.push(self.item()?),
            }
        }
        self.next()?;
        self.budget.leave();
        Ok(Body { items, at })
    }

    /// The inside of a list; its opening bracket has been read. Commas may be doubled or trail.
    fn list(&mut self, at: Position) -> Placed<Vec<Node>> {
        self.budget.enter(at)?;
        let mut list: Vec<Node> = Vec::new();
        let mut comma_due = false;
        loop {
            let (place, token) = self.next()?;
            match token {
                Token::CloseBracket => break,
                Token::Comma => comma_due = false,
                Token::End => return Err((at, Fault::UnclosedList)),
                other if comma_due => {
                    return Err((place, Fault::ExpectedComma { found: other.describe() }));
                }
                other => {
                    let node = self.value_from(place, other)?;
                    // HashiCorp's reader wants no comma after a nested list.
                    comma_due = !matches!(node.value, Value::List(_));
                    list.push(node);
                }
            }
        }
        self.budget.leave();
        Ok(list)
    }
}
