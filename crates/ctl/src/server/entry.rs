//! `entry …`.

pub(super) mod count;
pub(super) mod create;
pub(super) mod delete;
mod fields;
mod file;
mod filter;
pub(super) mod show;
pub(super) mod update;
