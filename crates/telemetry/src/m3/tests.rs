use std::time::{Duration, SystemTime};

use metrics::{Label, Level};

use super::*;

const NANOS: i64 = 1_700_000_000_123_456_789;

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What tally 4.1.17 writes for the same.
const TALLYS: &str = "82810111656d69744d6574726963426174636856321c192c18057270635f611c150216d80417000000000000000016000016aa\
    b4aed8c7bfce972f191c180673746174757318024f4b00001807737461727465641c1504160017000000000000f83f16000016aab4aed8c7bfce972f\
    00192c180773657276696365180c73706972655f736572766572001803656e76180470726f64000000";

#[test]
fn a_batch_is_what_tally_writes() {
    let metrics = [
        thrift::metric("rpc_a", Value::Count(300), NANOS, &pairs(&[("status", "OK")])),
        thrift::metric("started", Value::Gauge(1.5), NANOS, &[]),
    ];
    let batch = thrift::batch(&metrics, &pairs(&[("service", "spire_server"), ("env", "prod")]));
    let hex: String = batch.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, TALLYS);
}

#[test]
fn a_second_is_told_once_under_names_without_prefix_and_type() {
    static COUNTED: Metadata<'static> = Metadata::new("sample", Level::INFO, None);
    static TIMED: Metadata<'static> = Metadata::new(TIMER, Level::INFO, None);
    let m3 = M3 { series: Arc::default() };
    let labels = vec![Label::new("status", "OK")];
    let counter = m3.register_counter(&Key::from_parts("spire_server.counter.rpc.a", labels), &COUNTED);
    let gauge = m3.register_gauge(&Key::from_name("spire_server.gauge.started"), &COUNTED);
    let timer = m3.register_histogram(&Key::from_name("spire_server.timer.rpc.a.elapsed_time"), &TIMED);
    let silent = m3.register_counter(&Key::from_name("spire_server.counter.b"), &COUNTED);
    counter.increment(2);
    counter.increment(1);
    gauge.set(7.0);
    timer.record(12.0);
    timer.record(10.0);
    timer.record(40_000.0);
    let told = |happened: Vec<(Arc<series::One>, Value)>| -> Vec<String> {
        happened.iter().map(|(one, value)| format!("{} {:?} {value:?}", one.name, one.tags)).collect()
    };
    assert_eq!(
        told(m3.series.take()),
        [
            "rpc_a [(\"status\", \"OK\")] Count(3)",
            "started [] Gauge(7.0)",
            "rpc_a_elapsed_time [(\"bucketid\", \"0001\"), (\"bucket\", \"0-10ms\")] Count(1)",
            "rpc_a_elapsed_time [(\"bucketid\", \"0002\"), (\"bucket\", \"10ms-25ms\")] Count(1)",
            "rpc_a_elapsed_time [(\"bucketid\", \"0020\"), (\"bucket\", \"30s-infinity\")] Count(1)",
        ]
    );
    assert!(m3.series.take().is_empty());
    silent.increment(1);
    assert_eq!(m3.series.take().len(), 1);
}

#[test]
fn what_does_not_fit_into_one_datagram_goes_into_the_next() {
    let series = Series::default();
    for index in 0..2000 {
        metrics::CounterFn::increment(
            &*series.counter(format!("a_metric_with_number_{index}"), Vec::new()),
            1,
        );
    }
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    let batches = batches(&series.take(), &pairs(&[("service", "s"), ("env", "e")]), now);
    assert!(batches.len() > 1 && batches.iter().all(|batch| batch.len() <= DATAGRAM), "{}", batches.len());
}
