//! The server engine: registry, authorities, attestation, RPC.
