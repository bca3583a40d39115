//! The wire: messages, clients and servers, generated from `proto/` by `cargo run -p xtask -- proto` and checked in.
//!
//! Modules are packages. A service `Entry` of `spire.api.server.entry.v1` is
//! [`spire::api::server::entry::v1::entry_server`] and [`spire::api::server::entry::v1::entry_client`].
//! The Workload API has no package; it is [`workload`].

mod digest;

pub use digest::SetDigest;

/// All of `proto/` as a serialized `google.protobuf.FileDescriptorSet`, imports included, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!("gen/descriptors.bin");

macro_rules! generated {
    ($(#[$doc:meta])* $name:ident, $file:literal) => {
        $(#[$doc])*
        #[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
        pub mod $name {
            include!(concat!("gen/", $file, ".rs"));
        }
    };
}

generated!(
    /// The SPIFFE Workload API, which has no package on the wire.
    workload, "_"
);
generated!(
    /// The record that a server keeps of its authorities' stages.
    journal, "journal"
);

/// What SPIRE speaks.
pub mod spire {
    generated!(
        /// Messages that SPIRE stores.
        common, "spire.common"
    );

    /// Packages `spire.agent.…`.
    pub mod agent {
        /// Package `spire.agent.debug`.
        pub mod debug {
            generated!(
                /// How an agent is doing.
                v1, "spire.agent.debug.v1"
            );
        }
    }

    /// Packages `spire.api.…`.
    pub mod api {
        generated!(
            /// Messages that several services share.
            types, "spire.api.types"
        );

        /// Services of an agent's admin socket.
        pub mod agent {
            /// Package `spire.api.agent.delegatedidentity`.
            pub mod delegatedidentity {
                generated!(
                    /// SVIDs for workloads that a trusted delegate names.
                    v1, "spire.api.agent.delegatedidentity.v1"
                );
            }
            /// Package `spire.api.agent.logger`.
            pub mod logger {
                generated!(
                    /// The agent's log level.
                    v1, "spire.api.agent.logger.v1"
                );
            }
        }

        /// Services of a server.
        pub mod server {
            /// Package `spire.api.server.agent`.
            pub mod agent {
                generated!(
                    /// Attested nodes: attestation, renewal, bans, join tokens.
                    v1, "spire.api.server.agent.v1"
                );
            }
            /// Package `spire.api.server.bundle`.
            pub mod bundle {
                generated!(
                    /// Trust bundles, our own and federated ones.
                    v1, "spire.api.server.bundle.v1"
                );
            }
            /// Package `spire.api.server.debug`.
            pub mod debug {
                generated!(
                    /// How a server is doing.
                    v1, "spire.api.server.debug.v1"
                );
            }
            /// Package `spire.api.server.entry`.
            pub mod entry {
                generated!(
                    /// Registration entries.
                    v1, "spire.api.server.entry.v1"
                );
            }
            /// Package `spire.api.server.localauthority`.
            pub mod localauthority {
                generated!(
                    /// Rotation, tainting and revocation of a server's own authorities.
                    v1, "spire.api.server.localauthority.v1"
                );
            }
            /// Package `spire.api.server.logger`.
            pub mod logger {
                generated!(
                    /// The server's log level.
                    v1, "spire.api.server.logger.v1"
                );
            }
            /// Package `spire.api.server.svid`.
            pub mod svid {
                generated!(
                    /// Issues SVIDs.
                    v1, "spire.api.server.svid.v1"
                );
            }
            /// Package `spire.api.server.trustdomain`.
            pub mod trustdomain {
                generated!(
                    /// Federation relationships.
                    v1, "spire.api.server.trustdomain.v1"
                );
            }
        }
    }
}

/// What only we speak.
pub mod bonafide {
    /// Package `bonafide.feed`.
    pub mod feed {
        generated!(
            /// How an agent follows its server.
            v1, "bonafide.feed.v1"
        );
    }
}
