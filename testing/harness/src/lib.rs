//! Real processes on loopback for scenario tests.
