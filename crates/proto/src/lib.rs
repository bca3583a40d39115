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

/// What Envoy speaks, as far as the discovery of secrets needs it.
pub mod envoy {
    /// Packages `envoy.config.…`.
    pub mod config {
        /// Package `envoy.config.core`.
        pub mod core {
            generated!(
                /// Who asks, and where bytes are to be had.
                v3, "envoy.config.core.v3"
            );
        }
    }
    /// Packages `envoy.type.…`.
    pub mod r#type {
        generated!(
            /// Versions.
            v3, "envoy.r#type.v3"
        );
    }
    /// Packages `envoy.service.…`.
    pub mod service {
        /// Package `envoy.service.discovery`.
        pub mod discovery {
            generated!(
                /// How resources of one type are asked for and followed.
                v3, "envoy.service.discovery.v3"
            );
        }
        /// Package `envoy.service.secret`.
        pub mod secret {
            generated!(
                /// The discovery of secrets.
                v3, "envoy.service.secret.v3"
            );
        }
    }
    /// Packages `envoy.extensions.…`.
    pub mod extensions {
        /// Packages `envoy.extensions.transport_sockets.…`.
        pub mod transport_sockets {
            /// Package `envoy.extensions.transport_sockets.tls`.
            pub mod tls {
                generated!(
                    /// Secrets.
                    v3, "envoy.extensions.transport_sockets.tls.v3"
                );
            }
        }
    }
}

/// What Google's APIs share.
pub mod google {
    generated!(
        /// Errors inside messages.
        rpc, "google.rpc"
    );
}

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

    /// What the host has for plugins.
    pub mod hostservice {
        /// On both sides.
        pub mod common {
            /// Package `spire.hostservice.common.metrics`.
            pub mod metrics {
                generated!(
                    /// Where plugins count.
                    v1, "spire.hostservice.common.metrics.v1"
                );
            }
        }
        /// In the server.
        pub mod server {
            /// Package `spire.hostservice.server.agentstore`.
            pub mod agentstore {
                generated!(
                    /// The agents that the server knows.
                    v1, "spire.hostservice.server.agentstore.v1"
                );
            }
            /// Package `spire.hostservice.server.identityprovider`.
            pub mod identityprovider {
                generated!(
                    /// The server's own identity.
                    v1, "spire.hostservice.server.identityprovider.v1"
                );
            }
        }
    }

    /// What plugins have for the host.
    pub mod plugin {
        generated!(
            /// Messages that several plugin services share.
            types, "spire.plugin.types"
        );

        /// Plugins of an agent.
        pub mod agent {
            /// Package `spire.plugin.agent.keymanager`.
            pub mod keymanager {
                generated!(
                    /// Keys of an agent.
                    v1, "spire.plugin.agent.keymanager.v1"
                );
            }
            /// Package `spire.plugin.agent.nodeattestor`.
            pub mod nodeattestor {
                generated!(
                    /// The agent's half of a node attestor.
                    v1, "spire.plugin.agent.nodeattestor.v1"
                );
            }
            /// Package `spire.plugin.agent.svidstore`.
            pub mod svidstore {
                generated!(
                    /// SVIDs kept elsewhere.
                    v1, "spire.plugin.agent.svidstore.v1"
                );
            }
            /// Package `spire.plugin.agent.workloadattestor`.
            pub mod workloadattestor {
                generated!(
                    /// What is known of processes.
                    v1, "spire.plugin.agent.workloadattestor.v1"
                );
            }
        }

        /// Plugins of a server.
        pub mod server {
            /// Package `spire.plugin.server.bundlepublisher`.
            pub mod bundlepublisher {
                generated!(
                    /// Where the bundle is published.
                    v1, "spire.plugin.server.bundlepublisher.v1"
                );
            }
            /// Package `spire.plugin.server.credentialcomposer`.
            pub mod credentialcomposer {
                generated!(
                    /// What stands in credentials.
                    v1, "spire.plugin.server.credentialcomposer.v1"
                );
            }
            /// Package `spire.plugin.server.keymanager`.
            pub mod keymanager {
                generated!(
                    /// Keys of a server.
                    v1, "spire.plugin.server.keymanager.v1"
                );
            }
            /// Package `spire.plugin.server.nodeattestor`.
            pub mod nodeattestor {
                generated!(
                    /// The server's half of a node attestor.
                    v1, "spire.plugin.server.nodeattestor.v1"
                );
            }
            /// Package `spire.plugin.server.notifier`.
            pub mod notifier {
                generated!(
                    /// Who is told of what happens.
                    v1, "spire.plugin.server.notifier.v1"
                );
            }
            /// Package `spire.plugin.server.upstreamauthority`.
            pub mod upstreamauthority {
                generated!(
                    /// The authority above a server.
                    v1, "spire.plugin.server.upstreamauthority.v1"
                );
            }
        }
    }

    /// Services that every plugin has.
    pub mod service {
        /// Services for whoever writes a plugin.
        pub mod common {
            /// Package `spire.service.common.config`.
            pub mod config {
                generated!(
                    /// A plugin's settings.
                    v1, "spire.service.common.config.v1"
                );
            }
        }
        /// Services of the plugin protocol itself.
        pub mod private {
            /// Package `spire.service.private.init`.
            pub mod init {
                generated!(
                    /// The first and the last call.
                    v1, "spire.service.private.init.v1"
                );
            }
        }
    }
}

generated!(
    /// HashiCorp's go-plugin, which carries external plugins.
    plugin, "plugin"
);

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
