//! Who may call what, by a policy in Rego (SPIRE 1.16's `auth_opa_policy_engine`).
//!
//! The policy is asked `data.spire.result` with the input `{caller, caller_file_path, full_method, req}`, and answers five
//! booleans. Rego is version 1. Builtins for strings, sets, regular expressions, globs, encodings and networks are there;
//! those for HTTP, time, JWT and schemas are not, and a policy that uses one is refused when it is loaded.

mod policy;
mod samples;

pub use policy::{LoadError, Policy};
