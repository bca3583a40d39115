//! SPIFFE identities, documents and bundles: parse, build, verify. No I/O, no clock.
