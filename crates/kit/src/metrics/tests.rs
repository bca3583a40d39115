use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use metrics::{Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder};
use metrics::{SharedString, Unit};
use tonic::Code;

use super::*;

/// Keeps what it is told, by the key as text.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<BTreeMap<String, f64>>>);

struct Page(Book, String);

impl Page {
    fn put(&self, change: impl FnOnce(&mut f64)) {
        change(self.0.0.lock().unwrap().entry(self.1.clone()).or_default());
    }
}

impl CounterFn for Page {
    fn increment(&self, value: u64) {
        self.put(|old| *old += value as f64);
    }
    fn absolute(&self, value: u64) {
        self.put(|old| *old = value as f64);
    }
}

impl GaugeFn for Page {
    fn increment(&self, value: f64) {
        self.put(|old| *old += value);
    }
    fn decrement(&self, value: f64) {
        self.put(|old| *old -= value);
    }
    fn set(&self, value: f64) {
        self.put(|old| *old = value);
    }
}

impl HistogramFn for Page {
    fn record(&self, _: f64) {
        self.put(|old| *old += 1.0);
    }
}

impl Book {
    fn page(&self, key: &Key) -> Arc<Page> {
        let labels: String =
            key.labels().map(|label| format!(" {}={}", label.key(), label.value())).collect();
        Arc::new(Page(self.clone(), format!("{}{labels}", key.name())))
    }

    fn has(&self, key: &str) -> f64 {
        self.0.lock().unwrap().get(key).copied().unwrap_or_default()
    }
}

impl Recorder for Book {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.0.lock().unwrap().insert(format!("about {}", key.as_str()), 1.0);
    }
    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, help: SharedString) {
        self.describe_counter(key, unit, help);
    }
    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, help: SharedString) {
        self.describe_counter(key, unit, help);
    }
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.page(key))
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.page(key))
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.page(key))
    }
}

mod before {
    crate::metrics! {
        /// Never installed.
        set NOWHERE;
        /// Counts.
        counter LOST = "lost", [];
    }
}

#[test]
fn nothing_happens_before_a_recorder_is_there() {
    before::LOST.add(1, &[]);
    assert!(!before::NOWHERE.is_installed());
    assert_eq!(before::TABLE[0].name(), "lost");
}

mod all {
    crate::metrics! {
        /// Every kind.
        set ALL;
        /// Counts.
        counter PLAIN = "a.count", [];
        /// Counts by two labels.
        counter LABELLED = "b.count", ["x", "y"];
        /// Stands.
        gauge STANDS = "c.stands", [];
        /// Is sampled.
        sample SAMPLED = "d.sampled", [];
        /// Is called.
        call CALLED = "e.called", ["who"];
        /// Is called from far.
        rpc CALLS = "rpc.<service>.<method>", [];
    }
}

#[test]
fn everything_goes_to_the_recorder_under_its_name_and_labels() {
    let book = Book::default();
    assert!(all::ALL.install(Arc::new(book.clone()), all::TABLE));
    assert!(!all::ALL.install(Arc::new(Book::default()), all::TABLE), "the first one stays");
    all::PLAIN.add(2, &[]);
    all::PLAIN.add(1, &[]);
    assert_eq!(book.has("a.count"), 3.0);
    all::LABELLED.add(1, &["1", "2"]);
    all::LABELLED.add(1, &["2", "1"]);
    all::LABELLED.add(1, &["1", "2"]);
    assert_eq!((book.has("b.count x=1 y=2"), book.has("b.count x=2 y=1")), (2.0, 1.0));
    all::STANDS.count(7, &[]);
    all::STANDS.set(5.5, &[]);
    assert_eq!(book.has("c.stands"), 5.5);
    all::SAMPLED.count(9, &[]);
    assert_eq!(book.has("d.sampled"), 1.0);
    all::CALLED.start(&["me"]).done(Code::Ok);
    all::CALLED.start(&["me"]).with(&Err::<(), _>(1), |_| Code::NotFound);
    all::CALLED.start(&["me"]).discard();
    drop(all::CALLED.start(&["me"]));
    for status in ["OK", "NotFound", "Canceled"] {
        assert_eq!(book.has(&format!("e.called who=me status={status}")), 1.0, "{status}");
        assert_eq!(book.has(&format!("e.called.elapsed_time who=me status={status}")), 1.0, "{status}");
    }
    all::CALLS.start("/spire.api.server.agent.v1.Agent/AttestAgent").done(Code::Ok);
    assert_eq!(book.has("rpc.agent.v1.agent.attest_agent status=OK"), 1.0);
    assert_eq!(book.has("about e.called.elapsed_time"), 1.0);
}

mod many {
    crate::metrics! {
        /// With more labels than anyone needs.
        set MANY;
        /// Counts.
        counter WIDE = "wide", ["x"];
    }
}

#[test]
fn label_values_without_end_are_counted_together() {
    let book = Book::default();
    many::MANY.install(Arc::new(book.clone()), many::TABLE);
    (0..5000).for_each(|value| many::WIDE.add(1, &[&value.to_string()]));
    assert_eq!(book.has("wide x=2047"), 1.0);
    assert_eq!(book.has("wide x=other"), 5000.0 - 2048.0);
}

#[test]
fn methods_are_called_as_spire_calls_them() {
    for (path, name) in [
        ("/spire.api.server.agent.v1.Agent/AttestAgent", "agent.v1.agent.attest_agent"),
        ("/spire.api.server.svid.v1.SVID/BatchNewX509SVID", "svid.v1.svid.batch_new_x509svid"),
        ("/spire.api.server.svid.v1.SVID/NewJWTSVID", "svid.v1.svid.new_jwtsvid"),
        ("/spire.api.server.svid.v1.SVID/NewDownstreamX509CA", "svid.v1.svid.new_downstream_x509ca"),
        (
            "/spire.api.server.trustdomain.v1.TrustDomain/RefreshBundle",
            "trustdomain.v1.trust_domain.refresh_bundle",
        ),
        ("/spire.api.server.bundle.v1.Bundle/PublishJWTAuthority", "bundle.v1.bundle.publish_jwt_authority"),
        ("/SpiffeWorkloadAPI/FetchX509SVID", "workload_api.fetch_x509svid"),
        ("/SpiffeWorkloadAPI/FetchJWTBundles", "workload_api.fetch_jwt_bundles"),
        ("/SpiffeWorkloadAPI/ValidateJWTSVID", "workload_api.validate_jwtsvid"),
        ("/grpc.health.v1.Health/Check", "health.check"),
        ("/spire.api.server.logger.v1.Logger/SetLogLevel", "logger.set_log_level"),
        ("/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets", "sds.v3.stream_secrets"),
        (
            "/spire.api.agent.delegatedidentity.v1.DelegatedIdentity/SubscribeToX509SVIDs",
            "delegated_identity.subscribe_to_x509_svids",
        ),
        ("/bonafide.feed.v1.Feed/Subscribe", "bonafide.feed.v1.feed.subscribe"),
    ] {
        assert_eq!(method_name(path), name, "{path}");
    }
}
