//! The record of this server's authorities, kept in the registry so that a restart goes on where it stopped.
//!
//! Whatever a step of a rotation needs to be undone or repeated is written in one transaction with it: an authority is
//! recorded as prepared together with its place in the bundle, and the change of the active one is one write.

use model::ports::KeyManager;
use model::{Journal, Snapshot, UnixTime, Write};
use prost::Message;
use proto::journal::{Entries, Status};
use spiffe::bundle::Bundle;
use spiffe::key::PublicKey;

use super::error::AuthorityError;
use super::jwt::JwtKey;
use super::kind::{Kind, Record};
use super::line::{Line, Next};
use super::moment::moment;
use super::slot::Slot;
use super::stage::{Authority, Draft, Prepared};
use super::state::{AuthorityState, Stage};
use super::wit::WitKey;
use super::x509::X509Ca;

/// How many authorities of a kind are remembered (SPIRE 1.16).
const KEPT: usize = 10;

/// This server's journal, as it is to stand in the registry.
#[derive(Clone, Debug)]
pub(super) struct Book {
    id: String,
    entries: Entries,
}

impl Book {
    /// The journal in `snapshot` whose authorities have keys in `keys`; a new one if there is none.
    ///
    /// Not a host's name but the keys say whose it is: a server that lost its keys starts anew, and one that was moved
    /// with its keys goes on.
    pub(super) fn find(snapshot: &Snapshot, keys: &[(String, PublicKey)]) -> Self {
        let found = snapshot
            .journals()
            .filter_map(|journal| decode(journal))
            .map(|book| (book.matches(keys), book))
            .filter(|(matches, _)| *matches > 0)
            .max_by_key(|(matches, _)| *matches);
        let book = found.map(|(_, book)| book).unwrap_or_else(|| {
            tracing::info!(
                "There is not a CA journal record that matches any of the local X509 authority IDs"
            );
            Self { id: uuid::Uuid::new_v4().to_string(), entries: Entries::default() }
        });
        tracing::info!(
            x509_cas = book.entries.x509_c_as.len(),
            jwt_keys = book.entries.jwt_keys.len(),
            wit_keys = book.entries.wit_keys.len(),
            "Journal loaded"
        );
        book
    }

    /// How many of its authorities have their key among `keys`.
    fn matches(&self, keys: &[(String, PublicKey)]) -> usize {
        let mut entries = self.entries.clone();
        count::<X509Ca>(&mut entries, keys)
            + count::<JwtKey>(&mut entries, keys)
            + count::<WitKey>(&mut entries, keys)
    }

    /// The write that makes the registry have it.
    pub(super) fn write(&self) -> Write {
        Write::PutJournal(Journal { id: self.id.clone(), data: self.entries.encode_to_vec() })
    }

    /// Its name among journals.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The journal with one more authority, prepared.
    pub(super) fn with<K: Kind>(&self, draft: &Draft<K>) -> Self {
        let mut next = self.clone();
        let records = K::records(&mut next.entries);
        records.push(K::record(draft));
        let excess = records.len().saturating_sub(KEPT);
        records.drain(..excess);
        next
    }

    /// Notes that one authority took over from another.
    pub(super) fn handed_over<K: Kind>(&mut self, from: Option<&str>, to: &str) {
        for record in K::records(&mut self.entries).iter_mut() {
            if Some(record.authority_id()) == from {
                record.set_status(Status::Old);
            } else if record.authority_id() == to {
                record.set_status(Status::Active);
            }
        }
    }

