//! Cuts HCL text into tokens.

use super::Placed;
use super::ast::Position;
use super::error::Fault;
use super::escape::{Unquoted, simple};
use super::heredoc;
use super::number::Number;

/// A token of HCL.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(String),
    Text(String),
    Number(Number),
    Bool(bool),
    OpenBrace,
    CloseBrace,
    OpenBracket,
    CloseBracket,
    Comma,
    Assign,
    End,
}

impl Token {
    /// The token in words, for messages.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Word(word) => format!("{word:?}"),
            Self::Text(_) => "a string".to_owned(),
            Self::Number(number) => format!("the number {}", number.as_written()),
            Self::Bool(value) => format!("\"{value}\""),
            Self::OpenBrace => "\"{\"".to_owned(),
            Self::CloseBrace => "\"}\"".to_owned(),
            Self::OpenBracket => "\"[\"".to_owned(),
            Self::CloseBracket => "\"]\"".to_owned(),
            Self::Comma => "\",\"".to_owned(),
            Self::Assign => "\"=\"".to_owned(),
            Self::End => "the end of the file".to_owned(),
        }
    }
}

/// Reads characters and knows where it stands.
pub(super) struct Cursor<'a> {
    rest: &'a str,
    at: Position,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text, at: Position::START }
    }

    pub(super) fn at(&self) -> Position {
        self.at
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn peek_second(&self) -> Option<char> {
        self.rest.chars().nth(1)
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        if c == '\n' {
            self.at = Position { line: self.at.line.saturating_add(1), column: 1 };
        } else {
            self.at.column = self.at.column.saturating_add(1);
        }
        Some(c)
    }

    /// Takes characters while `wanted` holds.
    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let width = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, _) = self.rest.split_at(width);
        for _ in taken.chars() {
            self.bump();
        }
        taken
    }

    /// Takes the rest of the line without its end; then the line's end, if there is one.
    fn take_line(&mut self) -> &'a str {
        let line = self.take_while(|c| c != '\n');
        self.bump();
        line
    }

    pub(super) fn fail<T>(&self, fault: Fault) -> Placed<T> {
        Err((self.at, fault))
    }
}

/// Where byte `offset` of `text` stands; `text` is UTF-8 up to there.
pub(super) fn position_of(text: &[u8], offset: usize) -> Position {
    let before = text.get(..offset).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    let mut cursor = Cursor::new(before);
    while cursor.bump().is_some() {}
    cursor.at
}

/// Whether `text` may stand as a key without quotes.
pub(super) fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(begins_word) && chars.all(continues_word) && text != "true" && text != "false"
}

