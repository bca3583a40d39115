//! Keys that sign tokens: JWT-SVIDs and WIT-SVIDs have a line of them each.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use kit::metrics::Call;
use model::UnixTime;
use proto::journal::{Entries, JwtKeyEntry, Status, WitKeyEntry};
use spiffe::bundle::{Bundle, BundleError};
use spiffe::key::{KeyType, PublicKey, Signer};

use super::error::AuthorityError;
use super::handle::Desk;
use super::key_id::key_id;
use super::kind::{Kind, Record};
use super::settings::AuthoritySettings;
use super::slot::Slot;
use super::stage::Draft;

/// A key that signs tokens of a kind, and what it is called in bundles.
pub(super) struct TokenKey<T> {
    kid: String,
    not_after: SystemTime,
    signer: Arc<dyn Signer>,
    tokens: PhantomData<fn() -> T>,
}

/// A kind of token.
#[async_trait]
pub(super) trait Tokens: Sized + Send + Sync + 'static {
    /// As log lines call its keys.
    const NAME: &'static str;

    /// The names of its keys in the key manager, by slot.
    const KEYS: [&'static str; 2];

    /// How the journal records its keys.
    type Record: TokenRecord;

    /// Its keys' records in a journal.
    fn records(journal: &mut Entries) -> &mut Vec<Self::Record>;

    /// The type of its keys.
    fn key_type(settings: &AuthoritySettings) -> KeyType;

    /// Makes a key known to the authority above, where there is one that takes such keys.
    async fn publish_above(key: &TokenKey<Self>, desk: &Desk) -> Result<(), AuthorityError>;

    /// The key that the bundle has for such tokens under this name.
    fn held<'a>(bundle: &'a Bundle, kid: &str) -> Option<&'a PublicKey>;

    /// Adds a key to the bundle; whether it was not there.
    fn push(key: &TokenKey<Self>, bundle: &mut Bundle) -> Result<bool, BundleError>;

    /// Where a preparation is counted.
    fn preparations() -> &'static Call;

    /// Makes a key the one that signs.
    fn serve(key: &Arc<TokenKey<Self>>, desk: &Desk);
}

/// A record of a token key.
pub(super) trait TokenRecord: Record {
    /// One of a prepared key.
    fn prepared(slot: Slot, issued_at: SystemTime, key: Recorded<'_>) -> Self;
}

/// What is recorded of a token key itself.
pub(super) struct Recorded<'a> {
    kid: &'a str,
    not_after: SystemTime,
    public: &'a PublicKey,
}

impl<T> std::fmt::Debug for TokenKey<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenKey({})", self.kid)
    }
}

impl<T> TokenKey<T> {
    /// What signs.
    pub(super) fn signer(&self) -> &Arc<dyn Signer> {
        &self.signer
    }

    /// Its public half.
    pub(super) fn public(&self) -> &PublicKey {
        self.signer.public()
    }
}

#[async_trait]
impl<T: Tokens> Kind for TokenKey<T> {
    const NAME: &'static str = T::NAME;
    type Record = T::Record;

    fn records(journal: &mut Entries) -> &mut Vec<T::Record> {
        T::records(journal)
    }

    fn key_name(slot: Slot) -> &'static str {
        let [a, b] = T::KEYS;
        match slot {
            Slot::A => a,
            Slot::B => b,
        }
    }

    fn key_type(settings: &AuthoritySettings) -> KeyType {
        T::key_type(settings)
    }

    async fn make(signer: Arc<dyn Signer>, desk: &Desk, now: SystemTime) -> Result<Self, AuthorityError> {
        // Whole seconds, as the bundle and the journal keep it, so that a restart finds the same.
        let not_after = UnixTime::of(now + desk.settings.ca_ttl).system_time();
        let key = Self { kid: key_id()?, not_after, signer, tokens: PhantomData };
        // Known above before it is known here, so that no token is signed that only this server's agents can verify.
        T::publish_above(&key, desk).await?;
        Ok(key)
    }

    fn restore(record: &T::Record, signer: Arc<dyn Signer>) -> Result<Self, String> {
        let not_after = UnixTime(record.not_after()).system_time();
        Ok(Self { kid: record.authority_id().to_owned(), not_after, signer, tokens: PhantomData })
    }

    fn record(draft: &Draft<Self>) -> T::Record {
        let key = &draft.key;
        let recorded = Recorded { kid: &key.kid, not_after: key.not_after, public: key.public() };
        T::Record::prepared(draft.slot, draft.issued_at, recorded)
    }

    fn id(&self) -> &str {
        &self.kid
    }

    fn upstream_id(&self) -> &str {
        ""
    }

    fn not_after(&self) -> SystemTime {
        self.not_after
    }

    fn is_in(&self, bundle: &Bundle) -> bool {
        T::held(bundle, &self.kid) == Some(self.public())
    }

    fn add_to(&self, bundle: &mut Bundle) -> Result<bool, BundleError> {
        T::push(self, bundle)
    }

    fn preparations() -> &'static Call {
        T::preparations()
    }

    fn serve(self: &Arc<Self>, desk: &Desk) {
        T::serve(self, desk);
    }
}

/// The two records differ by their type alone.
macro_rules! token_record {
    ($record:ident, $tokens:ty) => {
        impl TokenRecord for $record {
            fn prepared(slot: Slot, issued_at: SystemTime, key: Recorded<'_>) -> Self {
                Self {
                    slot_id: slot.as_str().to_owned(),
                    issued_at: UnixTime::of(issued_at).0,
                    not_after: UnixTime::of(key.not_after).0,
                    kid: key.kid.to_owned(),
                    public_key: key.public.spki_der().to_vec(),
                    status: Status::Prepared.into(),
                    authority_id: key.kid.to_owned(),
                }
            }
        }

        impl Record for $record {
            fn slot(&self) -> &str {
                &self.slot_id
            }

            fn issued_at(&self) -> i64 {
                self.issued_at
            }

            fn not_after(&self) -> i64 {
                self.not_after
            }

            fn authority_id(&self) -> &str {
                &self.authority_id
            }

            fn status(&self) -> Status {
                $record::status(self)
            }

            fn set_status(&mut self, status: Status) {
                $record::set_status(self, status);
            }

            fn upstream_id(&self) -> &str {
                ""
            }

            fn public_key(&self) -> Option<PublicKey> {
                PublicKey::from_spki_der(&self.public_key).ok()
            }

            fn is_in(&self, bundle: &Bundle) -> bool {
                <$tokens as Tokens>::held(bundle, &self.kid)
                    .is_some_and(|held| held.spki_der() == self.public_key)
            }
        }
    };
}

token_record!(JwtKeyEntry, super::jwt::Jwt);
token_record!(WitKeyEntry, super::wit::Wit);
