//! Things for tests.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use model::{Selector, Selectors};
use proto::spire::api::types;
use spiffe::bundle::{Bundle, X509Authority};
use spiffe::key::{KeyType, PrivateKey, Signer as _};
use spiffe::x509::{CaSubject, CaTemplate, LeafTemplate, X509Issuer};
use spiffe::{SpiffeId, TrustDomain};

use super::{Entry, Held};

pub(crate) fn selectors(all: &[&str]) -> Selectors {
    all.iter().map(|one| Selector::parse(one).unwrap()).collect()
}

pub(crate) fn example() -> TrustDomain {
    TrustDomain::parse("example.org").unwrap()
}

/// An entry of `example.org`.
pub(crate) fn entry(id: &str, path: &str, all: &[&str]) -> Entry {
    Entry {
        id: id.into(),
        spiffe_id: SpiffeId::new(&example(), path).unwrap(),
        selectors: selectors(all),
        federates_with: Vec::new(),
        hint: String::new(),
        revision: 0,
        created_at: 0,
        prefetch: true,
        jti: false,
        stored: false,
    }
}

/// The same as it travels.
pub(crate) fn wire(id: &str, path: &str, all: &[&str], revision: i64) -> types::Entry {
    let split = |one: &&str| {
        let (kind, value) = one.split_once(':').unwrap();
        types::Selector { r#type: kind.to_owned(), value: value.to_owned() }
    };
    types::Entry {
        id: id.to_owned(),
        spiffe_id: Some(types::Spiffeid { trust_domain: "example.org".to_owned(), path: path.to_owned() }),
        selectors: all.iter().map(split).collect(),
        revision_number: revision,
        ..types::Entry::default()
    }
}

/// An authority that issues to whom it is told.
pub(crate) struct Ca(X509Issuer);

impl Ca {
    pub(crate) fn new(name: &str, now: SystemTime) -> Self {
        let key = PrivateKey::generate(KeyType::EcP256).unwrap();
        let subject = CaSubject { common_name: name.to_owned(), ..CaSubject::default() };
        let ca = CaTemplate::new(example(), subject, now, now + Duration::from_secs(86_400))
            .self_sign(&key)
            .unwrap();
        Self(X509Issuer::new(ca, Vec::new(), Arc::new(key)).unwrap())
    }

    pub(crate) fn issue(&self, id: &SpiffeId, now: SystemTime, ttl: Duration) -> Held {
        let key = PrivateKey::generate(KeyType::EcP256).unwrap();
        let leaf =
            LeafTemplate::new(id.clone(), key.public().clone(), now, now + ttl).issue(&self.0).unwrap();
        Held::accept(id, &key, vec![leaf.der().to_vec()]).unwrap()
    }

    pub(crate) fn bundle(&self, tainted: bool) -> Bundle {
        let mut bundle = Bundle::new(example());
        bundle.push_x509(X509Authority { certificate: self.0.certificate().clone(), tainted }).unwrap();
        bundle
    }
}
