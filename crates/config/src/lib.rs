//! SPIRE's configuration files, read strictly and reported on in full.
