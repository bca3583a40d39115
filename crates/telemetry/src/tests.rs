use std::sync::Arc;

use kit::metrics::{SAMPLE, TIMER};
use metrics::{Key, Label, Level, Metadata, Recorder};

use tokio_util::sync::CancellationToken;

use crate::{Address, Filter, Naming, Pipeline, Sink, prometheus, statsd};

static COUNTED: Metadata<'static> = Metadata::new(SAMPLE, Level::INFO, None);
static TIMED: Metadata<'static> = Metadata::new(TIMER, Level::INFO, None);

fn key(name: &'static str, labels: &[(&'static str, &'static str)]) -> Key {
    let labels: Vec<Label> = labels.iter().map(|(name, value)| Label::new(*name, *value)).collect();
    Key::from_parts(name, labels)
}

fn naming() -> Naming {
    Naming {
        prefix: "spire_server".to_owned(),
        host: Some("a-host.example".to_owned()),
        trust_domain: Some("example.org".to_owned()),
        filter: Filter::default(),
    }
}

#[test]
fn prometheus_gets_spires_names_labels_and_types() {
    let (recorder, page) = prometheus::recorder();
    let pipeline = Pipeline::new(naming(), vec![Sink { recorder, typed: false }]);
    pipeline.describe_counter("rpc.a".into(), None, "Calls of a.".into());
    pipeline.register_counter(&key("rpc.a", &[("status", "OK")]), &COUNTED).increment(3);
    pipeline.register_gauge(&key("started", &[("version", "1.0-x")]), &COUNTED).set(1.0);
    pipeline.register_histogram(&key("rpc.a.elapsed_time", &[]), &TIMED).record(0.5);
    let text = page.text();
    for line in [
        "# HELP spire_server_rpc_a Calls of a.",
        "# TYPE spire_server_rpc_a counter",
        "spire_server_rpc_a{status=\"OK\",trust_domain=\"example_org\",host=\"a-host.example\"} 3",
        "# TYPE spire_server_started gauge",
        "spire_server_started{version=\"1_0_x\",trust_domain=\"example_org\",host=\"a-host.example\"} 1",
        "# TYPE spire_server_rpc_a_elapsed_time summary",
        "quantile=\"0.99\"} 0.5",
        "spire_server_rpc_a_elapsed_time_count{trust_domain=\"example_org\",host=\"a-host.example\"} 1",
    ] {
        assert!(text.contains(line), "{line}\nis not in\n{text}");
    }
    assert_eq!(text.matches("quantile=").count(), 3, "{text}");
}

#[test]
fn what_the_operator_does_not_want_reaches_no_sink() {
    let (one, first) = prometheus::recorder();
    let (other, second) = prometheus::recorder();
    let filter = Filter {
        blocked_prefixes: vec!["spire_server.secret".to_owned(), "spire_server.counter.rpc".to_owned()],
        blocked_labels: vec!["host".to_owned()],
        ..Filter::default()
    };
    let sinks = vec![Sink { recorder: one, typed: false }, Sink { recorder: other, typed: true }];
    let pipeline = Pipeline::new(Naming { filter, ..naming() }, sinks);
    pipeline.register_counter(&key("secret.a", &[]), &COUNTED).increment(1);
    pipeline.register_counter(&key("rpc.a", &[]), &COUNTED).increment(1);
    assert!(!first.text().contains("secret"), "{}", first.text());
    assert!(first.text().contains("spire_server_rpc_a{trust_domain=\"example_org\"} 1"));
    assert!(second.text().contains("spire_server_counter_secret_a") && !second.text().contains("rpc_a"));
}

#[tokio::test]
async fn a_port_that_is_taken_is_waited_for_and_stopping_does_not_wait() {
    let taken = tokio::net::TcpListener::bind(("localhost", 0)).await.unwrap();
    let (_, page) = prometheus::recorder();
    let listen = prometheus::Listen {
        host: "localhost".to_owned(),
        port: taken.local_addr().unwrap().port(),
        tls: None,
    };
    let stop = CancellationToken::new();
    let task = tokio::spawn(prometheus::serve(listen, page, stop.clone()));
    tokio::task::yield_now().await;
    assert!(!task.is_finished());
    stop.cancel();
    tokio::time::timeout(std::time::Duration::from_secs(5), task).await.unwrap().unwrap();
}

#[test]
fn several_sinks_get_the_same() {
    let (one, first) = prometheus::recorder();
    let (other, second) = prometheus::recorder();
    let sinks = [one, other].map(|recorder| Sink { recorder, typed: false });
    let pipeline: Arc<dyn Recorder> = Arc::new(Pipeline::new(naming(), sinks.to_vec()));
    pipeline.register_counter(&key("a", &[]), &COUNTED).increment(2);
    pipeline.register_gauge(&key("b", &[]), &COUNTED).set(3.0);
    pipeline.register_histogram(&key("c", &[]), &TIMED).record(4.0);
    assert_eq!(first.text(), second.text());
    assert!(first.text().contains("spire_server_b"));
}

async fn heard(dialect: statsd::Dialect) -> Vec<String> {
    let daemon = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let stop = CancellationToken::new();
    let address = Address::Udp(daemon.local_addr().unwrap().to_string());
    let (recorder, task) = statsd::recorder(dialect, address, stop.clone());
    let task = tokio::spawn(task);
    let pipeline = Pipeline::new(naming(), vec![Sink { recorder, typed: false }]);
    pipeline.register_counter(&key("rpc.a", &[("status", "OK")]), &COUNTED).increment(3);
    pipeline.register_gauge(&key("b", &[]), &COUNTED).set(1.5);
    pipeline.register_histogram(&key("c", &[]), &TIMED).record(0.25);
    let mut datagram = vec![0; 2000];
    let received = tokio::time::timeout(std::time::Duration::from_secs(10), daemon.recv(&mut datagram));
    let length = received.await.unwrap().unwrap();
    datagram.truncate(length);
    stop.cancel();
    task.await.unwrap();
    String::from_utf8(datagram).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn statsd_has_the_values_of_labels_in_names() {
    assert_eq!(
        heard(statsd::Dialect::Statsd).await,
        [
            "spire_server.rpc.a.OK.example_org.a-host.example:3.000000|c",
            "spire_server.b.example_org.a-host.example:1.500000|g",
            "spire_server.c.example_org.a-host.example:0.250000|ms",
        ]
    );
}

#[tokio::test]
async fn dogstatsd_has_labels_as_tags() {
    assert_eq!(
        heard(statsd::Dialect::DogStatsd).await,
        [
            "spire_server.rpc.a:3|c|#status:OK,trust_domain:example_org,host:a-host.example",
            "spire_server.b:1.5|g|#trust_domain:example_org,host:a-host.example",
            "spire_server.c:0.250000|ms|#trust_domain:example_org,host:a-host.example",
        ]
    );
}

#[tokio::test]
async fn a_daemon_that_is_not_there_costs_nobody_anything() {
    let stop = CancellationToken::new();
    let nobody = Address::Unix("/nonexistent/statsd.sock".into());
    let (recorder, task) = statsd::recorder(statsd::Dialect::DogStatsd, nobody, stop.clone());
    let task = tokio::spawn(task);
    let counter = recorder.register_counter(&key("a", &[]), &COUNTED);
    let began = std::time::Instant::now();
    (0..100_000).for_each(|_| counter.increment(1));
    assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
    stop.cancel();
    tokio::time::timeout(std::time::Duration::from_secs(5), task).await.unwrap().unwrap();
}
