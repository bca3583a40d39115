//! rustls verifiers and certificate resolvers over SPIFFE documents.
