//! What measuring costs: a counter, a call of an API, with and without anyone who records.
#![allow(missing_docs, reason = "a bench")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use telemetry::{Naming, Pipeline, Sink, prometheus};
use tonic::Code;

mod off {
    kit::metrics! {
        /// Nobody records it.
        set OFF;
        /// Counts.
        counter COUNTED = "counted", [];
        /// Calls.
        rpc CALLS = "rpc.<service>.<method>", [];
    }
}

mod on {
    kit::metrics! {
        /// Prometheus records it.
        set ON;
        /// Counts.
        counter COUNTED = "counted", [];
        /// Counts by a label.
        counter LABELLED = "labelled", ["kind"];
        /// Calls.
        rpc CALLS = "rpc.<service>.<method>", [];
    }
}

const METHOD: &str = "/spire.api.server.svid.v1.SVID/BatchNewX509SVID";

fn counting(c: &mut Criterion) {
    let (recorder, page) = prometheus::recorder();
    let naming = Naming { prefix: "spire_server".to_owned(), ..Naming::default() };
    let pipeline = Pipeline::new(naming, vec![Sink { recorder, typed: false }]);
    on::ON.install(Arc::new(pipeline), on::TABLE);
    let mut group = c.benchmark_group("measuring");
    group.bench_function("a counter that nobody records", |b| b.iter(|| off::COUNTED.add(black_box(1), &[])));
    group.bench_function("a call that nobody records", |b| {
        b.iter(|| off::CALLS.start(black_box(METHOD)).done(Code::Ok));
    });
    group.bench_function("a counter", |b| b.iter(|| on::COUNTED.add(black_box(1), &[])));
    group.bench_function("a counter with a label", |b| b.iter(|| on::LABELLED.add(black_box(1), &["unix"])));
    let mut calls = 0_u32;
    group.bench_function("a call, counted and timed", |b| {
        b.iter(|| {
            on::CALLS.start(black_box(METHOD)).done(Code::Ok);
            calls = calls.wrapping_add(1);
            // As the upkeep does every few seconds: samples are not to pile up.
            if calls.is_multiple_of(1 << 18) {
                black_box(page.text());
            }
        });
    });
    group.finish();
}

criterion_group!(benches, counting);
criterion_main!(benches);
