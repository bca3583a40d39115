//! Chores of the repository: code generation, layer check.
fn main() {}
