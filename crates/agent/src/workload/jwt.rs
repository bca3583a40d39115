//! FetchJWTSVID and ValidateJWTSVID.

use proto::workload::{
    Jwtsvid, JwtsvidRequest, JwtsvidResponse, ValidateJwtsvidRequest, ValidateJwtsvidResponse,
};
use spiffe::SpiffeId;
use spiffe::jwt::JwtSvid;
use tonic::Status;

use super::api::Shared;
use super::caller::Caller;
use super::claims;
use super::method::Method;

impl Shared {
    pub(super) async fn fetch_jwt_svid(
        &self,
        caller: &Caller,
        asked: JwtsvidRequest,
    ) -> Result<JwtsvidResponse, Status> {
        const METHOD: Method = Method::JwtSvid;
        if asked.audience.is_empty() {
            return Err(Status::invalid_argument("audience must be specified"));
        }
        if !asked.spiffe_id.is_empty() {
            SpiffeId::parse(&asked.spiffe_id)
                .map_err(|error| Status::invalid_argument(format!("invalid requested SPIFFE ID: {error}")))?;
        }
        let selectors = self.admit(caller, METHOD).await?;
        let mut svids = Vec::new();
        for entry in self.cache.matching(&selectors) {
            if !asked.spiffe_id.is_empty() && asked.spiffe_id != entry.spiffe_id.as_str() {
                continue;
            }
            let held = self.jwt.get(&entry, &asked.audience).await.map_err(|error| {
                tracing::error!(subsystem_name = "endpoints", service = "WorkloadAPI", method = METHOD.name(), pid = caller.pid(), spiffe_id = entry.spiffe_id.as_str(), error = %error, "Could not fetch JWT-SVID");
                Status::unavailable(format!("could not fetch JWT-SVID: {error}"))
            })?;
            svids.push(Jwtsvid {
                spiffe_id: entry.spiffe_id.as_str().to_owned(),
                svid: held.token.to_string(),
                hint: entry.hint.clone(),
            });
        }
        match svids.is_empty() {
            true => Err(self.no_identity(caller, METHOD, &selectors)),
            false => Ok(JwtsvidResponse { svids }),
        }
    }

    pub(super) async fn validate_jwt_svid(
        &self,
        caller: &Caller,
        asked: ValidateJwtsvidRequest,
    ) -> Result<ValidateJwtsvidResponse, Status> {
        const METHOD: Method = Method::ValidateJwtSvid;
        if asked.audience.is_empty() {
            return Err(Status::invalid_argument("audience must be specified"));
        }
        if asked.svid.is_empty() {
            return Err(Status::invalid_argument("svid must be specified"));
        }
        let selectors = self.admit(caller, METHOD).await?;
        let bundles = self.cache.bundles(&selectors);
        let verified = JwtSvid::verify(&asked.svid, &bundles, &[&asked.audience], self.clock.now());
        let verified = verified.map_err(|error| {
            tracing::warn!(subsystem_name = "endpoints", service = "WorkloadAPI", method = METHOD.name(), pid = caller.pid(), error = %error, "Failed to validate JWT");
            Status::invalid_argument(error.to_string())
        })?;
        let foreign = !verified.id().member_of(self.cache.trust_domain());
        Ok(ValidateJwtsvidResponse {
            spiffe_id: verified.id().as_str().to_owned(),
            claims: Some(claims::returned(verified.claims_json(), foreign, &self.allowed_foreign_jwt_claims)),
        })
    }
}
