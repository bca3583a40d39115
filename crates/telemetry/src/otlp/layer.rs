//! From `tracing`'s spans to those of a collector.

use std::time::{Instant, SystemTime};

use kit::clock::Clock;
use kit::trace::Place;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use tokio::sync::mpsc;
use tracing::Subscriber;
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::ids::Ids;
use super::visit::Fields;
use super::{Ratio, Tally};

/// Bits of a span's flags: it is known whether its parent is remote, and it is.
const KNOWN: u32 = 0x100;
const REMOTE: u32 = 0x200;

/// Gives each span its place, and queues those of traces that are kept once they are over.
pub(super) struct Spans {
    ratio: Ratio,
    clock: Clock,
    ids: Ids,
    queue: mpsc::Sender<Span>,
    tally: Tally,
}

/// A span under way.
struct Open {
    span: Span,
    began: Instant,
}

impl Spans {
    pub(super) fn new(ratio: Ratio, clock: Clock, queue: mpsc::Sender<Span>, tally: Tally) -> Self {
        Self { ratio, clock, ids: Ids::new(), queue, tally }
    }

    /// Below its parent, or at the beginning of a trace.
    fn place(&self, parent: Option<&Place>) -> Place {
        let span = self.ids.span();
        match parent {
            Some(parent) => Place { span, ..parent.clone() },
            None => {
                let trace = self.ids.trace();
                Place { trace, span, sampled: self.ratio.keeps(trace), state: None }
            }
        }
    }
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

impl<S> Layer<S> for Spans
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(data) = context.span(id) else { return };
        let mut span = Span {
            name: attributes.metadata().name().to_owned(),
            kind: SpanKind::Internal.into(),
            ..Span::default()
        };
        let mut fields = Fields::of(&mut span);
        attributes.record(&mut fields);
        let (parent, state) = (fields.parent, fields.state);
        let remote = parent.and_then(|text| Place::parse(&text));
        let remote = remote.map(|place| Place { state: state.map(Into::into), ..place });
        let is_remote = remote.is_some();
        let around = || data.parent().and_then(|parent| parent.extensions().get::<Place>().cloned());
        let parent = remote.or_else(around);
        let place = self.place(parent.as_ref());
        if place.sampled {
            span.trace_id = place.trace.0.to_vec();
            span.span_id = place.span.0.to_vec();
            span.parent_span_id = parent.map(|parent| parent.span.0.to_vec()).unwrap_or_default();
            span.trace_state = place.state.as_deref().unwrap_or_default().to_owned();
            span.flags = 1 | KNOWN | if is_remote { REMOTE } else { 0 };
            span.start_time_unix_nano = nanos(self.clock.now());
            data.extensions_mut().insert(Open { span, began: Instant::now() });
        }
        data.extensions_mut().insert(place);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(data) = context.span(id)
            && let Some(open) = data.extensions_mut().get_mut::<Open>()
        {
            values.record(&mut Fields::of(&mut open.span));
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let open = context.span(&id).and_then(|data| data.extensions_mut().remove::<Open>());
        let Some(Open { mut span, began }) = open else { return };
        let took = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        span.end_time_unix_nano = span.start_time_unix_nano.saturating_add(took);
        if self.queue.try_send(span).is_err() {
            self.tally.dropped.add(1, &[]);
        }
    }
}
