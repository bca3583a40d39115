//! The authorization table (SPIRE 1.16's default policy, `reference` of each row: its Server API documentation).

use model::ports::CallVerdict;

/// Kinds of callers, as a set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Who(u8);

impl Who {
    /// Everyone who can connect.
    pub const ANY: Who = Who(1);
    /// Whoever can open the admin socket.
    pub const LOCAL: Who = Who(2);
    /// A holder of an admin entry, or of an ID among `admin_ids`.
    pub const ADMIN: Who = Who(4);
    /// An attested agent with its active SVID.
    pub const AGENT: Who = Who(8);
    /// A holder of a downstream entry.
    pub const DOWNSTREAM: Who = Who(16);
    const OPERATOR: Who = Who(2 | 4);
    const OPERATOR_OR_AGENT: Who = Who(2 | 4 | 8);

    /// The kinds of which a policy says that they are let in.
    pub(super) fn by(verdict: CallVerdict) -> Self {
        let kinds = [
            (verdict.allow_if_admin, Self::ADMIN),
            (verdict.allow_if_local, Self::LOCAL),
            (verdict.allow_if_downstream, Self::DOWNSTREAM),
            (verdict.allow_if_agent, Self::AGENT),
        ];
        Self(kinds.into_iter().filter(|(says, _)| *says).fold(0, |all, (_, kind)| all | kind.0))
    }

    /// Both sets.
    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the set has this kind.
    pub fn includes(self, kind: Who) -> bool {
        self.0 & kind.0 != 0
    }
}

/// One method and who may call it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// `/package.Service/Method`
    pub method: &'static str,
    /// Its callers.
    pub who: Who,
    /// Whether it is served on the admin socket alone.
    pub socket_only: bool,
}

const fn row(method: &'static str, who: Who) -> Row {
    Row { method, who, socket_only: false }
}

const fn socket(method: &'static str, who: Who) -> Row {
    Row { method, who, socket_only: true }
}

/// The method by which our agents are told of changes.
pub const FEED: &str = "/bonafide.feed.v1.Feed/Subscribe";

/// A method that the health service has had since 2025, and that neither SPIRE 1.16 nor this server fills.
pub(super) const HEALTH_LIST: &str = "/grpc.health.v1.Health/List";

