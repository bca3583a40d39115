//! Bundle maps: the bundles of several trust domains in one JSON text (Trust Domain and Bundle §5).

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value, json};

use super::element::{Document, MAX_KEYS, Names, OfDocument};
use super::publish::WitKeys;
use super::read::{Keys, MAX_DOCUMENT, bundle_of};
use super::{BundleSet, DocumentError, PassedOver};
use crate::{IdError, TrustDomain};

/// The most trust domains of one map.
pub const MAX_TRUST_DOMAINS: usize = 10_000;
/// The most members of the map itself.
const MAX_MEMBERS: usize = 1_000;

/// Why a bundle map is refused. It is taken as a whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // each variant's message says what it is
pub enum MapError {
    #[error("the bundle map is {0} bytes long; at most 16 MiB are accepted")]
    TooLarge(usize),
    #[error("the bundle map cannot be read: {0}")]
    Json(String),
    #[error("the bundle map has no \"trust_domains\" (Trust Domain and Bundle §5.1.1)")]
    NoTrustDomains,
    #[error("{name:?} in the bundle map is no trust domain's name: {cause}")]
    Name { name: String, cause: IdError },
    #[error("the bundle of {trust_domain} in the bundle map is refused: {cause}")]
    Bundle { trust_domain: TrustDomain, cause: DocumentError },
}

/// A bundle map that was read, and what was not taken of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadMap {
    /// The state of the world: what is not in it is not there any more.
    pub bundles: BundleSet,
    /// The keys that were passed over, with the trust domain whose they are.
    pub passed_over: Vec<(TrustDomain, PassedOver)>,
}

impl BundleSet {
    /// Reads a bundle map. Its bundles are read as [`Bundle::parse_spiffe_json`](super::Bundle::parse_spiffe_json) does; a
    /// refresh hint in one of them says nothing (§5.1.1).
    ///
    /// # Errors
    ///
    /// A name that occurs twice, however it is written, that is none of a trust domain (`spiffe://…` is not), or a bundle
    /// that is refused: each refuses the whole map.
    pub fn parse_map_json(text: &str) -> Result<Self, MapError> {
        Self::read_map_json(text).map(|read| read.bundles)
    }

    /// As [`BundleSet::parse_map_json`], and says what was passed over.
    pub fn read_map_json(text: &str) -> Result<ReadMap, MapError> {
        if text.len() > MAX_DOCUMENT {
            return Err(MapError::TooLarge(text.len()));
        }
        let json = |e: serde_json::Error| MapError::Json(e.to_string());
        let left = Cell::new(MAX_KEYS);
        let mut reader = serde_json::Deserializer::from_str(text);
        let documents = OfMap(&left).deserialize(&mut reader).map_err(json)?;
        reader.end().map_err(json)?;
        let mut read = ReadMap { bundles: BundleSet::default(), passed_over: Vec::new() };
        for (name, mut document) in documents.ok_or(MapError::NoTrustDomains)? {
            let trust_domain = TrustDomain::parse(&name)
                .map_err(|cause| MapError::Name { name: name.chars().take(64).collect(), cause })?;
            document.hint = Default::default();
            let one = bundle_of(trust_domain.clone(), document, Keys::Labelled)
                .map_err(|cause| MapError::Bundle { trust_domain: trust_domain.clone(), cause })?;
            read.bundles.insert(Arc::new(one.bundle));
            read.passed_over.extend(one.passed_over.into_iter().map(|key| (trust_domain.clone(), key)));
        }
        Ok(read)
    }

    /// The bundle map of this set, without the refresh hints of its bundles (§5.1.1).
    pub fn to_map_json(&self, wit: WitKeys) -> String {
        let one = |bundle: &Arc<super::Bundle>| {
            let mut document = bundle.document(match wit {
                WitKeys::Omitted => &[],
                WitKeys::Included => bundle.wit_authorities(),
            });
            if let Some(members) = document.as_object_mut() {
                members.remove("spiffe_refresh_hint");
            }
            (bundle.trust_domain().as_str().to_owned(), document)
        };
        let domains: Map<String, Value> = self.iter().map(one).collect();
        json!({ "trust_domains": domains }).to_string()
    }
}

/// The map: its trust domains, if it has them.
struct OfMap<'a>(&'a Cell<usize>);

impl<'de> DeserializeSeed<'de> for OfMap<'_> {
    type Value = Option<Vec<(String, Document)>>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OfMap<'_> {
    type Value = Option<Vec<(String, Document)>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (mut domains, mut names) = (None, Names::default());
        while let Some(name) = members.next_key::<String>()? {
            if name == "trust_domains" {
                domains = Some(members.next_value_seed(OfDomains(self.0))?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
            names.add(name, MAX_MEMBERS)?;
        }
        Ok(domains)
    }
}

/// Documents by the name of their trust domain, each name once.
struct OfDomains<'a>(&'a Cell<usize>);

impl<'de> DeserializeSeed<'de> for OfDomains<'_> {
    type Value = Vec<(String, Document)>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OfDomains<'_> {
    type Value = Vec<(String, Document)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of bundles by trust domain")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (mut domains, mut names) = (Vec::new(), Names::default());
        while let Some(name) = members.next_key::<String>()? {
            names.add::<A::Error>(name.clone(), MAX_TRUST_DOMAINS)?;
            let document = members
                .next_value_seed(OfDocument(self.0))
                .map_err(|e| A::Error::custom(format_args!("the bundle of {name:?}: {e}")))?;
            domains.push((name, document));
        }
        Ok(domains)
    }
}
