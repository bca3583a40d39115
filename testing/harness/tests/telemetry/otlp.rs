//! Spans and metrics at an OTLP collector.

use std::path::Path;
use std::time::Duration;

use harness::{Domain, Options, eventually, free_port, get};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::Span;
use proto::spire::api::server::entry::v1::CountEntriesRequest;
use proto::spire::api::server::entry::v1::entry_client::EntryClient;
use proto::workload::JwtsvidRequest;
use proto::workload::spiffe_workload_api_client::SpiffeWorkloadApiClient;
use tonic::metadata::MetadataValue;

use super::collector::{Collector, text};

const WAIT: Duration = Duration::from_secs(30);

fn block(port: u16, more: &str) -> String {
    format!(
        "telemetry {{\n  OTLP {{\n    address = \"127.0.0.1:{port}\"\n    metrics_interval = \"500ms\"\n{more}  }}\n}}"
    )
}

/// Asks for a JWT-SVID as a workload that stands in a trace.
fn fetch_jwt(socket: &Path, traceparent: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let uri = format!("unix://{}", socket.display());
        let channel = tonic::transport::Endpoint::try_from(uri).unwrap().connect().await.unwrap();
        let mut client = SpiffeWorkloadApiClient::new(channel);
        let asked = JwtsvidRequest { audience: vec!["traced".to_owned()], ..JwtsvidRequest::default() };
        let mut request = tonic::Request::new(asked);
        let headers = request.metadata_mut();
        headers.insert("workload.spiffe.io", MetadataValue::from_static("true"));
        headers.insert("traceparent", traceparent.parse().unwrap());
        headers.insert("tracestate", MetadataValue::from_static("vendor=opaque"));
        client.fetch_jwtsvid(request).await.unwrap();
    });
}

/// Makes this many calls, one after the other; each is answered within seconds.
fn count_entries(socket: &Path, calls: usize) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let uri = format!("unix://{}", socket.display());
        let channel = tonic::transport::Endpoint::try_from(uri).unwrap().connect().await.unwrap();
        let mut client = EntryClient::new(channel);
        for _ in 0..calls {
            let answer = client.count_entries(CountEntriesRequest::default());
            tokio::time::timeout(Duration::from_secs(10), answer).await.unwrap().unwrap();
        }
    });
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The span of this name below that one.
#[track_caller]
fn below<'a>(spans: &'a [(String, Span)], service: &str, name: &str, parent: &[u8]) -> &'a Span {
    let found = spans
        .iter()
        .find(|(from, span)| from == service && span.name == name && span.parent_span_id == parent);
    let names = || {
        let line = |(from, span): &(String, Span)| {
            format!("{from} {} {} below {}", span.name, hex(&span.span_id), hex(&span.parent_span_id))
        };
        spans.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    &found.unwrap_or_else(|| panic!("{service} has no {name} below {} among\n{}", hex(parent), names())).1
}

#[test]
fn one_trace_leads_from_a_workload_through_the_agent_to_the_servers_signature() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let collector = Collector::start(0);
    let options =
        Options::default().server_block(&block(collector.port, "")).agent_block(&block(collector.port, ""));
    let domain = Domain::start(options);
    domain.workload(&domain.id("traced"), &[]);
    fetch_jwt(&domain.agent().socket(), &format!("00-{TRACE}-00f067aa0ba902b7-01"));
    let spans = eventually("the whole trace to be told", WAIT, || {
        let all = collector.spans();
        let trace: Vec<_> = all.into_iter().filter(|(_, span)| hex(&span.trace_id) == TRACE).collect();
        let has = |name: &str| trace.iter().any(|(_, span)| span.name == name);
        (has("sign") && has("SpiffeWorkloadAPI/FetchJWTSVID")).then_some(trace)
    });
    let remote = [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7];
    let asked = below(&spans, "spire-agent", "SpiffeWorkloadAPI/FetchJWTSVID", &remote);
    let attested = below(&spans, "spire-agent", "workload.attest", &asked.span_id);
    below(&spans, "spire-agent", "workload.attestor", &attested.span_id);
    let method = "spire.api.server.svid.v1.SVID/NewJWTSVID";
    let called = below(&spans, "spire-agent", method, &asked.span_id);
    let answered = below(&spans, "spire-server", method, &called.span_id);
    let signed = below(&spans, "spire-server", "sign", &answered.span_id);
    assert!(signed.end_time_unix_nano > signed.start_time_unix_nano, "{signed:?}");
    assert!(spans.iter().all(|(_, span)| span.trace_state == "vendor=opaque"), "{spans:?}");
    assert_eq!(text(&answered.attributes, "rpc.service").as_deref(), Some("spire.api.server.svid.v1.SVID"));
    assert_eq!(text(&answered.attributes, "rpc.grpc.status_code").as_deref(), Some("IntValue(0)"));

    // What was not asked for by anybody has traces of its own: attestation, writes, signatures ahead of need.
    let all = collector.spans();
    for (service, name) in [
        ("spire-server", "attest"),
        ("spire-server", "registry.write"),
        ("spire-server", "store.commit"),
        ("spire-server", "key.generate"),
        ("spire-agent", "node.attest"),
        ("spire-agent", "issue"),
        ("spire-agent", "sync"),
    ] {
        assert!(all.iter().any(|(from, span)| from == service && span.name == name), "{service} {name}");
    }
    assert!(!domain.peek_server().log().contains("traceparent"), "spans' fields stay out of the log");

    for (service, name) in [
        ("spire-server", "spire_server.server_ca.sign.jwt_svid"),
        ("spire-agent", "spire_agent.workload_api.workload_attestation"),
    ] {
        let metric = eventually(name, WAIT, || collector.metric(service, name));
        let Some(Data::Sum(sum)) = metric.data else { panic!("{metric:?}") };
        assert!(sum.is_monotonic && !metric.description.is_empty(), "{sum:?}");
    }
    let took = eventually("times", WAIT, || {
        collector.metric("spire-server", "spire_server.rpc.svid.v1.svid.new_jwtsvid.elapsed_time")
    });
    let Some(Data::Histogram(times)) = took.data else { panic!("{took:?}") };
    assert_eq!((took.unit.as_str(), times.data_points[0].count), ("ms", 1));
}

#[test]
fn a_collector_that_is_away_delays_nobody_and_gets_what_waited_once_it_is_back() {
    let (port, metrics) = (free_port(), free_port());
    let telemetry = block(port, "").replacen(
        "telemetry {",
        &format!("telemetry {{\n  Prometheus {{ port = {metrics} }}"),
        1,
    );
    let mut domain = Domain::start_server(Options::default().server_block(&telemetry));
    domain.server().process().wait_for_log("OTLP collector does not take", WAIT);
    // More spans than may wait, and answers as ever.
    count_entries(&domain.peek_server().socket(), 6000);
    let dropped = eventually("spans to be dropped and counted", WAIT, || {
        let page = get(metrics, "/")?.body;
        let line = page.lines().find(|line| line.starts_with("spire_server_telemetry_spans_dropped"))?;
        line.rsplit(' ').next()?.parse::<f64>().ok()
    });
    assert!((1.0..6000.0).contains(&dropped), "{dropped}");
    let collector = Collector::start(port);
    eventually("what waited to be told", Duration::from_secs(60), || {
        collector.spans().iter().any(|(from, _)| from == "spire-server").then_some(())
    });
    domain.server().process().wait_for_log("OTLP collector takes", WAIT);
    // The last spans are told on the way out.
    assert_eq!(domain.server().stop(), Some(0));
}