/// Every method of the server.
pub const TABLE: &[Row] = &[
    row("/spire.api.server.agent.v1.Agent/CountAgents", Who::OPERATOR),
    row("/spire.api.server.agent.v1.Agent/ListAgents", Who::OPERATOR),
    row("/spire.api.server.agent.v1.Agent/GetAgent", Who::OPERATOR),
    row("/spire.api.server.agent.v1.Agent/DeleteAgent", Who::OPERATOR),
    row("/spire.api.server.agent.v1.Agent/BanAgent", Who::OPERATOR),
    row("/spire.api.server.agent.v1.Agent/CreateJoinToken", Who::OPERATOR),
    row("/spire.api.server.agent.v1.Agent/AttestAgent", Who::ANY),
    row("/spire.api.server.agent.v1.Agent/RenewAgent", Who::AGENT),
    row("/spire.api.server.agent.v1.Agent/PostStatus", Who::AGENT),
    row("/spire.api.server.bundle.v1.Bundle/GetBundle", Who::ANY),
    row("/spire.api.server.bundle.v1.Bundle/AppendBundle", Who::OPERATOR),
    row("/spire.api.server.bundle.v1.Bundle/CountBundles", Who::OPERATOR),
    row("/spire.api.server.bundle.v1.Bundle/ListFederatedBundles", Who::OPERATOR),
    row("/spire.api.server.bundle.v1.Bundle/GetFederatedBundle", Who::OPERATOR_OR_AGENT),
    row("/spire.api.server.bundle.v1.Bundle/BatchCreateFederatedBundle", Who::OPERATOR),
    row("/spire.api.server.bundle.v1.Bundle/BatchUpdateFederatedBundle", Who::OPERATOR),
    row("/spire.api.server.bundle.v1.Bundle/BatchSetFederatedBundle", Who::OPERATOR),
    row("/spire.api.server.bundle.v1.Bundle/BatchDeleteFederatedBundle", Who::OPERATOR),
    row("/spire.api.server.bundle.v1.Bundle/PublishJWTAuthority", Who::DOWNSTREAM),
    row("/spire.api.server.bundle.v1.Bundle/PublishWITAuthority", Who::DOWNSTREAM),
    row("/spire.api.server.entry.v1.Entry/CountEntries", Who::OPERATOR),
    row("/spire.api.server.entry.v1.Entry/ListEntries", Who::OPERATOR),
    row("/spire.api.server.entry.v1.Entry/GetEntry", Who::OPERATOR),
    row("/spire.api.server.entry.v1.Entry/BatchCreateEntry", Who::OPERATOR),
    row("/spire.api.server.entry.v1.Entry/BatchUpdateEntry", Who::OPERATOR),
    row("/spire.api.server.entry.v1.Entry/BatchDeleteEntry", Who::OPERATOR),
    row("/spire.api.server.entry.v1.Entry/GetAuthorizedEntries", Who::AGENT),
    row("/spire.api.server.entry.v1.Entry/SyncAuthorizedEntries", Who::AGENT),
    row("/spire.api.server.svid.v1.SVID/MintX509SVID", Who::OPERATOR),
    row("/spire.api.server.svid.v1.SVID/MintJWTSVID", Who::OPERATOR),
    row("/spire.api.server.svid.v1.SVID/MintWITSVID", Who::OPERATOR),
    row("/spire.api.server.svid.v1.SVID/BatchNewX509SVID", Who::AGENT),
    row("/spire.api.server.svid.v1.SVID/NewJWTSVID", Who::AGENT),
    row("/spire.api.server.svid.v1.SVID/BatchNewWITSVID", Who::AGENT),
    row("/spire.api.server.svid.v1.SVID/NewDownstreamX509CA", Who::DOWNSTREAM),
    row("/spire.api.server.trustdomain.v1.TrustDomain/ListFederationRelationships", Who::OPERATOR),
    row("/spire.api.server.trustdomain.v1.TrustDomain/GetFederationRelationship", Who::OPERATOR),
    row("/spire.api.server.trustdomain.v1.TrustDomain/BatchCreateFederationRelationship", Who::OPERATOR),
    row("/spire.api.server.trustdomain.v1.TrustDomain/BatchUpdateFederationRelationship", Who::OPERATOR),
    row("/spire.api.server.trustdomain.v1.TrustDomain/BatchDeleteFederationRelationship", Who::OPERATOR),
    row("/spire.api.server.trustdomain.v1.TrustDomain/RefreshBundle", Who::OPERATOR),
    row("/spire.api.server.localauthority.v1.LocalAuthority/GetJWTAuthorityState", Who::OPERATOR),
    row("/spire.api.server.localauthority.v1.LocalAuthority/GetX509AuthorityState", Who::OPERATOR),
    row("/spire.api.server.localauthority.v1.LocalAuthority/GetWITAuthorityState", Who::OPERATOR),
    row("/spire.api.server.localauthority.v1.LocalAuthority/PrepareJWTAuthority", Who::OPERATOR),
    row("/spire.api.server.localauthority.v1.LocalAuthority/PrepareX509Authority", Who::OPERATOR),
    row("/spire.api.server.localauthority.v1.LocalAuthority/PrepareWITAuthority", Who::OPERATOR),
    row("/spire.api.server.localauthority.v1.LocalAuthority/ActivateJWTAuthority", Who::OPERATOR),
    row("/spire.api.server.localauthority.v1.LocalAuthority/ActivateX509Authority", Who::OPERATOR),
    row("/spire.api.server.localauthority.v1.LocalAuthority/ActivateWITAuthority", Who::OPERATOR),
    row("/spire.api.server.localauthority.v1.LocalAuthority/TaintJWTAuthority", Who::OPERATOR),
    row("/spire.api.server.localauthority.v1.LocalAuthority/TaintX509Authority", Who::OPERATOR),
    row("/spire.api.server.localauthority.v1.LocalAuthority/TaintWITAuthority", Who::OPERATOR),
    row("/spire.api.server.localauthority.v1.LocalAuthority/RevokeJWTAuthority", Who::OPERATOR),
    row("/spire.api.server.localauthority.v1.LocalAuthority/RevokeX509Authority", Who::OPERATOR),
    row("/spire.api.server.localauthority.v1.LocalAuthority/RevokeWITAuthority", Who::OPERATOR),
    row("/spire.api.server.localauthority.v1.LocalAuthority/TaintX509UpstreamAuthority", Who::OPERATOR),
    row("/spire.api.server.localauthority.v1.LocalAuthority/RevokeX509UpstreamAuthority", Who::OPERATOR),
    row(FEED, Who::AGENT),
    socket("/spire.api.server.logger.v1.Logger/GetLogger", Who::LOCAL),
    socket("/spire.api.server.logger.v1.Logger/SetLogLevel", Who::LOCAL),
    socket("/spire.api.server.logger.v1.Logger/ResetLogLevel", Who::LOCAL),
    socket("/spire.api.server.debug.v1.Debug/GetInfo", Who::LOCAL),
    socket("/grpc.health.v1.Health/Check", Who::LOCAL),
    // Answered as SPIRE 1.16 does: the method is not implemented.
    socket(HEALTH_LIST, Who::LOCAL),
    socket("/grpc.health.v1.Health/Watch", Who::LOCAL),
    socket("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Who::LOCAL),
    socket("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Who::LOCAL),
];

/// The method by whose name a policy judges this one; none if only the table does. Our agents' feed gives what SPIRE's
/// agents get by syncing, so a policy that knows only SPIRE's methods holds for both.
pub(super) fn judged_as(method: &'static str) -> Option<&'static str> {
    match method {
        FEED => Some("/spire.api.server.entry.v1.Entry/SyncAuthorizedEntries"),
        other => (!other.contains("reflection")).then_some(other),
    }
}

/// The row of a method, if it has one.
pub fn find(method: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.method == method)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_one_row() {
        for (index, row) in TABLE.iter().enumerate() {
            assert!(
                TABLE.iter().skip(index + 1).all(|other| other.method != row.method),
                "{} twice",
                row.method
            );
        }
    }
}
