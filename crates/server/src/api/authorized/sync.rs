//! One conversation of `SyncAuthorizedEntries` (SPIRE 1.16): up to a page of entries whole at once; more as revisions, of
//! which the agent then asks for those it wants.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::{Stream, stream};
use model::{Agent, Entry, EntryId, graph};
use proto::spire::api::server::entry::v1::SyncAuthorizedEntriesRequest;
use proto::spire::api::types::EntryMask;
use tonic::{Status, Streaming};

use super::encode;
use crate::api::convert::full_mask;
use crate::registry::Registry;

/// Entries of one frame of an answer (SPIRE 1.16).
const PAGE: usize = 500;

/// Fields of `SyncAuthorizedEntriesResponse`.
const REVISIONS: u32 = 1;
const ENTRIES: u32 = 2;
const MORE: u32 = 3;

/// The answers to one agent, each written when it can be sent.
pub(super) fn answers(
    registry: &Registry,
    agent: &Agent,
    requests: Streaming<SyncAuthorizedEntriesRequest>,
) -> impl Stream<Item = Result<Vec<u8>, Status>> + Send + use<> {
    let entries = graph::authorized_entries(&registry.snapshot(), agent);
    let talk = Talk { entries, places: None, mask: None, answer: Answer::Nothing, requests };
    stream::unfold(Some(talk), |talk| async move {
        let mut talk = talk?;
        match talk.next().await {
            Ok(Some(answer)) => Some((Ok(answer), Some(talk))),
            Ok(None) => None,
            Err(status) => Some((Err(status), None)),
        }
    })
}

struct Talk {
    /// What the agent may use, as it was when the conversation began.
    entries: Vec<Arc<Entry>>,
    /// Where each entry is among them: made when the first of them is asked for by name.
    places: Option<HashMap<EntryId, usize>>,
    /// What the first request wants to be told of each entry; `None` before it came.
    mask: Option<EntryMask>,
    answer: Answer,
    requests: Streaming<SyncAuthorizedEntriesRequest>,
}

/// What is being answered, and how far.
enum Answer {
    Nothing,
    Revisions {
        from: usize,
    },
    Wanted {
        places: Vec<usize>,
        from: usize,
    },
    /// Nothing comes after what was sent.
    Over,
}

impl Talk {
    /// The next message, or the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Status> {
        loop {
            match &self.answer {
                Answer::Revisions { from } => return Ok(Some(self.revisions(*from))),
                Answer::Wanted { .. } => return Ok(Some(self.wanted())),
                Answer::Over => return Ok(None),
                Answer::Nothing => {}
            }
            let Some(request) = self.requests.message().await? else { return Ok(None) };
            match self.mask {
                Some(_) => self.answer = self.places_of(&request.ids),
                None => {
                    if let Some(whole) = self.begin(request)? {
                        self.answer = Answer::Over;
                        return Ok(Some(whole));
                    }
                }
            }
        }
    }

    /// Takes the first request; answers it whole where one page is enough.
    fn begin(&mut self, request: SyncAuthorizedEntriesRequest) -> Result<Option<Vec<u8>>, Status> {
        if !request.ids.is_empty() {
            return Err(Status::invalid_argument("specifying IDs on initial request is not supported"));
        }
        let mask = request.output_mask.unwrap_or_else(full_mask);
        if !mask.revision_number {
            return Err(Status::invalid_argument("revision number cannot be masked"));
        }
        let whole = (self.entries.len() <= PAGE).then(|| whole(self.entries.iter(), &mask, false));
        self.mask = Some(mask);
        self.answer = Answer::Revisions { from: 0 };
        Ok(whole)
    }

    fn revisions(&mut self, from: usize) -> Vec<u8> {
        let mut message = Vec::new();
        for entry in self.entries.iter().skip(from).take(PAGE) {
            encode::revision(&mut message, REVISIONS, entry);
        }
        let more = from + PAGE < self.entries.len();
        encode::flag(&mut message, MORE, more);
        self.answer = if more { Answer::Revisions { from: from + PAGE } } else { Answer::Nothing };
        message
    }

    fn wanted(&mut self) -> Vec<u8> {
        let Answer::Wanted { places, from } = &mut self.answer else { return Vec::new() };
        let page = places.iter().skip(*from).take(PAGE).filter_map(|place| self.entries.get(*place));
        *from += PAGE;
        let more = *from < places.len();
        let message = whole(page, self.mask.as_ref().unwrap_or(&full_mask()), more);
        if !more {
            self.answer = Answer::Nothing;
        }
        message
    }

    /// Where the entries of these names are. A name that is none of the agent's is passed over.
    fn places_of(&mut self, names: &[String]) -> Answer {
        let entries = &self.entries;
        let known = self.places.get_or_insert_with(|| {
            entries.iter().enumerate().map(|(place, entry)| (entry.id.clone(), place)).collect()
        });
        let places = names.iter().filter_map(|name| known.get(&EntryId::parse(name).ok()?).copied());
        Answer::Wanted { places: places.collect(), from: 0 }
    }
}

fn whole<'a>(entries: impl Iterator<Item = &'a Arc<Entry>>, mask: &EntryMask, more: bool) -> Vec<u8> {
    let mut message = Vec::new();
    for entry in entries {
        encode::entry(&mut message, ENTRIES, entry, mask);
    }
    encode::flag(&mut message, MORE, more);
    message
}
