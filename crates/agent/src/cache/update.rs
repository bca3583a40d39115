//! What a set of selectors is entitled to at one moment, with the answers that say so.

use std::sync::{Arc, OnceLock};

use prost::bytes::Bytes;
use spiffe::bundle::Bundle;

use super::entry::Entry;
use super::frame::{Field, Nested, frame, map_entry};
use super::held::Held;

/// An entry and the SVID that was issued for it.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) entry: Arc<Entry>,
    pub(crate) held: Arc<Held>,
}

/// What a set of selectors is entitled to at one moment. Answers are encoded when the first stream sends them, once for
/// all.
#[derive(Debug, Default)]
pub(crate) struct Update {
    /// In the order of the entries' ids, hints unique.
    pub(crate) identities: Vec<Identity>,
    /// How many entries match, with an SVID or not.
    pub(crate) matching: usize,
    /// Whether an SVID is still being asked for that was never there.
    pub(crate) waiting: bool,
    /// The bundle of our trust domain.
    pub(crate) bundle: Option<Arc<Bundle>>,
    /// Of the trust domains that the entries name, in their order.
    pub(crate) federated: Vec<Arc<Bundle>>,
    x509: OnceLock<Bytes>,
    x509_bundles: OnceLock<Bytes>,
    jwt_bundles: OnceLock<Bytes>,
    wit_bundles: OnceLock<Bytes>,
}

impl Update {
    pub(crate) fn new(
        identities: Vec<Identity>,
        matching: usize,
        waiting: bool,
        bundle: Option<Arc<Bundle>>,
        federated: Vec<Arc<Bundle>>,
    ) -> Self {
        Self { identities, matching, waiting, bundle, federated, ..Self::default() }
    }

    /// Whether an entry matches.
    pub(crate) fn has_identity(&self) -> bool {
        self.matching > 0
    }

    /// Whether this says the same, made of the same parts.
    pub(super) fn same(&self, other: &Self) -> bool {
        let identities = self.identities.len() == other.identities.len()
            && self
                .identities
                .iter()
                .zip(&other.identities)
                .all(|(a, b)| Arc::ptr_eq(&a.entry, &b.entry) && Arc::ptr_eq(&a.held, &b.held));
        let bundle = match (&self.bundle, &other.bundle) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        let federated = self.federated.len() == other.federated.len()
            && self.federated.iter().zip(&other.federated).all(|(a, b)| Arc::ptr_eq(a, b));
        let counts = (self.matching, self.waiting) == (other.matching, other.waiting);
        counts && identities && bundle && federated
    }

    /// `X509SVIDResponse`.
    pub(crate) fn x509(&self) -> Bytes {
        self.x509.get_or_init(|| self.encode_x509()).clone()
    }

    /// `X509BundlesResponse`. Federated bundles go to those with an identity only.
    pub(crate) fn x509_bundles(&self) -> Bytes {
        self.x509_bundles.get_or_init(|| self.encode_bundles(2, Bundle::x509_der_concatenated)).clone()
    }

    /// `JWTBundlesResponse`.
    pub(crate) fn jwt_bundles(&self) -> Bytes {
        self.jwt_bundles.get_or_init(|| self.encode_bundles(1, |bundle| bundle.to_jwks_json().into())).clone()
    }

    /// `WITBundlesResponse`.
    pub(crate) fn wit_bundles(&self) -> Bytes {
        self.wit_bundles
            .get_or_init(|| self.encode_bundles(1, |bundle| bundle.to_wit_jwks_json().into()))
            .clone()
    }

    fn encode_x509(&self) -> Bytes {
        let bundle = self.bundle.as_ref().map(|bundle| bundle.x509_der_concatenated()).unwrap_or_default();
        let svids: Vec<_> = self
            .identities
            .iter()
            .map(|one| {
                Nested(
                    1,
                    [
                        Field(1, one.held.id().as_str().as_bytes()),
                        Field(2, one.held.chain()),
                        Field(3, one.held.key()),
                        Field(4, &bundle),
                        Field(5, one.entry.hint.as_bytes()),
                    ],
                )
            })
            .collect();
        let federated: Vec<(String, Vec<u8>)> =
            self.federated.iter().map(|bundle| (name(bundle), bundle.x509_der_concatenated())).collect();
        let federated: Vec<_> = federated.iter().map(|(td, der)| map_entry(3, td, der)).collect();
        frame(&(svids, federated))
    }

    fn encode_bundles(&self, number: u32, form: impl Fn(&Bundle) -> Vec<u8>) -> Bytes {
        let federated = self.federated.iter().filter(|_| self.has_identity());
        let mut all: Vec<(String, Vec<u8>)> =
            self.bundle.iter().chain(federated).map(|bundle| (name(bundle), form(bundle))).collect();
        all.sort();
        let all: Vec<_> = all.iter().map(|(td, value)| map_entry(number, td, value)).collect();
        frame(&all)
    }
}

fn name(bundle: &Bundle) -> String {
    bundle.trust_domain().id().as_str().to_owned()
}
