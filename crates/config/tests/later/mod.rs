//! The examples that are not supported yet, each with what is said of it: line, column and message, without its end
//! "; remove it to go on without".

/// One row a file. When a feature comes, its row goes, and the file moves up in `docs/examples/README.md`.
pub(crate) const LATER: &[(&str, &[&str])] = &[
    (
        "server/aws-postgres.conf",
        &[
            "10:17: database_type \"aws_postgres\" is not supported yet: it would keep the registry in that database",
        ],
    ),
    (
        "server/federation-acme.conf",
        &[
            "7:5: server.federation.bundle_endpoint is not supported yet: it would serve the bundle to other trust domains",
        ],
    ),
    (
        "server/federation-web.conf",
        &[
            "7:5: server.federation.bundle_endpoint is not supported yet: it would serve the bundle to other trust domains",
            "17:5: server.federation.federates_with is not supported yet: it would fetch and keep the bundle of another trust domain",
        ],
    ),
    (
        "server/federation.conf",
        &[
            "7:5: server.federation.bundle_endpoint is not supported yet: it would serve the bundle to other trust domains",
            "13:5: server.federation.federates_with is not supported yet: it would fetch and keep the bundle of another trust domain",
        ],
    ),
    (
        "server/mysql.conf",
        &["11:23: database_type \"mysql\" is not supported yet: it would keep the registry in that database"],
    ),
    (
        "server/post-quantum.conf",
        &[
            "7:5: server.experimental.require_pq_kem is not supported yet: it would refuse TLS without a post-quantum key exchange",
        ],
    ),
    (
        "server/postgres.conf",
        &[
            "11:23: database_type \"postgres\" is not supported yet: it would keep the registry in that database",
        ],
    ),
    (
        "agent/bootstrap-workload-api.conf",
        &[
            "8:3: trust_bundle_spiffe_workload_api is not supported yet: it would fetch the bundle from another Workload API",
        ],
    ),
    (
        "agent/broker.conf",
        &["10:5: agent.experimental.broker is not supported yet: it would serve the SPIFFE Broker API"],
    ),
    (
        "agent/delegates.conf",
        &[
            "10:3: admin_socket_path is not supported yet: it would serve the debug, logger and delegated identity APIs on a socket of their own",
            "11:3: authorized_delegates is not supported yet: it would let these identities fetch SVIDs for other workloads",
        ],
    ),
    (
        "agent/post-quantum.conf",
        &[
            "10:5: agent.experimental.require_pq_kem is not supported yet: it would refuse TLS without a post-quantum key exchange",
        ],
    ),
    (
        "agent/rebootstrap.conf",
        &[
            "9:22: rebootstrap_mode \"auto\" is not supported yet: it would bootstrap again when the server's authority is unknown",
        ],
    ),
];
