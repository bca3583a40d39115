//! `spire.api.server.localauthority.v1.LocalAuthority`: this server's own authorities, shown and moved on by operators.

use model::UnixTime;
use proto::spire::api::server::localauthority::v1 as wire;
use tonic::{Code, Request, Response, Status};

use super::failure::{refuse, refuse_for, registry_code};
use crate::authority::{Authorities, AuthorityState, Family, OrderError, Stage};
use crate::authz::Caller;

/// The service.
pub struct LocalAuthorityApi {
    authorities: Authorities,
}

type Answer<T> = Result<Response<T>, Status>;

impl LocalAuthorityApi {
    /// Shows and moves on `authorities`.
    pub fn new(authorities: Authorities) -> Self {
        Self { authorities }
    }

    /// The active, the prepared and the old authority of a family.
    fn stages(&self, family: Family) -> Result<[Option<wire::AuthorityState>; 3], Status> {
        let states = self.authorities.family(family).map_err(|e| failed(Doing::Showing(family), e))?;
        let of = |stage| states.iter().find(|state| state.stage == stage).map(whole);
        Ok([of(Stage::Active), of(Stage::Prepared), of(Stage::Old)])
    }

    async fn prepare<T>(&self, request: &Request<T>, family: Family) -> Result<wire::AuthorityState, Status> {
        let grant = Caller::of(request)?.require_admin()?;
        let done = self.authorities.prepare(&grant, family).await;
        done.map(|state| whole(&state)).map_err(|e| failed(Doing::Preparing(family), e))
    }

    async fn activate<T>(
        &self,
        request: &Request<T>,
        family: Family,
        id: &str,
    ) -> Result<wire::AuthorityState, Status> {
        let grant = Caller::of(request)?.require_admin()?;
        let done = self.authorities.activate(&grant, family, id.to_owned()).await;
        done.map(|state| whole(&state)).map_err(|e| failed(Doing::Activating(family), e))
    }

    async fn taint<T>(
        &self,
        request: &Request<T>,
        family: Family,
        id: &str,
    ) -> Result<wire::AuthorityState, Status> {
        let grant = Caller::of(request)?.require_admin()?;
        let done = self.authorities.taint(&grant, family, id.to_owned()).await;
        done.map(|state| whole(&state)).map_err(|e| failed(Doing::Tainting(family), e))
    }

    async fn revoke<T>(
        &self,
        request: &Request<T>,
        family: Family,
        id: &str,
    ) -> Result<wire::AuthorityState, Status> {
        let grant = Caller::of(request)?.require_admin()?;
        let done = self.authorities.revoke(&grant, family, id.to_owned()).await;
        done.map(|()| named(id)).map_err(|e| failed(Doing::Revoking(family), e))
    }
}

/// As much of an authority as SPIRE 1.16 tells of one that goes.
fn named(id: &str) -> wire::AuthorityState {
    wire::AuthorityState { authority_id: id.to_owned(), ..wire::AuthorityState::default() }
}

fn whole(state: &AuthorityState) -> wire::AuthorityState {
    wire::AuthorityState {
        authority_id: state.id.clone(),
        expires_at: UnixTime::of(state.expires_at).0,
        upstream_authority_subject_key_id: state.upstream_id.clone(),
    }
}

/// What was being done, for the words of a refusal.
#[derive(Clone, Copy)]
enum Doing {
    Showing(Family),
    Preparing(Family),
    Activating(Family),
    Tainting(Family),
    Revoking(Family),
    TaintingUpstream,
    RevokingUpstream,
}

impl Doing {
    fn failed(self) -> &'static str {
        match self {
            Doing::Showing(Family::X509) => "failed to show X.509 authorities",
            Doing::Showing(Family::Jwt) => "failed to show JWT authorities",
            Doing::Preparing(Family::X509) => "failed to prepare X.509 authority",
            Doing::Preparing(Family::Jwt) => "failed to prepare JWT authority",
            Doing::Activating(Family::X509) => "failed to activate X.509 authority",
            Doing::Activating(Family::Jwt) => "failed to activate JWT authority",
            Doing::Tainting(Family::X509) => "failed to taint X.509 authority",
            Doing::Tainting(Family::Jwt) => "failed to taint JWT authority",
            Doing::Revoking(Family::X509) => "failed to revoke X.509 authority",
            Doing::Revoking(Family::Jwt) => "failed to revoke JWT authority",
            Doing::TaintingUpstream => "failed to taint upstream authority",
            Doing::RevokingUpstream => "failed to revoke X.509 upstream authority",
        }
    }

    /// What stands before the reason when the authority is not one that this can be done to.
    fn invalid(self) -> &'static str {
        match self {
            Doing::TaintingUpstream => "provided subject key id is not valid",
            Doing::RevokingUpstream => "invalid subject key ID",
            _ => "invalid authority ID",
        }
    }
}

