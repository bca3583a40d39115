//! `docs/metrics.md` says what the code measures, no more and no less.

use std::fmt::Write as _;

use kit::metrics::Described;

const DOCUMENT: &str = include_str!("../../../../docs/metrics.md");

type Table = &'static [&'static (dyn Described + Sync)];

/// First parts of names that SPIRE does not have.
const OURS: [&str; 5] = ["feed.", "registry.", "server_ca.sign.wit_svid", "signing.", "telemetry."];

fn rows(table: Table) -> String {
    let mut rows: Vec<String> = table
        .iter()
        .map(|metric| {
            let labels: Vec<String> = metric.labels().iter().map(|label| format!("`{label}`")).collect();
            let labels = if labels.is_empty() { "–".to_owned() } else { labels.join(" ") };
            let from = match OURS.iter().any(|first| metric.name().starts_with(first)) {
                true => "Bonafide",
                false => "SPIRE",
            };
            let help = metric.help().trim();
            format!("| `{}` | {} | {labels} | {from} | {help} |\n", metric.name(), metric.kind())
        })
        .collect();
    rows.sort();
    rows.concat()
}

/// The rows under a heading, as they stand.
fn section(heading: &str) -> String {
    let lines = DOCUMENT.lines().skip_while(|line| *line != heading).skip(1);
    let lines = lines.take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with("| `"));
    lines.fold(String::new(), |mut all, line| {
        let _ = writeln!(all, "{line}");
        all
    })
}

#[test]
fn the_document_lists_what_the_server_measures() {
    let rows = rows(server::metrics::TABLE);
    assert_eq!(section("## Server"), rows, "the rows should be:\n{rows}");
}

#[test]
fn the_document_lists_what_the_agent_measures() {
    let rows = rows(::agent::metrics::TABLE);
    assert_eq!(section("## Agent"), rows, "the rows should be:\n{rows}");
}

/// Every metric that SPIRE 1.16's sources declare, `rpc.` and `rateLimit.` as one.
const SPIRE: &str = "server: rpc.<service>.<method> rateLimit.<service>.<method> started uptime_in_ms \
    bundle_manager.update.federated_bundle bundle_manager.fetch.federated_bundle ca.manager.bundle.prune \
    ca.manager.bundle.pruned ca.manager.x509_ca.prepare ca.manager.x509_ca.activate ca.manager.jwt_key.prepare \
    ca.manager.wit_key.prepare manager.jwt_key.activate manager.wit_key.activate manager.x509_ca.rotate.expiration \
    manager.x509_ca.rotate.ttl server_ca.sign.jwt_svid server_ca.sign.x509_svid server_ca.sign.x509_ca_svid \
    server_key_manager.generate_key server_key_manager.get_public_key server_key_manager.get_public_keys \
    server_key_manager.sign_data svid.rotate datastore.bundle.append datastore.bundle.count datastore.bundle.create \
    datastore.bundle.delete datastore.bundle.fetch datastore.bundle.list datastore.bundle.prune datastore.bundle.set \
    datastore.bundle.update datastore.bundle.x509.taint datastore.bundle.x509.revoke datastore.bundle.jwt.taint \
    datastore.bundle.jwt.revoke datastore.join_token.create datastore.join_token.delete datastore.join_token.fetch \
    datastore.join_token.prune datastore.node.count datastore.node.create datastore.node.delete datastore.node.fetch \
    datastore.node.list datastore.node.prune datastore.node.update datastore.node.selectors.fetch \
    datastore.node.selectors.list datastore.node.selectors.set datastore.node_event.list datastore.node_event.prune \
    datastore.node_event.fetch datastore.registration_entry.count datastore.registration_entry.create \
    datastore.registration_entry.delete datastore.registration_entry.fetch datastore.registration_entry.list \
    datastore.registration_entry.prune datastore.registration_entry.update datastore.registration_entry_event.list \
    datastore.registration_entry_event.prune datastore.registration_entry_event.fetch datastore.ca_journal.set \
    datastore.ca_journal.fetch datastore.ca_journal.prune datastore.federation_relationship.create \
    datastore.federation_relationship.delete datastore.federation_relationship.fetch \
    datastore.federation_relationship.list datastore.federation_relationship.update entry.cache.reload \
    registration_entry.manager.prune node.manager.prune node.agents_by_id_cache.count \
    node.agents_by_expiresat_cache.count node.skipped_node_event_ids.count entry.nodealiases_by_entryid_cache.count \
    entry.nodealiases_by_selector_cache.count entry.entries_by_entryid_cache.count \
    entry.skipped_entry_event_ids.count entry.deleted \
    agent: rpc.<service>.<method> started uptime_in_ms agent_key_manager.generate_key_pair \
    agent_key_manager.fetch_private_key agent_key_manager.store_private_key agent_key_manager.generate_key \
    agent_key_manager.get_key agent_key_manager.get_keys agent_svid.rotate node.attest node.attestor.new_svid \
    bootstrapped bootstrap_seconds bootstrap_attempts manager.sync.fetch_entries_updates \
    manager.sync.fetch_svids_updates sync_bundles_total sync_entries_total sync_entries_missing sync_entries_stale \
    sync_entries_dropped cache_manager.expiring_svids.workload cache_manager.outdated_svids.workload \
    cache_manager.tainted_x509_svids.workload cache_manager.tainted_jwt_svids.workload \
    cache_manager.expiring_svids.svid_store cache_manager.outdated_svids.svid_store \
    cache_manager.workload.process_tainted_jwt_svids cache_manager.workload.process_tainted_x509_svids \
    cache_manager.svid_store.process_tainted_x509_svids lru_cache_entry_add lru_cache_entry_remove \
    lru_cache_entry_update lru_cache_record_map_size lru_cache_svid_map_size jwt_svid_cache_size sds_api.connection \
    sds_api.connections workload_api.connection workload_api.connections workload_api.discovered_selectors \
    workload_api.workload_attestation workload_api.workload_attestor workload_api.bundles_update.jwt \
    workload_api.rate_limit_exceeded debug_api.connection debug_api.connections logger_api.connection \
    logger_api.connections delegated_identity_api.connection delegated_identity_api.connections \
    delegated_identity_api.subscribe_x509_svids.first_update.elapsed_time store.store_svid_updates";

#[test]
fn every_metric_of_spire_is_measured_or_the_document_says_why_not() {
    let missing = section("## What SPIRE has and Bonafide has not");
    let (server, agent) = SPIRE.split_once("agent:").unwrap();
    for (role, names, table) in [
        ("server", server.trim_start_matches("server:"), server::metrics::TABLE),
        ("agent", agent, ::agent::metrics::TABLE),
    ] {
        for name in names.split_whitespace() {
            let measured = table.iter().any(|metric| metric.name() == name);
            let excused = missing.lines().any(|row| {
                let cells: Vec<&str> = row.split('|').map(str::trim).collect();
                cells.get(2) == Some(&role)
                    && cells.get(1).is_some_and(|cell| cell.contains(&format!("`{name}`")))
            });
            assert!(measured != excused, "{role} {name}: measured {measured}, said to be missing {excused}");
        }
    }
}
