//! The ordered change log on SQL databases.
