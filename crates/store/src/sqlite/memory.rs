//! Databases that live in this process alone.

use super::line::Target;

/// A new, empty database, shared by all connections of this process that know its name.
pub(super) fn fresh() -> Target {
    tracing::warn!("The registry is kept in memory: it is lost when the server stops");
    let name = uuid::Uuid::new_v4();
    Target { filename: format!("file:/{name}?vfs=memdb").into(), shown: "memory".into() }
}
