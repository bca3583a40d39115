//! What a role measures, over the facade `metrics`.
//!
//! A role declares all of its metrics in one place with [`metrics!`](crate::metrics!), each with its name, kind, labels
//! and meaning; nothing of ours can be emitted that is not in such a list, so a document can be compared with it. What
//! external plugins count comes beside it, by [`Set::emit`]. The names are
//! without the prefix and with dots, as SPIRE's sources spell them; what the sinks make of them is theirs to say.
//!
//! Until a recorder is [installed](Set::install), measuring does nothing and costs one look at a flag. From then on a
//! metric keeps the recorder's handle, so that counting is one addition without a lock.

mod call;
mod describe;
mod family;
mod kinds;
mod loose;
mod method;
mod set;
#[cfg(test)]
mod tests;

pub use call::{Call, RpcCalls, Running, code_name};
pub use describe::{Described, Kind};
pub use kinds::{Counter, Gauge, Sample};
pub use loose::Loose;
pub use method::method_name;
pub use set::{SAMPLE, Set, TIMER};

/// The facade, for whoever writes a recorder.
pub use ::metrics as facade;

/// Declares the metrics of a role: a [`Set`], a static for each metric, and `TABLE` with all of them.
///
/// ```
/// kit::metrics! {
///     /// What this role measures.
///     set METRICS;
///     /// Tokens that were made.
///     counter TOKENS = "token.made", [];
///     /// How long it took to reach a peer, and how it ended.
///     call REACHED = "peer.reach", ["peer"];
/// }
/// TOKENS.add(1, &[]);
/// let call = REACHED.start(&["a"]);
/// call.done(tonic::Code::Ok);
/// assert_eq!(TABLE.len(), 2);
/// ```
#[macro_export]
macro_rules! metrics {
    (
        $(#[doc = $about:literal])*
        set $set:ident;
        $( $(#[doc = $help:literal])+ $kind:ident $name:ident = $key:literal, [$($label:literal),*]; )*
    ) => {
        $(#[doc = $about])*
        #[allow(unreachable_pub)] // how far it is seen is for the module around it to say
        pub static $set: $crate::metrics::Set = $crate::metrics::Set::new();
        $(
            $(#[doc = $help])+
            #[allow(unreachable_pub)]
            pub static $name: $crate::metric_kind!($kind) =
                <$crate::metric_kind!($kind)>::new(&$set, $key, &[$($label),*], concat!($($help),+));
        )*
        /// Every metric of this role.
        #[allow(unreachable_pub)]
        pub static TABLE: &[&(dyn $crate::metrics::Described + Sync)] = &[$(&$name),*];
    };
}

/// The type behind a word of [`metrics!`](crate::metrics!).
#[doc(hidden)]
#[macro_export]
macro_rules! metric_kind {
    (counter) => {
        $crate::metrics::Counter
    };
    (gauge) => {
        $crate::metrics::Gauge
    };
    (sample) => {
        $crate::metrics::Sample
    };
    (call) => {
        $crate::metrics::Call
    };
    (rpc) => {
        $crate::metrics::RpcCalls
    };
}
