//! One authority, with the stage of its life as a type.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::SystemTime;

use spiffe::bundle::Bundle;

use super::kind::Kind;
use super::schedule;
use super::slot::Slot;
use super::state::{AuthorityState, Stage};

/// In the bundle, so that relying parties can learn of it; not signing yet.
#[derive(Debug)]
pub(super) enum Prepared {}
/// Signing.
#[derive(Debug)]
pub(super) enum Active {}

/// A stage, by its name on the wire.
pub(super) trait StageName {
    const STAGE: Stage;
}
impl StageName for Prepared {
    const STAGE: Stage = Stage::Prepared;
}
impl StageName for Active {
    const STAGE: Stage = Stage::Active;
}

/// An authority that was made but is not in the bundle, as far as anyone knows.
#[derive(Debug)]
pub(super) struct Draft<K> {
    pub(super) slot: Slot,
    pub(super) issued_at: SystemTime,
    pub(super) key: K,
}

/// An authority of kind `K` in stage `S`.
#[derive(Debug)]
pub(super) struct Authority<K, S> {
    slot: Slot,
    issued_at: SystemTime,
    key: Arc<K>,
    stage: PhantomData<S>,
}

impl<K: Kind> Authority<K, Prepared> {
    /// A draft that the stored bundle has is a prepared authority; there is no other way to become one.
    pub(super) fn seen_in(bundle: &Bundle, draft: Draft<K>) -> Result<Self, Draft<K>> {
        if !draft.key.is_in(bundle) {
            return Err(draft);
        }
        Ok(Self {
            slot: draft.slot,
            issued_at: draft.issued_at,
            key: Arc::new(draft.key),
            stage: PhantomData,
        })
    }

    /// From here on it signs.
    pub(super) fn activate(self) -> Authority<K, Active> {
        self.moved_on()
    }
}

impl<K: Kind> Authority<K, Active> {
    /// What signs.
    pub(super) fn signing_key(&self) -> &Arc<K> {
        &self.key
    }

    /// From here on it does not sign.
    pub(super) fn retire(self) -> AuthorityState {
        AuthorityState { stage: Stage::Old, ..self.state() }
    }

    /// When its successor is to be prepared.
    pub(super) fn prepare_next_at(&self) -> SystemTime {
        schedule::prepare_at(self.issued_at, self.not_after())
    }

    /// When its successor is to take over.
    pub(super) fn activate_next_at(&self) -> SystemTime {
        schedule::activate_at(self.issued_at, self.not_after())
    }
}

impl<K: Kind, S> Authority<K, S> {
    fn moved_on<T>(self) -> Authority<K, T> {
        Authority { slot: self.slot, issued_at: self.issued_at, key: self.key, stage: PhantomData }
    }

    pub(super) fn id(&self) -> &str {
        self.key.id()
    }

    pub(super) fn key(&self) -> &K {
        &self.key
    }

    pub(super) fn slot(&self) -> Slot {
        self.slot
    }

    pub(super) fn not_after(&self) -> SystemTime {
        self.key.not_after()
    }
}

impl<K: Kind, S: StageName> Authority<K, S> {
    /// What operators are told of it.
    pub(super) fn state(&self) -> AuthorityState {
        AuthorityState {
            id: self.key.id().to_owned(),
            stage: S::STAGE,
            slot: self.slot,
            issued_at: self.issued_at,
            expires_at: self.key.not_after(),
            upstream_id: self.key.upstream_id().to_owned(),
        }
    }
}
