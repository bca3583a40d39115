//! The `telemetry` block. None of its sinks is there yet, so each is refused by name.

use super::block::{Block, Unknown, is_empty};

/// Reads the block, if there is one.
pub(crate) fn telemetry(top: &Block<'_>) {
    let Some(block) = top.block("telemetry") else {
        return;
    };
    for (sink, would) in [
        ("Prometheus", "serve metrics for Prometheus to fetch"),
        ("DogStatsd", "send metrics to a DogStatsD server"),
        ("Statsd", "send metrics to a StatsD server"),
        ("M3", "send metrics to an M3 server"),
        ("InMem", "keep metrics in memory and print them on SIGUSR1"),
    ] {
        block.not_yet_unless(sink, would, is_empty);
    }
    block.not_yet_unless("MetricPrefix", "change the first part of metric names", is_empty);
    block.not_yet_unless("EnableTrustDomainLabel", "label metrics with the trust domain", is_empty);
    let kept = |value: &kit::hcl::Value| matches!(value, kit::hcl::Value::Bool(true));
    block.not_yet_unless("EnableHostnameLabel", "leave the host name out of metrics", kept);
    for filter in ["AllowedPrefixes", "BlockedPrefixes", "AllowedLabels", "BlockedLabels"] {
        block.not_yet_unless(filter, "choose which metrics or labels are emitted", is_empty);
    }
    block.finish(Unknown::Warn);
}
