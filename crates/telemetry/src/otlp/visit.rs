//! The fields of a span.

use std::error::Error;
use std::fmt;

use kit::trace::{ERROR, KIND, NAME, PARENT, STATE};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use tracing::field::{Field, Visit};

use super::wire::attribute;

/// The most attributes of a span, and the most bytes of a text; more is counted, or cut off.
const MOST: usize = 32;
const LONGEST: usize = 512;

/// Reads fields into a span.
pub(super) struct Fields<'a> {
    pub(super) span: &'a mut Span,
    /// The place of a remote caller.
    pub(super) parent: Option<String>,
    pub(super) state: Option<String>,
}

impl<'a> Fields<'a> {
    pub(super) fn of(span: &'a mut Span) -> Self {
        Self { span, parent: None, state: None }
    }

    fn text(&mut self, name: &str, text: &str) {
        match name {
            NAME => text.clone_into(&mut self.span.name),
            KIND => {
                self.span.kind = match text {
                    "server" => SpanKind::Server.into(),
                    "client" => SpanKind::Client.into(),
                    _ => SpanKind::Internal.into(),
                }
            }
            PARENT => self.parent = Some(text.to_owned()),
            STATE => self.state = Some(text.to_owned()),
            ERROR => {
                let message = shortened(text).to_owned();
                self.span.status = Some(Status { message, code: StatusCode::Error.into() });
            }
            _ => self.add(name, Value::StringValue(shortened(text).to_owned())),
        }
    }

    fn add(&mut self, name: &str, value: Value) {
        let all = &mut self.span.attributes;
        let full = all.len() >= MOST;
        match all.iter_mut().find(|known| known.key == name) {
            Some(known) => *known = attribute(name, value),
            None if full => self.span.dropped_attributes_count += 1,
            None => all.push(attribute(name, value)),
        }
    }
}

fn shortened(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field.name(), Value::DoubleValue(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field.name(), Value::IntValue(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field.name(), Value::IntValue(i64::try_from(value).unwrap_or(i64::MAX)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field.name(), Value::BoolValue(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field.name(), value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.text(field.name(), &value.to_string());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field.name(), &format!("{value:?}"));
    }
}
