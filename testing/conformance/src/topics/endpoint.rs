//! SPIFFE_Workload_Endpoint.md: how it is found, and which header opens it. The rest binds running programs.

use serde_json::json;

use crate::format::Check;
use crate::kinds::endpoint::{address, header, located};

/// The checks of this topic.
pub(super) fn checks() -> Vec<Check> {
    vec![sent_header(), asked_header(), environment(), uri(), unix(), tcp()]
}

fn check(id: &str, section: &str, requirement: &str) -> Check {
    Check::new(id, &format!("SPIFFE_Workload_Endpoint.md {section}"), requirement)
}

fn refused(check: Check, cases: &[(&str, &str)]) -> Check {
    cases.iter().fold(check, |check, (text, why)| {
        let name = if text.is_empty() { "nothing" } else { text };
        check.refuses(name, address(text), why)
    })
}

fn sent_header() -> Check {
    check("WEP-05", "§3", "each request carries the metadata workload.spiffe.io with the value true")
        .accepts("carried", header(&["true"]), "it is there")
        .refuses("not carried", header(&[]), "it is not there")
}

fn asked_header() -> Check {
    let check = check("WEP-06", "§3, §6", "a request without exactly that metadata is turned away").accepts(
        "exactly",
        header(&["true"]),
        "it is that",
    );
    let check = [("True", "True"), ("TRUE", "TRUE"), ("a number", "1"), ("padded", "true "), ("empty", "")]
        .into_iter()
        .fold(check, |check, (name, value)| check.refuses(name, header(&[value]), "the value is another"));
    check
        .refuses("none", header(&[]), "there is none")
        .refuses("two that differ", header(&["true", "false"]), "one of them is another")
        .refuses(
            "two that agree",
            header(&["true", "true"]),
            "one may have been added on the way, as SPIRE sees it",
        )
}

fn environment() -> Check {
    check("WEP-09", "§4", "what is configured is used, or else SPIFFE_ENDPOINT_SOCKET")
        .yields(
            "configured",
            located(Some("unix:///a.sock"), Some("unix:///b.sock")),
            json!({ "endpoint": "unix:///a.sock" }),
            "the configuration goes first",
        )
        .yields(
            "environment",
            located(None, Some("unix:///b.sock")),
            json!({ "endpoint": "unix:///b.sock" }),
            "nothing is configured",
        )
        .refuses("neither", located(None, None), "no place is built in")
        .refuses("configured wrongly", located(Some("a.sock"), Some("unix:///b.sock")), "it is not ignored")
}

fn uri() -> Check {
    let check = check("WEP-10", "§4", "the address is a URI whose scheme is unix or tcp")
        .accepts("unix", address("unix:///run/a.sock"), "it is one")
        .accepts("tcp", address("tcp://127.0.0.1:8000"), "it is one")
        .accepts("in capitals", address("UNIX:///run/a.sock"), "schemes have no case (RFC 3986 §3.1)");
    refused(
        check,
        &[
            ("/run/a.sock", "it has no scheme"),
            ("http://127.0.0.1:8000", "the scheme is another"),
            ("npipe:a", "the scheme is another"),
            ("", "it is no URI"),
            ("unix:///run/a sock", "a space stands in no URI"),
            ("unix:///%zz", "an escape is two hexadecimal digits"),
        ],
    )
}

fn unix() -> Check {
    let check = check("WEP-11", "§4", "of unix there is an absolute path and nothing else")
        .accepts("three slashes", address("unix:///run/a.sock"), "the authority is empty")
        .accepts("one slash", address("unix:/run/a.sock"), "there is no authority")
        .yields(
            "an escape",
            address("unix:///a%20b/%2520"),
            json!({ "endpoint": "unix:///a%20b/%2520" }),
            "it is decoded once",
        )
        .yields(
            "two dots",
            address("unix:///a/../b"),
            json!({ "endpoint": "unix:///a/../b" }),
            "the path is not changed",
        );
    refused(
        check,
        &[
            ("unix://run/a.sock", "run is its authority"),
            ("unix://host/run/a.sock", "it has an authority"),
            ("unix:a.sock", "the path is not absolute"),
            ("unix:///a?x", "it has a query"),
            ("unix:///a?", "it has a query"),
            ("unix:///a#x", "it has a fragment"),
            ("unix:///a#", "it has a fragment"),
            ("unix://", "it has no path"),
            ("unix:///", "the path names no socket"),
        ],
    )
}

fn tcp() -> Check {
    let check = check("WEP-12", "§4", "of tcp there is an IP address and a port and nothing else")
        .accepts("IPv4", address("tcp://127.0.0.1:8000"), "it is one")
        .accepts("IPv6", address("tcp://[::1]:8000"), "it is one");
    refused(
        check,
        &[
            ("tcp://localhost:8000", "it is a name"),
            ("tcp://127.0.0.1", "there is no port"),
            ("tcp://127.0.0.1:", "there is no port"),
            ("tcp://127.0.0.1:0", "no listener has this port"),
            ("tcp://127.0.0.1:99999", "no port is as great"),
            ("tcp://127.0.0.1:8000/", "it has a path"),
            ("tcp://127.0.0.1:8000/foo", "it has a path"),
            ("tcp://127.0.0.1:8000?x", "it has a query"),
            ("tcp://127.0.0.1:8000#x", "it has a fragment"),
            ("tcp://u@127.0.0.1:1", "it has user information"),
            ("tcp:127.0.0.1:8000", "it has no authority"),
        ],
    )
}
