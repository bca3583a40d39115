//! What the agent measures. Names and kinds that SPIRE 1.16 has are SPIRE's; `docs/metrics.md` lists all.

kit::metrics! {
    /// The agent's metrics.
    set METRICS;

    /// Calls of the agent's APIs.
    rpc RPC = "rpc.<service>.<method>", [];
    /// One while the agent runs.
    gauge STARTED = "started", ["version", "trust_domain_id"];
    /// Milliseconds since the agent started.
    gauge UPTIME = "uptime_in_ms", [];

    /// Keys that the key manager made for the agent's own SVID.
    call KEY_GENERATE = "agent_key_manager.generate_key", [];
    /// Keys that the key manager was asked for.
    call KEY_GET = "agent_key_manager.get_key", [];
    /// Lists of keys that the key manager was asked for.
    call KEY_LIST = "agent_key_manager.get_keys", [];

    /// One once the node is attested.
    gauge BOOTSTRAPPED = "bootstrapped", [];
    /// When the attestation that is under way began, in seconds since 1970; zero when none is.
    gauge BOOTSTRAP_SECONDS = "bootstrap_seconds", ["mode"];
    /// Attempts of the attestation that is under way; zero when none is.
    gauge BOOTSTRAP_ATTEMPTS = "bootstrap_attempts", ["mode"];
    /// First SVIDs of the agent, had by proving the node.
    call NEW_SVID = "node.attestor.new_svid", [];
    /// Renewals of the agent's SVID by proving the node again.
    call REATTEST = "node.attest", [];
    /// Renewals of the agent's SVID with the one before.
    call ROTATE = "agent_svid.rotate", [];

    /// Changes of entries and bundles that came from the server: pushed, or by asking in turns.
    call SYNC_ENTRIES = "manager.sync.fetch_entries_updates", [];
    /// Requests for X.509-SVIDs.
    call SYNC_SVIDS = "manager.sync.fetch_svids_updates", [];
    /// Bundles that are held.
    gauge BUNDLES = "sync_bundles_total", [];
    /// Entries that are held.
    gauge ENTRIES = "sync_entries_total", [];
    /// Entries that the last change added.
    gauge ENTRIES_MISSING = "sync_entries_missing", [];
    /// Entries that the last change replaced.
    gauge ENTRIES_STALE = "sync_entries_stale", [];
    /// Entries that the last change removed.
    gauge ENTRIES_DROPPED = "sync_entries_dropped", [];
    /// X.509-SVIDs that were asked for because those held are half through their lives.
    sample EXPIRING = "cache_manager.expiring_svids.workload", [];
    /// X.509-SVIDs that are renewed because an authority was tainted.
    sample TAINTED_X509 = "cache_manager.tainted_x509_svids.workload", [];
    /// JWT-SVIDs that were dropped because a key was tainted.
    sample TAINTED_JWT = "cache_manager.tainted_jwt_svids.workload", [];
    /// Rounds of renewing what a tainted X.509 authority signed.
    call PROCESS_TAINTED_X509 = "cache_manager.workload.process_tainted_x509_svids", [];
    /// Rounds of dropping what a tainted JWT key signed.
    call PROCESS_TAINTED_JWT = "cache_manager.workload.process_tainted_jwt_svids", [];

    /// Entries that were added.
    counter CACHE_ADD = "lru_cache_entry_add", [];
    /// Entries that were removed.
    counter CACHE_REMOVE = "lru_cache_entry_remove", [];
    /// Entries that were replaced.
    counter CACHE_UPDATE = "lru_cache_entry_update", [];
    /// Entries in the cache.
    gauge CACHE_ENTRIES = "lru_cache_record_map_size", ["svid_type"];
    /// X.509-SVIDs in the cache.
    gauge CACHE_SVIDS = "lru_cache_svid_map_size", ["svid_type"];
    /// JWT-SVIDs in the cache.
    gauge CACHE_JWT = "jwt_svid_cache_size", [];

    /// Calls of the Workload API.
    counter WORKLOAD_CONNECTION = "workload_api.connection", [];
    /// Calls of the Workload API under way.
    gauge WORKLOAD_CONNECTIONS = "workload_api.connections", [];
    /// Calls of SDS.
    counter SDS_CONNECTION = "sds_api.connection", [];
    /// Calls of SDS under way.
    gauge SDS_CONNECTIONS = "sds_api.connections", [];
    /// Calls that were refused since too many came of callers with the same selectors.
    counter RATE_LIMITED = "workload_api.rate_limit_exceeded", ["method"];
    /// Selectors that were found for one caller.
    sample SELECTORS = "workload_api.discovered_selectors", [];
    /// Callers that were attested.
    call WORKLOAD_ATTESTATION = "workload_api.workload_attestation", [];
    /// Answers of workload attestors.
    call WORKLOAD_ATTESTOR = "workload_api.workload_attestor", ["attestor"];

    /// Times that the agent's entries were found to differ from the server's, and were all asked for.
    counter FEED_RESYNCS = "feed.resyncs", [];
    /// The number of the server's last change that is applied.
    gauge FEED_NUMBER = "feed.change_number", [];

    /// Spans that an OTLP collector took.
    counter SPANS_SENT = "telemetry.spans.sent", [];
    /// Spans that were dropped because no collector took them in time.
    counter SPANS_DROPPED = "telemetry.spans.dropped", [];
}
