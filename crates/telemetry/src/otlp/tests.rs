use std::sync::Arc;

use kit::clock::Clock;
use metrics::{Key, Label, Recorder as _};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;

kit::metrics! {
    /// What becomes of spans in these tests.
    set TESTED;
    /// Sent.
    counter SENT = "telemetry.spans.sent", [];
    /// Dropped.
    counter DROPPED = "telemetry.spans.dropped", [];
}

/// The spans that `body` makes.
fn made(ratio: Ratio, body: impl FnOnce()) -> Vec<Span> {
    let (layer, mut waiting) = spans(ratio, Clock::system(), Tally { sent: &SENT, dropped: &DROPPED });
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), body);
    std::iter::from_fn(|| waiting.spans.try_recv().ok()).collect()
}

#[test]
fn a_span_stands_below_the_one_around_it_and_carries_its_fields() {
    let all = made(Ratio::ALL, || {
        let outer = kit::traced!("outer", writes = 3_u64, error = tracing::field::Empty).entered();
        tracing::info_span!("of the log").in_scope(|| {
            drop(kit::traced!("inner", otel.name = "named late", otel.kind = "client", on = true));
        });
        outer.record("error", "it failed");
    });
    let [inner, outer] = &all[..] else { panic!("{all:?}") };
    assert_eq!((inner.name.as_str(), inner.kind), ("named late", 3));
    assert_eq!((outer.name.as_str(), outer.kind), ("outer", 1));
    assert_eq!((&inner.trace_id, &inner.parent_span_id), (&outer.trace_id, &outer.span_id));
    assert!(outer.parent_span_id.is_empty() && inner.span_id != outer.span_id);
    let status = outer.status.clone().unwrap();
    assert_eq!((status.code, status.message.as_str()), (2, "it failed"));
    assert_eq!(outer.attributes.len(), 1, "{:?}", outer.attributes);
    assert!(outer.end_time_unix_nano >= inner.end_time_unix_nano);
}

#[test]
fn a_remote_caller_decides_whether_its_trace_is_kept() {
    let call = |flags: &str| {
        let parent = format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}");
        let mut headers = http::HeaderMap::new();
        let all = made(Ratio::new(0.0).unwrap(), || {
            let _span = kit::traced!("call", traceparent = parent.as_str(), tracestate = "a=b").entered();
            kit::trace::inject(&mut headers);
        });
        let passed = headers.get("traceparent").unwrap().to_str().unwrap().to_owned();
        assert_eq!(headers.get("tracestate").unwrap(), "a=b");
        assert!(passed.starts_with("00-0af7651916cd43dd8448eb211c80319c-"), "{passed}");
        assert!(passed.ends_with(flags) && !passed.contains("b7ad6b7169203331"), "{passed}");
        all
    };
    assert!(call("00").is_empty());
    let kept = call("01");
    assert_eq!((kept.len(), kept[0].flags, kept[0].trace_state.as_str()), (1, 0x301, "a=b"));
}

#[test]
fn what_is_too_much_is_counted_and_cut_off() {
    let long = "ä".repeat(1000);
    let all = made(Ratio::ALL, || drop(kit::traced!("long", text = long.as_str())));
    let text = format!("{:?}", all[0].attributes);
    assert!(text.contains(&"ä".repeat(256)) && !text.contains(&"ä".repeat(257)), "{text}");
    let (recorder, page) = crate::prometheus::recorder();
    TESTED.install(recorder, TABLE);
    let all = made(Ratio::ALL, || (0..QUEUE + 3).for_each(|_| drop(kit::traced!("one of many"))));
    assert_eq!(all.len(), QUEUE);
    assert!(page.text().contains("telemetry_spans_dropped 3"), "{}", page.text());
}

#[test]
fn metrics_are_told_since_the_beginning() {
    static ANY: metrics::Metadata<'static> = metrics::Metadata::new("sample", metrics::Level::INFO, None);
    static TIME: metrics::Metadata<'static> =
        metrics::Metadata::new(kit::metrics::TIMER, metrics::Level::INFO, None);
    let (clock, hand) = Clock::by_hand(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(5));
    let series = Arc::new(series::Series::new(clock));
    series.describe_counter("a.calls".into(), None, "Calls.".into());
    let ok = series.register_counter(&Key::from_parts("a.calls", vec![Label::new("status", "OK")]), &ANY);
    let no = series.register_counter(&Key::from_parts("a.calls", vec![Label::new("status", "No")]), &ANY);
    let _never_set = series.register_gauge(&Key::from_name("a.silent"), &ANY);
    let took = series.register_histogram(&Key::from_name("a.took"), &TIME);
    ok.increment(2);
    no.increment(1);
    took.record(0.3);
    took.record(1e9);
    hand.forward(Duration::from_secs(1));
    ok.increment(1);
    let all = series.metrics();
    let [calls, times] = &all[..] else { panic!("{all:?}") };
    assert_eq!((calls.name.as_str(), calls.description.as_str()), ("a.calls", "Calls."));
    let Some(Data::Sum(sum)) = &calls.data else { panic!("{calls:?}") };
    let values: Vec<_> = sum.data_points.iter().map(|point| point.value).collect();
    assert_eq!(values, [Some(Number::AsInt(3)), Some(Number::AsInt(1))]);
    let at = |point: &opentelemetry_proto::tonic::metrics::v1::NumberDataPoint| {
        (point.start_time_unix_nano, point.time_unix_nano)
    };
    assert_eq!(at(&sum.data_points[0]), (5_000_000_000, 6_000_000_000));
    let Some(Data::Histogram(histogram)) = &times.data else { panic!("{times:?}") };
    let point = &histogram.data_points[0];
    assert_eq!((times.unit.as_str(), point.count, point.sum), ("ms", 2, Some(1e9 + 0.3)));
    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
    assert_eq!((point.bucket_counts[2], point.bucket_counts.last()), (1, Some(&1)));
}
