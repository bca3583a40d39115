//! Which secrets names lead to.

use std::collections::BTreeSet;
use std::sync::Arc;

use spiffe::bundle::Bundle;
use tonic::Status;

use super::SdsNames;
use super::asked::listed;
use super::choice::Choice;
use super::node::Form;
use crate::cache::Update;

/// Why a request gets nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("workload is not authorized for the requested identities {}", listed(.0))]
    NotEntitled(BTreeSet<String>),
    /// In SPIRE's words; what is meant is a client without the validator, or one that is told not to use it.
    #[error("unable to use \"SPIFFE validator\" on Envoy below 1.17")]
    NoValidator,
}

impl From<&Refusal> for Status {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::NotEntitled(_) => Status::invalid_argument(refusal.to_string()),
            Refusal::NoValidator => Status::internal(refusal.to_string()),
        }
    }
}

/// Chooses among what a caller is entitled to.
pub(super) struct Selection<'a> {
    pub(super) names: &'a SdsNames,
    pub(super) form: Form,
    pub(super) update: &'a Update,
}

impl Selection<'_> {
    /// All that is asked for at once, everything where nothing is named. In SPIRE's order and by its rules: of the names
    /// for our own authorities only the first counts, and an identity answers to one name only; what is left over refuses
    /// the whole.
    pub(super) fn together(&self, asked: &BTreeSet<String>) -> Result<Vec<Choice>, Refusal> {
        let everything = asked.is_empty();
        let mut left = asked.clone();
        let mut chosen = Vec::new();
        if let Some(own) = &self.update.bundle {
            let id = id(own);
            if everything || left.remove(&id) {
                chosen.push(self.trust(&id, own));
            } else if left.remove(&self.names.bundle) {
                chosen.push(self.trust(&self.names.bundle, own));
            } else if left.remove(&self.names.all_bundles) {
                chosen.push(self.all_bundles(own)?);
            }
        }
        for bundle in &self.update.federated {
            let id = id(bundle);
            if everything || left.remove(&id) {
                chosen.push(self.trust(&id, bundle));
            }
        }
        for (index, identity) in self.update.identities.iter().enumerate() {
            let id = identity.held.id().as_str();
            if everything || left.remove(id) {
                chosen.push(Choice::key(id, &identity.held));
            } else if index == 0 && left.remove(&self.names.svid) {
                chosen.push(Choice::key(&self.names.svid, &identity.held));
            }
        }
        match left.is_empty() {
            true => Ok(chosen),
            false => Err(Refusal::NotEntitled(left)),
        }
    }

    /// What one name leads to, whatever else is asked for.
    pub(super) fn one(&self, name: &str) -> Result<Option<Choice>, Refusal> {
        if let Some(own) = &self.update.bundle {
            if name == id(own) || name == self.names.bundle {
                return Ok(Some(self.trust(name, own)));
            }
            if name == self.names.all_bundles {
                return self.all_bundles(own).map(Some);
            }
        }
        if let Some(bundle) = self.update.federated.iter().find(|bundle| id(bundle) == name) {
            return Ok(Some(self.trust(name, bundle)));
        }
        let identities = &self.update.identities;
        let named = identities.iter().find(|identity| identity.held.id().as_str() == name);
        let found = named.or_else(|| identities.first().filter(|_| name == self.names.svid));
        Ok(found.map(|identity| Choice::key(name, &identity.held)))
    }

    /// Everything, each by its ID and each ID once.
    pub(super) fn everything(&self) -> Vec<Choice> {
        let bundles = self.update.bundle.iter().chain(&self.update.federated);
        let mut chosen: Vec<Choice> = bundles.map(|bundle| self.trust(&id(bundle), bundle)).collect();
        let mut seen = BTreeSet::new();
        for identity in &self.update.identities {
            let id = identity.held.id().as_str();
            if seen.insert(id) {
                chosen.push(Choice::key(id, &identity.held));
            }
        }
        chosen
    }

    fn trust(&self, name: &str, bundle: &Arc<Bundle>) -> Choice {
        Choice::trust(name, vec![bundle.clone()], self.form)
    }

    fn all_bundles(&self, own: &Arc<Bundle>) -> Result<Choice, Refusal> {
        if self.form == Form::Roots {
            return Err(Refusal::NoValidator);
        }
        let mut all: Vec<Arc<Bundle>> = self.update.federated.iter().chain([own]).cloned().collect();
        all.sort_by(|a, b| a.trust_domain().as_str().cmp(b.trust_domain().as_str()));
        Ok(Choice::trust(&self.names.all_bundles, all, self.form))
    }
}

fn id(bundle: &Bundle) -> String {
    bundle.trust_domain().id().as_str().to_owned()
}