    /// The line of authorities as it stood, as far as their keys are held, the bundle has them and they have not
    /// ended. The newest counts where there are several of a stage.
    pub(super) async fn restore<K: Kind>(
        &self,
        bundle: Option<&Bundle>,
        keys: &dyn KeyManager,
        now: UnixTime,
    ) -> Result<Line<K>, AuthorityError> {
        let mut entries = self.entries.clone();
        let mut line = Line::default();
        for record in K::records(&mut entries).iter().rev() {
            if record.status() == Status::Old {
                // The key of an old authority may have been overwritten for a successor that was not published then.
                let old = bundle.and_then(|bundle| old(record, bundle, now));
                if let (true, Some(old)) = (line.next.is_empty(), old) {
                    line.next = Next::Old(old);
                }
                continue;
            }
            let prepared = match restore_one::<K>(record, bundle, keys, now).await? {
                Ok(prepared) => prepared,
                Err(why) => {
                    tracing::warn!(
                        slot = record.slot(),
                        issued_at = moment(UnixTime(record.issued_at()).system_time()),
                        status = record.status().as_str_name(),
                        local_authority_id = record.authority_id(),
                        error = why,
                        "{} slot unusable",
                        K::NAME
                    );
                    continue;
                }
            };
            match record.status() {
                Status::Active if line.active.is_none() => line.active = Some(prepared.activate()),
                Status::Prepared if line.next.is_empty() => line.next = Next::Prepared(prepared),
                _ => {}
            }
        }
        Ok(line)
    }

    /// Whether all X.509 CAs, JWT keys and WIT keys of this journal ended before `moment`.
    pub(super) fn ended_before(journal: &Journal, moment: UnixTime) -> bool {
        let Some(book) = decode(journal) else { return false };
        let mut ends = book
            .entries
            .x509_c_as
            .iter()
            .map(Record::not_after)
            .chain(book.entries.jwt_keys.iter().map(Record::not_after))
            .chain(book.entries.wit_keys.iter().map(Record::not_after));
        ends.all(|end| end < moment.0)
    }
}

fn decode(journal: &Journal) -> Option<Book> {
    match Entries::decode(journal.data.as_slice()) {
        Ok(entries) => Some(Book { id: journal.id.clone(), entries }),
        Err(error) => {
            tracing::warn!(ca_journal_id = journal.id, error = %error, "A CA journal record is unreadable; it is left alone");
            None
        }
    }
}

fn count<K: Kind>(entries: &mut Entries, keys: &[(String, PublicKey)]) -> usize {
    K::records(entries)
        .iter()
        .filter(|record| {
            let name = Slot::parse(record.slot()).map(K::key_name);
            let public = record.public_key();
            keys.iter().any(|(held, key)| Some(held.as_str()) == name && Some(key) == public.as_ref())
        })
        .count()
}

/// What a record says of an old authority that has not ended and is in the bundle.
fn old(record: &impl Record, bundle: &Bundle, now: UnixTime) -> Option<AuthorityState> {
    let lives = record.not_after() > now.0 && record.is_in(bundle);
    let slot = Slot::parse(record.slot()).filter(|_| lives)?;
    Some(AuthorityState {
        id: record.authority_id().to_owned(),
        stage: Stage::Old,
        slot,
        issued_at: UnixTime(record.issued_at()).system_time(),
        expires_at: UnixTime(record.not_after()).system_time(),
        upstream_id: record.upstream_id().to_owned(),
    })
}

/// One authority, if it can be used; otherwise why not.
async fn restore_one<K: Kind>(
    record: &K::Record,
    bundle: Option<&Bundle>,
    keys: &dyn KeyManager,
    now: UnixTime,
) -> Result<Result<Authority<K, Prepared>, String>, AuthorityError> {
    let Some(slot) = Slot::parse(record.slot()) else { return Ok(Err("no slot id".to_owned())) };
    if record.not_after() <= now.0 {
        return Ok(Err("slot expired".to_owned()));
    }
    let Some(signer) =
        keys.get(K::key_name(slot)).await.map_err(|e| AuthorityError::key(K::key_name(slot), e))?
    else {
        return Ok(Err("no key manager key".to_owned()));
    };
    if record.public_key().as_ref() != Some(signer.public()) {
        return Ok(Err("public key does not match key manager key".to_owned()));
    }
    let key = match K::restore(record, signer) {
        Ok(key) => key,
        Err(why) => return Ok(Err(why)),
    };
    let draft = Draft { slot, issued_at: UnixTime(record.issued_at()).system_time(), key };
    let absent = || "the trust bundle does not have it".to_owned();
    Ok(match bundle {
        Some(bundle) => Authority::seen_in(bundle, draft).map_err(|_| absent()),
        None => Err(absent()),
    })
}
