//! One turn of SPIRE's protocol: which entries changed, those entries, the bundles (SPIRE 1.16).

use std::collections::{BTreeSet, HashMap, HashSet};

use futures_util::{StreamExt as _, TryStreamExt as _};
use proto::spire::api::server::bundle::v1::bundle_client::BundleClient;
use proto::spire::api::server::bundle::v1::{GetBundleRequest, GetFederatedBundleRequest};
use proto::spire::api::server::entry::v1::entry_client::EntryClient;
use proto::spire::api::server::entry::v1::{
    EntryRevision, SyncAuthorizedEntriesRequest, SyncAuthorizedEntriesResponse,
};
use proto::spire::api::types::{self, EntryMask};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Code, Status, Streaming};

use crate::cache::{Cache, Difference};
use crate::link::{Connection, deadline};
use crate::wire;

/// Bundles fetched at once.
const PARALLEL: usize = 10;
const MAX_MESSAGE: usize = 64 << 20;

/// Brings the cache to where the server is.
pub(super) async fn turn(channel: Connection, cache: &Cache) -> Result<(), Status> {
    let known = cache.revisions();
    let Entries { entries, deleted } = deadline(entries(channel.clone(), &known)).await?;
    let mut named = cache.federated_domains();
    named.extend(entries.iter().flat_map(|entry| entry.federates_with.iter().cloned()));
    named.remove(cache.trust_domain().as_str());
    let bundles = wire::bundles(&deadline(bundles(channel, named)).await?);
    let deleted_bundles = cache.other_bundles(&bundles);
    cache.apply(Difference { entries, deleted, bundles, deleted_bundles });
    Ok(())
}

struct Entries {
    entries: Vec<types::Entry>,
    deleted: Vec<String>,
}

async fn entries(channel: Connection, known: &HashMap<String, (i64, i64)>) -> Result<Entries, Status> {
    let (requests, queue) = mpsc::unbounded_channel();
    let ask = |request| {
        let _ = requests.send(request);
    };
    ask(SyncAuthorizedEntriesRequest { output_mask: Some(mask()), ids: Vec::new() });
    let mut client = EntryClient::new(channel).max_decoding_message_size(MAX_MESSAGE);
    let mut answers = client.sync_authorized_entries(UnboundedReceiverStream::new(queue)).await?.into_inner();
    let first = answer(&mut answers).await?;
    if first.entry_revisions.is_empty() {
        let entries = whole(first, &mut answers).await?;
        let named: HashSet<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
        let deleted = known.keys().filter(|id| !named.contains(id.as_str())).cloned().collect();
        return Ok(Entries { entries, deleted });
    }
    let page = first.entry_revisions.len();
    let revisions = revisions(first, &mut answers).await?;
    let named: HashSet<&str> = revisions.iter().map(|revision| revision.id.as_str()).collect();
    let deleted = known.keys().filter(|id| !named.contains(id.as_str())).cloned().collect();
    let mut needed: Vec<String> =
        revisions.iter().filter(|one| is_stale(one, known)).map(|one| one.id.clone()).collect();
    needed.sort_unstable();
    let mut entries = Vec::new();
    for ids in needed.chunks(page) {
        ask(SyncAuthorizedEntriesRequest { output_mask: None, ids: ids.to_vec() });
        let first = answer(&mut answers).await?;
        entries.extend(whole(first, &mut answers).await?);
    }
    Ok(Entries { entries, deleted })
}

/// The entries of an answer and of those that continue it.
async fn whole(
    first: SyncAuthorizedEntriesResponse,
    answers: &mut Streaming<SyncAuthorizedEntriesResponse>,
) -> Result<Vec<types::Entry>, Status> {
    let mut entries = first.entries;
    let mut more = first.more;
    while more {
        let next = answer(answers).await?;
        if !next.entry_revisions.is_empty() {
            return Err(Status::internal("the server sent revisions where entries were expected"));
        }
        entries.extend(next.entries);
        more = next.more;
    }
    Ok(entries)
}

async fn revisions(
    first: SyncAuthorizedEntriesResponse,
    answers: &mut Streaming<SyncAuthorizedEntriesResponse>,
) -> Result<Vec<EntryRevision>, Status> {
    let mut revisions = first.entry_revisions;
    let mut more = first.more;
    while more {
        let next = answer(answers).await?;
        if !next.entries.is_empty() {
            return Err(Status::internal("the server sent entries where revisions were expected"));
        }
        revisions.extend(next.entry_revisions);
        more = next.more;
    }
    revisions.retain(|one| {
        let fine = !one.id.is_empty() && one.revision_number >= 0;
        if !fine {
            tracing::warn!(entry_id = one.id, revision_number = one.revision_number, "Received malformed entry revision from the server; are the server and agent versions compatible?");
        }
        fine
    });
    Ok(revisions)
}

async fn answer(
    answers: &mut Streaming<SyncAuthorizedEntriesResponse>,
) -> Result<SyncAuthorizedEntriesResponse, Status> {
    answers.message().await?.ok_or_else(|| Status::unavailable("the server ended the sync too early"))
}

/// Whether an entry is another than the one that is known. Servers that do not tell when it was made send 0.
fn is_stale(told: &EntryRevision, known: &HashMap<String, (i64, i64)>) -> bool {
    known.get(&told.id).is_none_or(|(revision, created_at)| {
        *revision != told.revision_number || (told.created_at != 0 && *created_at != told.created_at)
    })
}

async fn bundles(channel: Connection, domains: BTreeSet<String>) -> Result<Vec<types::Bundle>, Status> {
    let mut client = BundleClient::new(channel).max_decoding_message_size(MAX_MESSAGE);
    let own = client.get_bundle(GetBundleRequest::default()).await?.into_inner();
    let federated = futures_util::stream::iter(domains).map(|domain| federated(client.clone(), domain));
    let mut all: Vec<types::Bundle> =
        federated.buffered(PARALLEL).try_filter_map(|found| async move { Ok(found) }).try_collect().await?;
    all.push(own);
    Ok(all)
}

async fn federated(
    mut client: BundleClient<Connection>,
    domain: String,
) -> Result<Option<types::Bundle>, Status> {
    let request =
        GetFederatedBundleRequest { trust_domain: domain.clone(), ..GetFederatedBundleRequest::default() };
    match client.get_federated_bundle(request).await {
        Ok(answer) => Ok(Some(answer.into_inner())),
        Err(status) if status.code() == Code::NotFound => {
            tracing::warn!(
                subsystem_name = "manager",
                federated_bundle = domain,
                "Federated bundle not found"
            );
            Ok(None)
        }
        Err(status) => Err(status),
    }
}

/// What an agent needs of an entry.
fn mask() -> EntryMask {
    EntryMask {
        spiffe_id: true,
        selectors: true,
        federates_with: true,
        admin: true,
        downstream: true,
        revision_number: true,
        store_svid: true,
        hint: true,
        additional_attributes: true,
        created_at: true,
        ..EntryMask::default()
    }
}
