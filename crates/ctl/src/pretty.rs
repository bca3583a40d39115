//! The printed forms that people read and scripts cut apart; labels and order are those of SPIRE 1.16.

pub(crate) mod agents;
pub(crate) mod authority;
pub(crate) mod bundle;
pub(crate) mod entry;
pub(crate) mod federation;
pub(crate) mod svid;
