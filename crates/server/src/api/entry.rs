//! `spire.api.server.entry.v1.Entry`.

use std::sync::Arc;

use kit::clock::Clock;
use model::{Change, Entry, EntryId, Row, UnixTime, Write, WriteFault};
use proto::spire::api::server::entry::v1::{self as wire, entry_server};
use proto::spire::api::types;
use spiffe::TrustDomain;
use tonic::{Code, Request, Response, Status, Streaming};

use super::convert::{self, wire_entry};
use super::failure::{self, item};
use super::filter::EntryFilter;
use super::page::Page;
use crate::registry::{Registry, RegistryError};

/// How often an update is computed anew when another writer came first.
const ATTEMPTS: usize = 5;

/// The service.
pub struct EntryApi {
    /// This server's trust domain.
    pub trust_domain: TrustDomain,
    /// The registry.
    pub registry: Arc<Registry>,
    /// The time.
    pub clock: Clock,
}

#[tonic::async_trait]
impl entry_server::Entry for EntryApi {
    async fn count_entries(
        &self,
        request: Request<wire::CountEntriesRequest>,
    ) -> Result<Response<wire::CountEntriesResponse>, Status> {
        let filter = EntryFilter::of_count(&self.trust_domain, request.into_inner().filter)?;
        let count = self.matching(&filter, 0).len();
        Ok(Response::new(wire::CountEntriesResponse { count: i32::try_from(count).unwrap_or(i32::MAX) }))
    }

    async fn list_entries(
        &self,
        request: Request<wire::ListEntriesRequest>,
    ) -> Result<Response<wire::ListEntriesResponse>, Status> {
        let request = request.into_inner();
        let page = Page::of(request.page_size, &request.page_token)?;
        let filter = EntryFilter::of_list(&self.trust_domain, request.filter)?;
        let mask = request.output_mask;
        let found = self.matching(&filter, page.after());
        let (entries, next_page_token) = page.cut(found.iter(), |e| e.ord, |e| wire_entry(e, mask.as_ref()));
        Ok(Response::new(wire::ListEntriesResponse { entries, next_page_token }))
    }

    async fn get_entry(
        &self,
        request: Request<wire::GetEntryRequest>,
    ) -> Result<Response<types::Entry>, Status> {
        let request = request.into_inner();
        if request.id.is_empty() {
            return Err(Status::invalid_argument("missing ID"));
        }
        let entry = self.find_sure(&request.id).await?;
        Ok(Response::new(wire_entry(&entry, request.output_mask.as_ref())))
    }

    async fn batch_create_entry(
        &self,
        request: Request<wire::BatchCreateEntryRequest>,
    ) -> Result<Response<wire::BatchCreateEntryResponse>, Status> {
        let request = request.into_inner();
        failure::bounded(request.entries.len(), failure::MAX_BATCH)?;
        let now = UnixTime::of(self.clock.now());
        let mut results: Vec<wire::batch_create_entry_response::Result> =
            vec![Default::default(); request.entries.len()];
        let (mut places, mut drafts) = (Vec::new(), Vec::new());
        for (result, entry) in results.iter_mut().zip(&request.entries) {
            match convert::new_entry(&self.trust_domain, entry, || uuid::Uuid::new_v4().to_string(), now) {
                Ok(draft) => {
                    places.push(result);
                    drafts.push(draft);
                }
                Err(why) => {
                    result.status = failure::item_of(&failure::invalid("failed to convert entry", why))
                }
            }
        }
        let writes = drafts.iter().cloned().map(Write::CreateEntry).collect();
        for ((result, draft), answer) in
            places.into_iter().zip(drafts).zip(self.registry.write_each(writes).await)
        {
            let (status, entry) = match answer {
                Ok(changes) => (failure::ok(), created(&changes)),
                Err(RegistryError::Refused(WriteFault::SimilarEntry(id))) => (
                    item(Code::AlreadyExists, "similar entry already exists"),
                    self.registry.snapshot().entry(&id).cloned(),
                ),
                Err(error) => {
                    tracing::error!(error = %error, spiffe_id = %draft.spiffe_id, "Failed to create entry");
                    (item(failure::registry_code(&error), format!("failed to create entry: {error}")), None)
                }
            };
            result.status = status;
            result.entry = entry.map(|e| wire_entry(&e, request.output_mask.as_ref()));
        }
        Ok(Response::new(wire::BatchCreateEntryResponse { results }))
    }

    async fn batch_update_entry(
        &self,
        request: Request<wire::BatchUpdateEntryRequest>,
    ) -> Result<Response<wire::BatchUpdateEntryResponse>, Status> {
        let request = request.into_inner();
        failure::bounded(request.entries.len(), failure::MAX_BATCH)?;
        let mask = request.input_mask.unwrap_or_else(convert::full_mask);
        let mut results = Vec::with_capacity(request.entries.len());
        for entry in &request.entries {
            results.push(match self.update(entry, &mask).await {
                Ok(entry) => wire::batch_update_entry_response::Result {
                    status: failure::ok(),
                    entry: Some(wire_entry(&entry, request.output_mask.as_ref())),
                },
                Err(status) => wire::batch_update_entry_response::Result {
                    status: failure::item_of(&status),
                    entry: None,
                },
            });
        }
        Ok(Response::new(wire::BatchUpdateEntryResponse { results }))
    }

