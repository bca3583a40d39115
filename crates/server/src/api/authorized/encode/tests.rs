use model::{AdditionalAttributes, EntryId, Selector, UnixTime};
use prost::Message as _;
use proto::spire::api::server::entry::v1::{EntryRevision, GetAuthorizedEntriesResponse};
use spiffe::TrustDomain;

use super::*;
use crate::api::convert::{full_mask, wire_entry};

/// An entry in which every field is set.
fn full() -> Entry {
    let domain = TrustDomain::parse("example.org").unwrap();
    Entry {
        id: EntryId::parse("b1c9").unwrap(),
        ord: 7,
        spiffe_id: SpiffeId::new(&domain, "/a/b").unwrap(),
        parent_id: domain.id(),
        selectors: [("unix", "uid:1"), ("k8s", &*"long".repeat(300))]
            .iter()
            .map(|(kind, value)| Selector::new(kind, value).unwrap())
            .collect(),
        x509_svid_ttl: 60,
        jwt_svid_ttl: i32::MAX,
        federates_with: vec![
            TrustDomain::parse("one.test").unwrap(),
            TrustDomain::parse("two.test").unwrap(),
        ],
        admin: true,
        downstream: true,
        expires_at: Some(UnixTime(i64::MAX)),
        dns_names: vec!["a.example".to_owned(), "b.example".to_owned()],
        revision: 3,
        store_svid: true,
        hint: "internal".to_owned(),
        created_at: UnixTime(1_700_000_000),
        additional: Some(AdditionalAttributes {
            disable_x509_svid_prefetch: true,
            jwt_svid_include_jti: true,
        }),
    }
}

/// An entry in which as little is set as can be.
fn bare() -> Entry {
    Entry {
        selectors: model::Selectors::default(),
        x509_svid_ttl: 0,
        jwt_svid_ttl: -1,
        federates_with: Vec::new(),
        admin: false,
        downstream: false,
        expires_at: None,
        dns_names: Vec::new(),
        revision: 0,
        store_svid: false,
        hint: String::new(),
        created_at: UnixTime(0),
        additional: Some(AdditionalAttributes::default()),
        ..full()
    }
}

/// Every mask that names one field, all of them, and none.
fn masks() -> Vec<EntryMask> {
    // A mask has a flag for each of the fields 2 to 16, so its bytes can be counted through.
    let of = |fields: &[u8]| {
        let bytes: Vec<u8> = fields
            .iter()
            .flat_map(|field| match field {
                16 => vec![0x80, 1, 1],
                field => vec![field << 3, 1],
            })
            .collect();
        EntryMask::decode(&*bytes).unwrap()
    };
    let mut masks: Vec<EntryMask> = (2..=16).map(|field| of(&[field])).collect();
    masks.push(of(&(2..=16).collect::<Vec<u8>>()));
    assert_eq!(masks.last(), Some(&full_mask()));
    masks.push(EntryMask::default());
    masks
}

#[test]
fn entries_are_written_as_the_messages_would_be() {
    for mask in masks() {
        let all = [full(), bare(), Entry { additional: None, ..full() }];
        let message = GetAuthorizedEntriesResponse {
            entries: all.iter().map(|e| wire_entry(e, Some(&mask))).collect(),
        };
        let mut written = Vec::new();
        for one in &all {
            entry(&mut written, 1, one, &mask);
        }
        assert_eq!(written, message.encode_to_vec(), "{mask:?}");
    }
}

#[test]
fn revisions_are_written_as_the_messages_would_be() {
    for one in [full(), bare()] {
        let message = EntryRevision {
            id: one.id.as_str().to_owned(),
            revision_number: one.revision,
            created_at: one.created_at.0,
        };
        let mut written = Vec::new();
        revision(&mut written, 2, &one);
        let message = message.encode_to_vec();
        assert_eq!(written, [&[0x12, u8::try_from(message.len()).unwrap()], &*message].concat());
    }
}