fn begins_word(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

fn continues_word(c: char) -> bool {
    begins_word(c) || c.is_numeric() || c == '-' || c == '.'
}

/// The next token and where it begins; white space and comments are skipped.
pub(super) fn next(cursor: &mut Cursor<'_>) -> Placed<(Position, Token)> {
    skip_blanks(cursor)?;
    let at = cursor.at();
    let Some(c) = cursor.peek() else {
        return Ok((at, Token::End));
    };
    let token = match c {
        c if begins_word(c) => word(cursor),
        '0'..='9' | '-' | '.' => number(cursor)?,
        '"' => string(cursor)?,
        '<' => heredoc_token(cursor)?,
        _ => {
            let token = match c {
                '{' => Token::OpenBrace,
                '}' => Token::CloseBrace,
                '[' => Token::OpenBracket,
                ']' => Token::CloseBracket,
                ',' => Token::Comma,
                '=' => Token::Assign,
                '\u{e123}' => return cursor.fail(Fault::ForbiddenCharacter(u32::from(c))),
                _ => return cursor.fail(Fault::UnexpectedCharacter(c)),
            };
            cursor.bump();
            token
        }
    };
    Ok((at, token))
}

fn skip_blanks(cursor: &mut Cursor<'_>) -> Placed<()> {
    loop {
        cursor.take_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
        match (cursor.peek(), cursor.peek_second()) {
            (Some('#'), _) | (Some('/'), Some('/')) => {
                cursor.take_line();
            }
            (Some('/'), Some('*')) => block_comment(cursor)?,
            (Some('/'), _) => return cursor.fail(Fault::LoneSlash),
            _ => return Ok(()),
        }
    }
}

fn block_comment(cursor: &mut Cursor<'_>) -> Placed<()> {
    let start = cursor.at();
    cursor.bump();
    cursor.bump();
    loop {
        cursor.take_while(|c| c != '*');
        if cursor.bump().is_none() {
            return Err((start, Fault::UnclosedComment));
        }
        if cursor.peek() == Some('/') {
            cursor.bump();
            return Ok(());
        }
    }
}

fn word(cursor: &mut Cursor<'_>) -> Token {
    match cursor.take_while(continues_word) {
        "true" => Token::Bool(true),
        "false" => Token::Bool(false),
        word => Token::Word(word.to_owned()),
    }
}

fn number(cursor: &mut Cursor<'_>) -> Placed<Token> {
    let start = cursor.at();
    let mut text = String::new();
    if cursor.peek() == Some('-') {
        text.push('-');
        cursor.bump();
        if !cursor.peek().is_some_and(|c| c.is_ascii_digit()) {
            return Err((start, Fault::UnexpectedCharacter('-')));
        }
    } else if cursor.peek() == Some('.') && !cursor.peek_second().is_some_and(|c| c.is_ascii_digit()) {
        return Err((start, Fault::UnexpectedCharacter('.')));
    }
    let decimal = |c: char| c.is_ascii_digit();
    text.push_str(cursor.take_while(decimal));
    if matches!(text.as_str(), "0" | "-0") && matches!(cursor.peek(), Some('x' | 'X')) {
        text.extend(cursor.bump());
        text.push_str(cursor.take_while(|c| c.is_ascii_hexdigit()));
    } else {
        if cursor.peek() == Some('.') {
            text.extend(cursor.bump());
            text.push_str(cursor.take_while(decimal));
        }
        if matches!(cursor.peek(), Some('e' | 'E')) {
            text.extend(cursor.bump());
            if matches!(cursor.peek(), Some('+' | '-')) {
                text.extend(cursor.bump());
            }
            text.push_str(cursor.take_while(decimal));
        }
    }
    match Number::parse(&text) {
        Some(number) => Ok(Token::Number(number)),
        None => Err((start, Fault::BadNumber(text))),
    }
}

fn string(cursor: &mut Cursor<'_>) -> Placed<Token> {
    let start = cursor.at();
    cursor.bump();
    let mut value = Unquoted::default();
    loop {
        let at = cursor.at();
        match cursor.bump() {
            None | Some('\n') => return Err((start, Fault::UnclosedString)),
            Some('"') => break,
            Some('\\') => escape(cursor, &mut value).map_err(|fault| (at, fault))?,
            Some('$') if cursor.peek() == Some('{') => interpolation(cursor, start, &mut value)?,
            Some(c @ '\u{e123}') => return Err((at, Fault::ForbiddenCharacter(u32::from(c)))),
            Some(c) => value.push(c),
        }
    }
    Ok(Token::Text(value.finish().map_err(|fault| (start, fault))?))
}

/// Copies `${ … }` as it stands, with quotes and line ends, to its closing brace.
fn interpolation(cursor: &mut Cursor<'_>, start: Position, value: &mut Unquoted) -> Placed<()> {
    value.push('$');
    let mut open = 0_usize;
    loop {
        let at = cursor.at();
        match cursor.bump() {
            None => return Err((start, Fault::UnclosedInterpolation)),
            Some(c @ '\u{e123}') => return Err((at, Fault::ForbiddenCharacter(u32::from(c)))),
            Some('\\') => {
                // The escape must be a known one, yet it is kept as written.
                let from = cursor.rest;
                escape(cursor, &mut Unquoted::default()).map_err(|fault| (at, fault))?;
                let width = from.len() - cursor.rest.len();
                value.push('\\');
                from.split_at(width).0.chars().for_each(|c| value.push(c));
            }
            Some(c) => {
                value.push(c);
                match c {
                    '{' => open += 1,
                    '}' => open = open.saturating_sub(1),
                    _ => {}
                }
                if open == 0 {
                    return Ok(());
                }
            }
        }
    }
}

/// Reads what follows a backslash.
fn escape(cursor: &mut Cursor<'_>, value: &mut Unquoted) -> Result<(), Fault> {
    match cursor.peek() {
        Some('0'..='7') => {
            let code = digits(cursor, 8, 3)?;
            value.push_byte(u8::try_from(code).map_err(|_| Fault::BadEscape)?);
            return Ok(());
        }
        Some(c) if simple(c).is_some() => value.push(simple(c).unwrap_or(c)),
        Some('x') => {
            cursor.bump();
            let code = digits(cursor, 16, 2)?;
            value.push_byte(u8::try_from(code).map_err(|_| Fault::BadEscape)?);
            return Ok(());
        }
        Some(c @ ('u' | 'U')) => {
            cursor.bump();
            return value.push_code_point(digits(cursor, 16, if c == 'u' { 4 } else { 8 })?);
        }
        _ => return Err(Fault::BadEscape),
    }
    cursor.bump();
    Ok(())
}

fn digits(cursor: &mut Cursor<'_>, radix: u32, count: usize) -> Result<u32, Fault> {
    let mut code = 0_u32;
    for _ in 0..count {
        let digit = cursor.peek().and_then(|c| c.to_digit(radix)).ok_or(Fault::BadEscape)?;
        cursor.bump();
        code = code.checked_mul(radix).and_then(|code| code.checked_add(digit)).ok_or(Fault::BadEscape)?;
    }
    Ok(code)
}

fn heredoc_token(cursor: &mut Cursor<'_>) -> Placed<Token> {
    let start = cursor.at();
    cursor.bump();
    if cursor.bump() != Some('<') {
        return Err((start, Fault::BadHeredoc));
    }
    let indented = cursor.peek() == Some('-');
    if indented {
        cursor.bump();
    }
    let first = cursor.take_line();
    let name = first.trim_end_matches('\r');
    if name.is_empty() || !name.chars().all(|c| begins_word(c) || c.is_numeric()) {
        return Err((start, Fault::BadHeredoc));
    }
    let mut lines = Vec::new();
    while cursor.peek().is_some() {
        let at = cursor.at();
        let line = cursor.take_line();
        if let Some(indent) = heredoc::closing_indent(line, name) {
            return Ok(Token::Text(heredoc::value(&lines, indent, indented)));
        }
        if let Some(c) = line.chars().find(|c| *c == '\u{e123}') {
            return Err((at, Fault::ForbiddenCharacter(u32::from(c))));
        }
        lines.push(line);
    }
    Err((start, Fault::UnclosedHeredoc(name.to_owned())))
}
