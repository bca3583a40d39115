//! What the server measures. Names and kinds that SPIRE 1.16 has are SPIRE's; `docs/metrics.md` lists all.

kit::metrics! {
    /// The server's metrics.
    set METRICS;

    /// Calls of the server's APIs.
    rpc RPC = "rpc.<service>.<method>", [];
    /// Calls that waited for a rate limit, or were refused by it.
    rpc RATE_LIMIT = "rateLimit.<service>.<method>", [];
    /// One while the server runs.
    gauge STARTED = "started", ["version", "trust_domain_id"];
    /// Milliseconds since the server started.
    gauge UPTIME = "uptime_in_ms", [];

    /// Removals of authorities that ended long ago from the bundle.
    call BUNDLE_PRUNE = "ca.manager.bundle.prune", [];
    /// Removals that removed something.
    counter BUNDLE_PRUNED = "ca.manager.bundle.pruned", [];
    /// X.509 CAs that were made and published.
    call X509_CA_PREPARE = "ca.manager.x509_ca.prepare", [];
    /// X.509 CAs that began to sign.
    counter X509_CA_ACTIVATE = "ca.manager.x509_ca.activate", [];
    /// JWT keys that were made and published.
    call JWT_KEY_PREPARE = "ca.manager.jwt_key.prepare", [];
    /// JWT keys that began to sign.
    counter JWT_KEY_ACTIVATE = "manager.jwt_key.activate", [];
    /// WIT keys that were made and published.
    call WIT_KEY_PREPARE = "ca.manager.wit_key.prepare", [];
    /// WIT keys that began to sign.
    counter WIT_KEY_ACTIVATE = "manager.wit_key.activate", [];
    /// When the X.509 CA that signs ends, in seconds since 1970.
    gauge X509_CA_EXPIRATION = "manager.x509_ca.rotate.expiration", ["trust_domain_id"];
    /// How long the X.509 CA that signs had left when it began to, in seconds.
    gauge X509_CA_TTL = "manager.x509_ca.rotate.ttl", ["trust_domain_id"];
    /// Renewals of the server's own X.509-SVID.
    call SVID_ROTATE = "svid.rotate", [];

    /// X.509-SVIDs that were signed.
    counter SIGN_X509_SVID = "server_ca.sign.x509_svid", [];
    /// X.509 CAs of downstream servers that were signed.
    counter SIGN_X509_CA = "server_ca.sign.x509_ca_svid", [];
    /// JWT-SVIDs that were signed.
    counter SIGN_JWT_SVID = "server_ca.sign.jwt_svid", [];
    /// WIT-SVIDs that were signed.
    counter SIGN_WIT_SVID = "server_ca.sign.wit_svid", [];

    /// Keys that the key manager made.
    call KEY_GENERATE = "server_key_manager.generate_key", [];
    /// Keys that the key manager was asked for.
    call KEY_GET = "server_key_manager.get_public_key", [];
    /// Lists of keys that the key manager was asked for.
    call KEY_LIST = "server_key_manager.get_public_keys", [];
    /// Signatures by keys of the key manager.
    call KEY_SIGN = "server_key_manager.sign_data", [];

    /// First bundles of a trust domain that were written.
    call BUNDLE_CREATE = "datastore.bundle.create", [];
    /// Bundles that were replaced.
    call BUNDLE_SET = "datastore.bundle.set", [];
    /// Bundles that were changed.
    call BUNDLE_UPDATE = "datastore.bundle.update", [];
    /// Authorities that were added to the own bundle.
    call BUNDLE_APPEND = "datastore.bundle.append", [];
    /// Authorities that were dropped from the own bundle because they had ended.
    call BUNDLE_DROP = "datastore.bundle.prune", [];
    /// X.509 authorities of the own bundle that were tainted.
    call BUNDLE_X509_TAINT = "datastore.bundle.x509.taint", [];
    /// Tainted X.509 authorities that were dropped from the own bundle.
    call BUNDLE_X509_REVOKE = "datastore.bundle.x509.revoke", [];
    /// JWT authorities of the own bundle that were tainted.
    call BUNDLE_JWT_TAINT = "datastore.bundle.jwt.taint", [];
    /// Tainted JWT authorities that were dropped from the own bundle.
    call BUNDLE_JWT_REVOKE = "datastore.bundle.jwt.revoke", [];
    /// Bundles that were removed.
    call BUNDLE_DELETE = "datastore.bundle.delete", [];
    /// Join tokens that were made.
    call TOKEN_CREATE = "datastore.join_token.create", [];
    /// Join tokens that were looked for to be spent.
    call TOKEN_FETCH = "datastore.join_token.fetch", [];
    /// Join tokens that were spent.
    call TOKEN_DELETE = "datastore.join_token.delete", [];
    /// Removals of expired join tokens.
    call TOKEN_PRUNE = "datastore.join_token.prune", [];
    /// Agents that were written for the first time.
    call NODE_CREATE = "datastore.node.create", [];
    /// Agents that were changed.
    call NODE_UPDATE = "datastore.node.update", [];
    /// Agents that were removed.
    call NODE_DELETE = "datastore.node.delete", [];
    /// Entries that were created.
    call ENTRY_CREATE = "datastore.registration_entry.create", [];
    /// Entries that were changed.
    call ENTRY_UPDATE = "datastore.registration_entry.update", [];
    /// Entries that were removed.
    call ENTRY_DELETE = "datastore.registration_entry.delete", [];
    /// CA journals that were written.
    call JOURNAL_SET = "datastore.ca_journal.set", [];
    /// CA journals that were removed.
    call JOURNAL_PRUNE = "datastore.ca_journal.prune", [];
    /// Federation relationships that were written for the first time.
    call RELATIONSHIP_CREATE = "datastore.federation_relationship.create", [];
    /// Federation relationships that were changed.
    call RELATIONSHIP_UPDATE = "datastore.federation_relationship.update", [];
    /// Federation relationships that were removed.
    call RELATIONSHIP_DELETE = "datastore.federation_relationship.delete", [];

    /// Loads of the whole registry from the database.
    call CACHE_RELOAD = "entry.cache.reload", [];
    /// Removals of expired entries.
    call ENTRY_PRUNE = "registration_entry.manager.prune", [];
    /// Agents in memory.
    gauge AGENTS = "node.agents_by_id_cache.count", [];
    /// Entries in memory.
    gauge ENTRIES = "entry.entries_by_entryid_cache.count", [];

    /// Transactions of the database; each may carry many writes.
    call COMMIT = "registry.commit", [];
    /// Writes of one transaction.
    sample COMMIT_WRITES = "registry.commit.writes", [];
    /// The number of the last change in memory.
    gauge CHANGE_NUMBER = "registry.change_number", [];
    /// Agents that follow changes by an open stream.
    gauge FEED_STREAMS = "feed.streams", [];
    /// Signatures that were refused because too many wait, by class.
    counter SIGNING_REFUSED = "signing.refused", ["class"];

    /// Spans that an OTLP collector took.
    counter SPANS_SENT = "telemetry.spans.sent", [];
    /// Spans that were dropped because no collector took them in time.
    counter SPANS_DROPPED = "telemetry.spans.dropped", [];
}
