//! A secret by what it is made of.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use spiffe::bundle::Bundle;

use super::node::Form;
use crate::cache::Held;

/// A secret by what it is made of.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub(super) name: String,
    pub(super) of: Material,
}

/// What a secret is made of.
#[derive(Debug, Clone)]
pub(super) enum Material {
    /// Certificates and their key.
    Key(Arc<Held>),
    /// Authorities, in the order of their trust domains.
    Trust(Vec<Arc<Bundle>>, Form),
}

impl Choice {
    pub(super) fn key(name: &str, held: &Arc<Held>) -> Self {
        Self { name: name.to_owned(), of: Material::Key(held.clone()) }
    }

    pub(super) fn trust(name: &str, bundles: Vec<Arc<Bundle>>, form: Form) -> Self {
        Self { name: name.to_owned(), of: Material::Trust(bundles, form) }
    }

    pub(super) fn is_key(&self) -> bool {
        matches!(self.of, Material::Key(_))
    }

    /// Whether it is made of the same things, and so says the same.
    fn same(&self, other: &Self) -> bool {
        let material = match (&self.of, &other.of) {
            (Material::Key(a), Material::Key(b)) => Arc::ptr_eq(a, b),
            (Material::Trust(a, form), Material::Trust(b, other)) => {
                form == other && a.len() == b.len() && a.iter().zip(b).all(|(a, b)| Arc::ptr_eq(a, b))
            }
            _ => false,
        };
        material && self.name == other.name
    }

    /// What tells its contents from others of the same name. Made of what is public, the key's certificates in its place.
    pub(super) fn version(&self) -> String {
        let mut hasher = DefaultHasher::new();
        match &self.of {
            Material::Key(held) => held.chain().hash(&mut hasher),
            Material::Trust(bundles, form) => {
                (*form == Form::Roots).hash(&mut hasher);
                for bundle in bundles {
                    bundle.trust_domain().as_str().hash(&mut hasher);
                    bundle.x509_der_concatenated().hash(&mut hasher);
                }
            }
        }
        format!("{:016x}", hasher.finish())
    }
}

/// Whether two answers say the same.
pub(super) fn same(a: &[Choice], b: &[Choice]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b))
}
