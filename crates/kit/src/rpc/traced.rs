//! A call as a span, named and labelled as OpenTelemetry's conventions for gRPC have it.

use http::HeaderMap;
use tonic::Code;
use tracing::Span;
use tracing::field::Empty;

use super::ending::Ending;
use crate::trace;
use crate::traced;

/// `/package.Service/Method` as a service and a method.
fn parts(method: &str) -> (&str, &str) {
    let method = method.strip_prefix('/').unwrap_or(method);
    method.split_once('/').unwrap_or((method, ""))
}

/// A call that is answered here, in the trace of its caller.
pub(super) fn server(method: &str, headers: &HeaderMap) -> Span {
    let (parent, state) = trace::remote(headers);
    let (service, name) = parts(method);
    traced!(
        "rpc",
        otel.name = method.strip_prefix('/').unwrap_or(method),
        otel.kind = "server",
        traceparent = parent,
        tracestate = state,
        rpc.system = "grpc",
        rpc.service = service,
        rpc.method = name,
        rpc.grpc.status_code = Empty,
        error = Empty,
    )
}

/// A call that is made here.
pub(super) fn client(method: &str) -> Span {
    let (service, name) = parts(method);
    traced!(
        "rpc",
        otel.name = method.strip_prefix('/').unwrap_or(method),
        otel.kind = "client",
        rpc.system = "grpc",
        rpc.service = service,
        rpc.method = name,
        rpc.grpc.status_code = Empty,
        error = Empty,
    )
}

/// How a call that was answered here ended: the caller's mistakes are none of this side.
pub(super) fn server_over(span: &Span, ending: &Ending) {
    let ours = matches!(
        ending.code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    );
    over(span, ending, ours);
}

/// How a call that was made here ended.
pub(super) fn client_over(span: &Span, ending: &Ending) {
    over(span, ending, ending.code != Code::Ok);
}

fn over(span: &Span, ending: &Ending, failed: bool) {
    span.record("rpc.grpc.status_code", i64::from(i32::from(ending.code)));
    if failed {
        span.record(trace::ERROR, ending.message.as_str());
    }
}
