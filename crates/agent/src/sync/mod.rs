//! Follows the server: by its feed, or by SPIRE's protocol where it has none.

mod feed;
mod follow;
mod intake;
mod poll;

pub(crate) use follow::Follower;