    async fn batch_delete_entry(
        &self,
        request: Request<wire::BatchDeleteEntryRequest>,
    ) -> Result<Response<wire::BatchDeleteEntryResponse>, Status> {
        let ids = request.into_inner().ids;
        failure::bounded(ids.len(), failure::MAX_BATCH)?;
        let parsed: Vec<Option<EntryId>> = ids.iter().map(|id| EntryId::parse(id).ok()).collect();
        let writes = parsed.iter().flatten().cloned().map(Write::DeleteEntry).collect();
        let mut answers = self.registry.write_each(writes).await.into_iter();
        let results = ids.into_iter().zip(parsed).map(|(id, parsed)| {
            let status = match parsed {
                None if id.is_empty() => item(Code::InvalidArgument, "missing entry ID"),
                // No entry can have such a name.
                None => item(Code::NotFound, "entry not found"),
                Some(_) => match answers.next() {
                    Some(Ok(_)) => failure::ok(),
                    Some(Err(RegistryError::Refused(WriteFault::NotFound(_)))) => {
                        item(Code::NotFound, "entry not found")
                    }
                    Some(Err(error)) => {
                        item(failure::registry_code(&error), format!("failed to delete entry: {error}"))
                    }
                    None => item(Code::Internal, "failed to delete entry: no answer"),
                },
            };
            wire::batch_delete_entry_response::Result { status, id }
        });
        Ok(Response::new(wire::BatchDeleteEntryResponse { results: results.collect() }))
    }

    async fn get_authorized_entries(
        &self,
        _: Request<wire::GetAuthorizedEntriesRequest>,
    ) -> Result<Response<wire::GetAuthorizedEntriesResponse>, Status> {
        Err(answered_before())
    }

    type SyncAuthorizedEntriesStream =
        tokio_stream::Empty<Result<wire::SyncAuthorizedEntriesResponse, Status>>;

    async fn sync_authorized_entries(
        &self,
        _: Request<Streaming<wire::SyncAuthorizedEntriesRequest>>,
    ) -> Result<Response<Self::SyncAuthorizedEntriesStream>, Status> {
        Err(answered_before())
    }
}

impl EntryApi {
    /// The entries that the filter admits, in order of creation, found by the narrowest index it allows.
    fn matching(&self, filter: &EntryFilter, after: u64) -> Vec<Arc<Entry>> {
        let snapshot = self.registry.snapshot();
        let fits = |entry: &&Arc<Entry>| entry.ord > after && filter.admits(entry);
        match (filter.spiffe_id(), filter.parent_id()) {
            (Some(id), _) => snapshot.entries_of(id).filter(fits).cloned().collect(),
            (None, Some(id)) => snapshot.entries_under(id).filter(fits).cloned().collect(),
            (None, None) => snapshot.entries_after(after).filter(fits).cloned().collect(),
        }
    }

    /// The entry of that name; "not found" is said only by the newest state.
    async fn find_sure(&self, id: &str) -> Result<Arc<Entry>, Status> {
        let missing = || Status::not_found("entry not found");
        let id = EntryId::parse(id).map_err(|_| missing())?;
        if let Some(entry) = self.registry.snapshot().entry(&id) {
            return Ok(entry.clone());
        }
        self.registry.catch_up().await.map_err(|e| failure::registry("failed to fetch entry", &e))?;
        self.registry.snapshot().entry(&id).cloned().ok_or_else(missing)
    }

    async fn update(&self, wire: &types::Entry, mask: &types::EntryMask) -> Result<Arc<Entry>, Status> {
        for _ in 0..ATTEMPTS {
            let old = self.find_sure(&wire.id).await?;
            let entry = convert::merge_entry(&self.trust_domain, Entry::clone(&old), wire, mask)
                .map_err(|why| failure::invalid("failed to convert entry", why))?;
            match self.registry.write(Write::UpdateEntry { entry, was: old.revision }).await {
                Ok(changes) => {
                    return created(&changes).ok_or_else(|| Status::internal("the entry was not returned"));
                }
                Err(RegistryError::Refused(WriteFault::Conflict(_))) => {}
                Err(error) => return Err(failure::registry("failed to update entry", &error)),
            }
        }
        Err(Status::aborted("failed to update entry: others keep changing it; try again"))
    }
}

/// The entry that these changes left.
fn created(changes: &[Change]) -> Option<Arc<Entry>> {
    changes.iter().rev().find_map(|change| match &change.row {
        Some(Row::Entry(entry)) => Some(entry.clone()),
        _ => None,
    })
}

/// What agents ask every few seconds is answered by [`super::authorized`], which stands before this service.
fn answered_before() -> Status {
    Status::internal("the call came past the service that answers it: a defect of this server")
}
