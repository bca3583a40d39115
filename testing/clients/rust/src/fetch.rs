//! One-shot calls: everything once, and the judgement of a token.

use serde_json::json;
use spiffe_client::{JwtSvid, SpiffeId, WorkloadApiClient, X509Context};

use crate::{Failure, show};

pub(crate) async fn fetch(audience: &str) -> Result<(), Failure> {
    let client = WorkloadApiClient::connect_env().await?;
    let context = client.fetch_x509_context().await?;
    let token = client.fetch_jwt_svid([audience], None).await?;
    let keys = client.fetch_jwt_bundles().await?;
    let ours = keys.get(token.spiffe_id().trust_domain()).ok_or("no JWT bundle of our trust domain")?;

    let mut x509 = describe(&context)?;
    let chain = context.default_svid().ok_or("no default SVID")?.cert_chain().len();
    x509["chain"] = json!(chain);
    show(&json!({
        "x509": x509,
        "jwt": {
            "id": token.spiffe_id().to_string(),
            "audience": token.audience(),
            "expires": token.expiry().unix_timestamp(),
            "authorities": ours.jwt_authorities().count(),
            "token": token.token(),
        },
        "bundles": context.bundle_set().len(),
    }));
    Ok(())
}

/// Lets the agent judge the token, then judges it with the bundle; both must agree.
pub(crate) async fn validate(token: &str, audience: &str) -> Result<(), Failure> {
    let client = WorkloadApiClient::connect_env().await?;
    let by_agent = client.validate_jwt_token(audience, token).await?;
    let keys = client.fetch_jwt_bundles().await?;
    let by_bundle = JwtSvid::parse_and_validate(token, &keys, &[audience])?;
    if by_agent.spiffe_id() != by_bundle.spiffe_id() {
        return Err(
            format!("the agent says {}, the token {}", by_agent.spiffe_id(), by_bundle.spiffe_id()).into()
        );
    }
    show(&json!({ "id": by_agent.spiffe_id().to_string(), "audience": by_agent.audience() }));
    Ok(())
}

/// The default SVID of a context, as the other clients describe theirs.
pub(crate) fn describe(context: &X509Context) -> Result<serde_json::Value, Failure> {
    let svid = context.default_svid().ok_or("no default SVID")?;
    let id: &SpiffeId = svid.spiffe_id();
    let bundle = context.bundle_set().get(id.trust_domain()).ok_or("no bundle of our trust domain")?;
    let (_, leaf) = x509_parser::parse_x509_certificate(svid.leaf().as_bytes())?;
    Ok(json!({
        "id": id.to_string(),
        "not_after": leaf.validity().not_after.timestamp(),
        "serial": leaf.serial.to_string(),
        "authorities": bundle.authorities().len(),
    }))
}
