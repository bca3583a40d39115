//! The wire: generated messages and services.
