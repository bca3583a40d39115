//! The agent engine: node identity, sync, cache, Workload API.
