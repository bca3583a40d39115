//! What one machine offers: disk and memory keys, join tokens, x509pop, Unix processes.
