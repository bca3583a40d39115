//! One request for X.509-SVIDs.

use std::sync::Arc;

use kit::clock::Clock;
use proto::spire::api::server::svid::v1::svid_client::SvidClient;
use proto::spire::api::server::svid::v1::{
    BatchNewX509svidRequest, BatchNewX509svidResponse, NewX509svidParams, batch_new_x509svid_response,
};
use spiffe::SpiffeId;
use spiffe::key::{KeyType, PrivateKey};
use spiffe::x509::Csr;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tonic::Status;
use tracing::Instrument as _;

use crate::cache::{Asked, Cache, Entry, Held, IssueFault};
use crate::link::{Link, deadline, explain};
use crate::metrics::{EXPIRING, SYNC_SVIDS};
use crate::node::Troubles;

/// From this many keys on, or for kinds that take long, they are made on a thread of their own.
const FEW: usize = 8;

/// One request for X.509-SVIDs.
pub(super) struct Request {
    pub(super) cache: Arc<Cache>,
    pub(super) link: Arc<Link>,
    pub(super) troubles: Troubles,
    pub(super) clock: Clock,
    pub(super) key_type: KeyType,
    pub(super) asked: Vec<Asked>,
}

/// A key and the request to certify it.
struct Prepared {
    key: PrivateKey,
    csr: Vec<u8>,
}

impl Request {
    /// Asks; false if there was no answer, and everything was given back.
    pub(super) async fn run(self) -> bool {
        let entries: Vec<Arc<Entry>> = self.asked.iter().map(|asked| asked.entry.clone()).collect();
        let call = SYNC_SVIDS.start(&[]);
        let span = kit::traced!("issue", svids = entries.len());
        let answer = self.ask(&entries).instrument(span).await;
        call.with(&answer, Status::code);
        match answer {
            Ok(answers) => {
                self.cache.settle(answers, self.clock.now());
                true
            }
            Err(status) => {
                tracing::error!(subsystem_name = "manager", error = explain(&status), "SVID sync failed");
                self.cache.give_back(&entries);
                false
            }
        }
    }

    async fn ask(
        &self,
        entries: &[Arc<Entry>],
    ) -> Result<Vec<(Arc<Entry>, Result<Held, IssueFault>)>, Status> {
        self.asked.iter().for_each(announce);
        let renewed = self.asked.iter().filter(|asked| asked.renews.is_some()).count();
        if renewed > 0 {
            EXPIRING.count(renewed, &[]);
        }
        let ids: Vec<SpiffeId> = entries.iter().map(|entry| entry.spiffe_id.clone()).collect();
        let prepared = prepare(ids, self.key_type).await?;
        let params = |(entry, prepared): (&Arc<Entry>, &Prepared)| NewX509svidParams {
            entry_id: entry.id.to_string(),
            csr: prepared.csr.clone(),
        };
        let request = BatchNewX509svidRequest { params: entries.iter().zip(&prepared).map(params).collect() };
        let results = self.call(request).await?.results;
        if results.len() != entries.len() {
            return Err(Status::internal(
                "the server answered for another number of entries than it was asked",
            ));
        }
        let answers = entries.iter().zip(prepared).zip(results);
        Ok(answers
            .map(|((entry, prepared), result)| (entry.clone(), accept(entry, &prepared.key, result)))
            .collect())
    }

    async fn call(&self, request: BatchNewX509svidRequest) -> Result<BatchNewX509svidResponse, Status> {
        let connection = self.link.number();
        let mut client = SvidClient::new(self.link.channel()).max_decoding_message_size(usize::MAX);
        let answer = deadline(client.batch_new_x509svid(request)).await;
        answer.map(tonic::Response::into_inner).inspect_err(|status| {
            self.link.note(status);
            self.troubles.note(connection, status);
        })
    }
}

fn announce(asked: &Asked) {
    let (entry_id, spiffe_id) = (&*asked.entry.id, asked.entry.spiffe_id.as_str());
    match asked.renews {
        None => tracing::info!(subsystem_name = "manager", entry_id, spiffe_id, "Creating X509-SVID"),
        Some(at) => {
            let expires_at = OffsetDateTime::from(at).format(&Rfc3339).unwrap_or_default();
            tracing::info!(subsystem_name = "manager", entry_id, spiffe_id, expires_at, "Renewing X509-SVID");
        }
    }
}

async fn prepare(ids: Vec<SpiffeId>, key_type: KeyType) -> Result<Vec<Prepared>, Status> {
    let few = ids.len() <= FEW && matches!(key_type, KeyType::EcP256 | KeyType::EcP384);
    let make = move || ids.iter().map(|id| make(id, key_type)).collect::<Result<Vec<_>, String>>();
    let made = match few {
        true => make(),
        false => tokio::task::spawn_blocking(make).await.unwrap_or_else(|panicked| Err(panicked.to_string())),
    };
    made.map_err(Status::internal)
}

fn make(id: &SpiffeId, key_type: KeyType) -> Result<Prepared, String> {
    let key = PrivateKey::generate(key_type).map_err(|error| error.to_string())?;
    let csr = Csr::build(&key, Some(id), &[]).map_err(|error| error.to_string())?;
    Ok(Prepared { key, csr })
}

fn accept(
    entry: &Entry,
    key: &PrivateKey,
    result: batch_new_x509svid_response::Result,
) -> Result<Held, IssueFault> {
    match result.status {
        Some(status) if status.code != 0 => {
            Err(IssueFault::Refused { code: status.code, message: status.message })
        }
        _ => {
            let chain = result.svid.ok_or(IssueFault::Nothing)?.cert_chain;
            Held::accept(&entry.spiffe_id, key, chain)
        }
    }
}
