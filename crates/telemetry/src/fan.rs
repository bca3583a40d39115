//! One handle in front of several.

use std::sync::Arc;

use metrics::{Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn};

struct Fan<H>(Vec<H>);

impl CounterFn for Fan<Counter> {
    fn increment(&self, value: u64) {
        self.0.iter().for_each(|handle| handle.increment(value));
    }
    fn absolute(&self, value: u64) {
        self.0.iter().for_each(|handle| handle.absolute(value));
    }
}

impl GaugeFn for Fan<Gauge> {
    fn increment(&self, value: f64) {
        self.0.iter().for_each(|handle| handle.increment(value));
    }
    fn decrement(&self, value: f64) {
        self.0.iter().for_each(|handle| handle.decrement(value));
    }
    fn set(&self, value: f64) {
        self.0.iter().for_each(|handle| handle.set(value));
    }
}

impl HistogramFn for Fan<Histogram> {
    fn record(&self, value: f64) {
        self.0.iter().for_each(|handle| handle.record(value));
    }
}

pub(crate) fn counter(mut handles: Vec<Counter>) -> Counter {
    match handles.len() {
        0 | 1 => handles.pop().unwrap_or_else(Counter::noop),
        _ => Counter::from_arc(Arc::new(Fan(handles))),
    }
}

pub(crate) fn gauge(mut handles: Vec<Gauge>) -> Gauge {
    match handles.len() {
        0 | 1 => handles.pop().unwrap_or_else(Gauge::noop),
        _ => Gauge::from_arc(Arc::new(Fan(handles))),
    }
}

pub(crate) fn histogram(mut handles: Vec<Histogram>) -> Histogram {
    match handles.len() {
        0 | 1 => handles.pop().unwrap_or_else(Histogram::noop),
        _ => Histogram::from_arc(Arc::new(Fan(handles))),
    }
}
