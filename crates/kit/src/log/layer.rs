//! Turns events into lines.

use std::sync::Arc;
use std::time::SystemTime;

use tracing::span::{Attributes, Id, Record as SpanRecord};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::output::Sink;
use super::record::{Fields, Record, Value};
use super::text::Text;
use super::{Format, json};

/// Prints events with the fields of the spans around them.
pub(super) struct Printer {
    form: Form,
    source_location: bool,
    sink: Arc<Sink>,
}

enum Form {
    Text(Text),
    Json,
}

impl Printer {
    pub(super) fn new(format: Format, source_location: bool, colour: bool, sink: Arc<Sink>) -> Self {
        let form = match format {
            Format::Json => Form::Json,
            Format::Default => Form::Text(Text { fraction: false, colour_since: colour.then(now) }),
            Format::Text => Form::Text(Text { fraction: true, colour_since: colour.then(now) }),
        };
        Self { form, source_location, sink }
    }

    fn print(&self, record: &Record) {
        let mut line = match &self.form {
            Form::Text(text) => text.print(record),
            Form::Json => json::print(record),
        };
        line.push('\n');
        self.sink.write(line.as_bytes());
    }
}

/// The one place where the log reads the clock.
#[allow(clippy::disallowed_methods, reason = "a log line carries the time it is written at")]
fn now() -> SystemTime {
    SystemTime::now()
}

fn add_source_location(metadata: &Metadata<'_>, fields: &mut Fields) {
    if let (Some(file), Some(line)) = (metadata.file(), metadata.line()) {
        let name = file.rsplit('/').next().unwrap_or(file);
        fields.set("file", Value::Text(format!("{name}:{line}")));
        fields.set("func", Value::Text(metadata.module_path().unwrap_or(metadata.target()).to_owned()));
    }
}

impl<S> Layer<S> for Printer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &SpanRecord<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(outer) = span.extensions().get::<Fields>() {
                fields.inherit(outer);
            }
        }
        event.record(&mut fields);
        if self.source_location {
            add_source_location(event.metadata(), &mut fields);
        }
        self.print(&Record { time: now(), level: (*event.metadata().level()).into(), fields });
    }
}