/// A refusal in SPIRE 1.16's words, which differ by method; the code is that of the cause also where SPIRE says
/// `Internal` for what the caller did.
fn failed(doing: Doing, error: OrderError) -> Status {
    let message = error.to_string();
    match (&error, doing) {
        (OrderError::Initializing, _) => refuse(Code::Unavailable, &message),
        (OrderError::JwtDisabled, _) => refuse(Code::Unimplemented, &message),
        (OrderError::NoUpstream, _) => refuse(Code::FailedPrecondition, &message),
        (OrderError::Upstream, Doing::Tainting(_)) => refuse(
            Code::FailedPrecondition,
            "local authority can't be tainted if there is an upstream authority",
        ),
        (OrderError::Upstream, _) => refuse(
            Code::FailedPrecondition,
            "local authority can't be revoked if there is an upstream authority",
        ),
        (OrderError::Stopped, _) => refuse(Code::Unavailable, &message),
        (OrderError::Registry(cause), _) => refuse_for(registry_code(cause), doing.failed(), cause),
        (OrderError::Failed(_), _) => refuse_for(Code::Internal, doing.failed(), message),
        (OrderError::Unknown, Doing::Revoking(Family::Jwt)) => {
            invalid(doing, "no JWT authority found with provided authority ID")
        }
        (OrderError::NotInBundle { .. }, _) => refuse_for(Code::NotFound, doing.failed(), message),
        (OrderError::AlreadyTainted(_) | OrderError::NotTainted(_), _) => {
            refuse_for(Code::FailedPrecondition, doing.failed(), message)
        }
        (OrderError::NoName, Doing::Activating(_) | Doing::Tainting(_)) => {
            refuse(Code::InvalidArgument, &message)
        }
        (OrderError::NoName, Doing::TaintingUpstream | Doing::RevokingUpstream) => {
            invalid(doing, "no subject key ID provided")
        }
        (OrderError::NoName, _) => invalid(doing, &message),
        (OrderError::Active, Doing::Tainting(_)) => {
            refuse(Code::InvalidArgument, "unable to taint current local authority")
        }
        (OrderError::Active, Doing::TaintingUpstream | Doing::RevokingUpstream) => {
            invalid(doing, "unable to use upstream authority signing current authority")
        }
        (OrderError::Active, Doing::Activating(_)) => {
            refuse(Code::InvalidArgument, "unexpected authority ID")
        }
        (OrderError::Active, _) => invalid(doing, "unable to use current authority"),
        (OrderError::Unknown, Doing::Revoking(_)) => {
            invalid(doing, "only Old local authority can be revoked")
        }
        (OrderError::Unknown, Doing::TaintingUpstream | Doing::RevokingUpstream) => {
            invalid(doing, "upstream authority didn't sign the old local authority")
        }
        (OrderError::Unknown, _) => refuse(Code::InvalidArgument, "unexpected authority ID"),
        (OrderError::Stage(_), Doing::Activating(_)) => {
            refuse_for(Code::FailedPrecondition, "only Prepared authorities can be activated", message)
        }
        (OrderError::Stage(_), Doing::Tainting(_)) => {
            refuse_for(Code::InvalidArgument, "only Old local authorities can be tainted", message)
        }
        (OrderError::Stage(_), Doing::Revoking(Family::Jwt)) => {
            invalid(doing, "unable to use a prepared key")
        }
        (OrderError::Stage(_), Doing::TaintingUpstream | Doing::RevokingUpstream) => {
            invalid(doing, "only upstream authorities signing an old authority can be used")
        }
        (OrderError::Stage(_), _) => invalid(doing, "only Old local authority can be revoked"),
    }
}

fn invalid(doing: Doing, why: &str) -> Status {
    refuse_for(Code::InvalidArgument, doing.invalid(), why)
}

/// What SPIRE 1.16 answers: there are no WIT authorities yet.
fn no_wit<T>() -> Answer<T> {
    Err(refuse(Code::Unimplemented, "WIT-SVID functionality is not yet implemented"))
}

#[tonic::async_trait]
impl wire::local_authority_server::LocalAuthority for LocalAuthorityApi {
    async fn get_jwt_authority_state(
        &self,
        _: Request<wire::GetJwtAuthorityStateRequest>,
    ) -> Answer<wire::GetJwtAuthorityStateResponse> {
        let [active, prepared, old] = self.stages(Family::Jwt)?;
        Ok(Response::new(wire::GetJwtAuthorityStateResponse { active, prepared, old }))
    }

    async fn prepare_jwt_authority(
        &self,
        request: Request<wire::PrepareJwtAuthorityRequest>,
    ) -> Answer<wire::PrepareJwtAuthorityResponse> {
        let prepared_authority = Some(self.prepare(&request, Family::Jwt).await?);
        Ok(Response::new(wire::PrepareJwtAuthorityResponse { prepared_authority }))
    }

    async fn activate_jwt_authority(
        &self,
        request: Request<wire::ActivateJwtAuthorityRequest>,
    ) -> Answer<wire::ActivateJwtAuthorityResponse> {
        let done = self.activate(&request, Family::Jwt, &request.get_ref().authority_id).await?;
        Ok(Response::new(wire::ActivateJwtAuthorityResponse { activated_authority: Some(done) }))
    }

