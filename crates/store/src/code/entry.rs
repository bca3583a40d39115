//! Registration entries.

use model::{AdditionalAttributes, Entry, EntryId, UnixTime};
use prost::Message;
use spiffe::{SpiffeId, TrustDomain};

use super::CodeError;
use super::selectors::{StoredSelector, selectors_of, stored_selectors};
use super::text::{id_of, trust_domain_of};

#[derive(Clone, PartialEq, Message)]
struct StoredEntry {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(uint64, tag = "2")]
    ord: u64,
    #[prost(string, tag = "3")]
    spiffe_id: String,
    #[prost(string, tag = "4")]
    parent_id: String,
    #[prost(message, repeated, tag = "5")]
    selectors: Vec<StoredSelector>,
    #[prost(int32, tag = "6")]
    x509_svid_ttl: i32,
    #[prost(int32, tag = "7")]
    jwt_svid_ttl: i32,
    #[prost(string, repeated, tag = "8")]
    federates_with: Vec<String>,
    #[prost(bool, tag = "9")]
    admin: bool,
    #[prost(bool, tag = "10")]
    downstream: bool,
    #[prost(int64, optional, tag = "11")]
    expires_at: Option<i64>,
    #[prost(string, repeated, tag = "12")]
    dns_names: Vec<String>,
    #[prost(int64, tag = "13")]
    revision: i64,
    #[prost(bool, tag = "14")]
    store_svid: bool,
    #[prost(string, tag = "15")]
    hint: String,
    #[prost(int64, tag = "16")]
    created_at: i64,
    #[prost(message, optional, tag = "17")]
    additional: Option<StoredAdditional>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct StoredAdditional {
    #[prost(bool, tag = "1")]
    disable_x509_svid_prefetch: bool,
    #[prost(bool, tag = "2")]
    jwt_svid_include_jti: bool,
}

pub(crate) fn entry_bytes(entry: &Entry) -> Vec<u8> {
    StoredEntry {
        id: entry.id.as_str().to_owned(),
        ord: entry.ord,
        spiffe_id: entry.spiffe_id.as_str().to_owned(),
        parent_id: entry.parent_id.as_str().to_owned(),
        selectors: stored_selectors(&entry.selectors),
        x509_svid_ttl: entry.x509_svid_ttl,
        jwt_svid_ttl: entry.jwt_svid_ttl,
        federates_with: entry.federates_with.iter().map(|td| td.as_str().to_owned()).collect(),
        admin: entry.admin,
        downstream: entry.downstream,
        expires_at: entry.expires_at.map(|at| at.0),
        dns_names: entry.dns_names.clone(),
        revision: entry.revision,
        store_svid: entry.store_svid,
        hint: entry.hint.clone(),
        created_at: entry.created_at.0,
        additional: entry.additional.map(|a| StoredAdditional {
            disable_x509_svid_prefetch: a.disable_x509_svid_prefetch,
            jwt_svid_include_jti: a.jwt_svid_include_jti,
        }),
    }
    .encode_to_vec()
}

/// Decodes entries one after another; neighbours often have the same parent, which is then shared.
#[derive(Default)]
pub(crate) struct EntryReader {
    parent: Option<SpiffeId>,
}

impl EntryReader {
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<Entry, CodeError> {
        let stored = StoredEntry::decode(bytes)?;
        Ok(Entry {
            id: EntryId::parse(&stored.id).map_err(|why| CodeError::field("id", why))?,
            ord: stored.ord,
            spiffe_id: id_of("spiffe_id", &stored.spiffe_id)?,
            parent_id: self.parent(&stored.parent_id)?,
            selectors: selectors_of(&stored.selectors)?,
            x509_svid_ttl: stored.x509_svid_ttl,
            jwt_svid_ttl: stored.jwt_svid_ttl,
            federates_with: trust_domains(&stored.federates_with)?,
            admin: stored.admin,
            downstream: stored.downstream,
            expires_at: stored.expires_at.map(UnixTime),
            dns_names: stored.dns_names,
            revision: stored.revision,
            store_svid: stored.store_svid,
            hint: stored.hint,
            created_at: UnixTime(stored.created_at),
            additional: stored.additional.map(|a| AdditionalAttributes {
                disable_x509_svid_prefetch: a.disable_x509_svid_prefetch,
                jwt_svid_include_jti: a.jwt_svid_include_jti,
            }),
        })
    }

    fn parent(&mut self, text: &str) -> Result<SpiffeId, CodeError> {
        match &self.parent {
            Some(same) if same.as_str() == text => Ok(same.clone()),
            _ => Ok(self.parent.insert(id_of("parent_id", text)?).clone()),
        }
    }
}

fn trust_domains(names: &[String]) -> Result<Vec<TrustDomain>, CodeError> {
    names.iter().map(|name| trust_domain_of("federates_with", name)).collect()
}
