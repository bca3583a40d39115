//! The handles of one metric, by the values of its labels.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{LazyLock, OnceLock, PoisonError, RwLock};

use metrics::{Key, Label, Recorder};

use super::set::Set;

/// The most combinations of label values of one metric. Others are counted under [`OTHER`].
const MOST: usize = 2048;
/// The value of labels beyond what is kept apart.
const OTHER: &str = "other";

static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Handles of the type `H`.
pub(super) struct Family<H> {
    set: &'static Set,
    pub(super) name: &'static str,
    pub(super) labels: &'static [&'static str],
    pub(super) help: &'static str,
    plain: OnceLock<H>,
    by: LazyLock<RwLock<HashMap<u64, H>>>,
}

impl<H: Clone> Family<H> {
    pub(super) const fn new(
        set: &'static Set,
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { set, name, labels, help, plain: OnceLock::new(), by: LazyLock::new(RwLock::default) }
    }

    /// Does `then` with the handle for these label values, if anything is recorded. `make` asks the recorder for it
    /// the first time.
    pub(super) fn with(
        &self,
        values: &[&str],
        make: impl FnOnce(&dyn Recorder, &[&str]) -> H,
        then: impl FnOnce(&H),
    ) {
        debug_assert_eq!(values.len(), self.labels.len(), "{} has other labels", self.name);
        if values.is_empty() {
            return match (self.plain.get(), self.set.recorder()) {
                (Some(handle), _) => then(handle),
                (None, Some(recorder)) => then(self.plain.get_or_init(|| make(recorder, values))),
                (None, None) => {}
            };
        }
        let Some(recorder) = self.set.recorder() else { return };
        let place = HASHER.hash_one(values);
        let known = self.by.read().unwrap_or_else(PoisonError::into_inner).get(&place).cloned();
        match known {
            Some(handle) => then(&handle),
            None => then(&self.learn(place, values, recorder, make)),
        }
    }

    fn learn(
        &self,
        place: u64,
        values: &[&str],
        recorder: &dyn Recorder,
        make: impl FnOnce(&dyn Recorder, &[&str]) -> H,
    ) -> H {
        let mut by = self.by.write().unwrap_or_else(PoisonError::into_inner);
        let full = by.len() >= MOST && !by.contains_key(&place);
        let others: Vec<&str> = self.labels.iter().map(|_| OTHER).collect();
        let (place, values) =
            if full { (HASHER.hash_one(&others[..]), &others[..]) } else { (place, values) };
        by.entry(place).or_insert_with(|| make(recorder, values)).clone()
    }

    /// The key of the metric for these label values.
    pub(super) fn key(&self, values: &[&str]) -> Key {
        key(self.name, self.labels, values)
    }
}

/// A metric's key for the facade.
pub(super) fn key(name: &'static str, labels: &[&'static str], values: &[&str]) -> Key {
    let labels = labels.iter().zip(values).map(|(name, value)| Label::new(*name, (*value).to_owned()));
    Key::from_parts(name, labels.collect::<Vec<_>>())
}
