//! Calls that a policy is asked about before it is believed, so that a mistake in it shows at start.

/// Inputs of usual calls: whoever, an agent, an operator, with messages and without.
pub(crate) const SAMPLES: &[&str] = &[
    r#"{"caller": "", "caller_file_path": "", "full_method": "/spire.api.server.bundle.v1.Bundle/GetBundle", "req": {}}"#,
    r#"{"caller": "", "caller_file_path": "/bin/x", "full_method": "/grpc.health.v1.Health/Check", "req": {}}"#,
    r#"{"caller": "", "caller_file_path": "", "full_method": "/spire.api.server.agent.v1.Agent/AttestAgent", "req": null}"#,
    r#"{"caller": "", "caller_file_path": "", "full_method": "/spire.api.server.agent.v1.Agent/CreateJoinToken",
        "req": {"ttl": 600, "agent_id": {"trust_domain": "example.org", "path": "/node"}}}"#,
    r#"{"caller": "spiffe://example.org/operator", "caller_file_path": "",
        "full_method": "/spire.api.server.entry.v1.Entry/BatchCreateEntry",
        "req": {"entries": [{"id": "a", "spiffe_id": {"trust_domain": "example.org", "path": "/a"},
            "parent_id": {"trust_domain": "example.org", "path": "/node"},
            "selectors": [{"type": "unix", "value": "uid:1"}]}]}}"#,
    r#"{"caller": "spiffe://example.org/operator", "caller_file_path": "",
        "full_method": "/spire.api.server.entry.v1.Entry/ListEntries", "req": {"page_size": 500}}"#,
    r#"{"caller": "spiffe://example.org/spire/agent/a", "caller_file_path": "",
        "full_method": "/spire.api.server.svid.v1.SVID/NewJWTSVID", "req": {"entry_id": "a", "audience": ["b"]}}"#,
];