    async fn taint_jwt_authority(
        &self,
        request: Request<wire::TaintJwtAuthorityRequest>,
    ) -> Answer<wire::TaintJwtAuthorityResponse> {
        let done = self.taint(&request, Family::Jwt, &request.get_ref().authority_id).await?;
        // SPIRE 1.16 tells the name alone here.
        Ok(Response::new(wire::TaintJwtAuthorityResponse {
            tainted_authority: Some(named(&done.authority_id)),
        }))
    }

    async fn revoke_jwt_authority(
        &self,
        request: Request<wire::RevokeJwtAuthorityRequest>,
    ) -> Answer<wire::RevokeJwtAuthorityResponse> {
        let done = self.revoke(&request, Family::Jwt, &request.get_ref().authority_id).await?;
        Ok(Response::new(wire::RevokeJwtAuthorityResponse { revoked_authority: Some(done) }))
    }

    async fn get_x509_authority_state(
        &self,
        _: Request<wire::GetX509AuthorityStateRequest>,
    ) -> Answer<wire::GetX509AuthorityStateResponse> {
        let [active, prepared, old] = self.stages(Family::X509)?;
        Ok(Response::new(wire::GetX509AuthorityStateResponse { active, prepared, old }))
    }

    async fn prepare_x509_authority(
        &self,
        request: Request<wire::PrepareX509AuthorityRequest>,
    ) -> Answer<wire::PrepareX509AuthorityResponse> {
        let prepared_authority = Some(self.prepare(&request, Family::X509).await?);
        Ok(Response::new(wire::PrepareX509AuthorityResponse { prepared_authority }))
    }

    async fn activate_x509_authority(
        &self,
        request: Request<wire::ActivateX509AuthorityRequest>,
    ) -> Answer<wire::ActivateX509AuthorityResponse> {
        let done = self.activate(&request, Family::X509, &request.get_ref().authority_id).await?;
        Ok(Response::new(wire::ActivateX509AuthorityResponse { activated_authority: Some(done) }))
    }

    async fn taint_x509_authority(
        &self,
        request: Request<wire::TaintX509AuthorityRequest>,
    ) -> Answer<wire::TaintX509AuthorityResponse> {
        let done = self.taint(&request, Family::X509, &request.get_ref().authority_id).await?;
        Ok(Response::new(wire::TaintX509AuthorityResponse { tainted_authority: Some(done) }))
    }

    async fn taint_x509_upstream_authority(
        &self,
        request: Request<wire::TaintX509UpstreamAuthorityRequest>,
    ) -> Answer<wire::TaintX509UpstreamAuthorityResponse> {
        let grant = Caller::of(&request)?.require_admin()?;
        let id = request.into_inner().subject_key_id.to_ascii_lowercase();
        self.authorities
            .taint_upstream(&grant, id.clone())
            .await
            .map_err(|e| failed(Doing::TaintingUpstream, e))?;
        Ok(Response::new(wire::TaintX509UpstreamAuthorityResponse { upstream_authority_subject_key_id: id }))
    }

    async fn revoke_x509_authority(
        &self,
        request: Request<wire::RevokeX509AuthorityRequest>,
    ) -> Answer<wire::RevokeX509AuthorityResponse> {
        let done = self.revoke(&request, Family::X509, &request.get_ref().authority_id).await?;
        Ok(Response::new(wire::RevokeX509AuthorityResponse { revoked_authority: Some(done) }))
    }

    async fn revoke_x509_upstream_authority(
        &self,
        request: Request<wire::RevokeX509UpstreamAuthorityRequest>,
    ) -> Answer<wire::RevokeX509UpstreamAuthorityResponse> {
        let grant = Caller::of(&request)?.require_admin()?;
        let id = request.into_inner().subject_key_id.to_ascii_lowercase();
        self.authorities
            .revoke_upstream(&grant, id.clone())
            .await
            .map_err(|e| failed(Doing::RevokingUpstream, e))?;
        Ok(Response::new(wire::RevokeX509UpstreamAuthorityResponse { upstream_authority_subject_key_id: id }))
    }

    async fn get_wit_authority_state(
        &self,
        _: Request<wire::GetWitAuthorityStateRequest>,
    ) -> Answer<wire::GetWitAuthorityStateResponse> {
        no_wit()
    }

    async fn prepare_wit_authority(
        &self,
        _: Request<wire::PrepareWitAuthorityRequest>,
    ) -> Answer<wire::PrepareWitAuthorityResponse> {
        no_wit()
    }

    async fn activate_wit_authority(
        &self,
        _: Request<wire::ActivateWitAuthorityRequest>,
    ) -> Answer<wire::ActivateWitAuthorityResponse> {
        no_wit()
    }

    async fn taint_wit_authority(
        &self,
        _: Request<wire::TaintWitAuthorityRequest>,
    ) -> Answer<wire::TaintWitAuthorityResponse> {
        no_wit()
    }

    async fn revoke_wit_authority(
        &self,
        _: Request<wire::RevokeWitAuthorityRequest>,
    ) -> Answer<wire::RevokeWitAuthorityResponse> {
        no_wit()
    }
}
