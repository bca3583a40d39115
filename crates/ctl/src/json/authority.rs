//! A server's own authorities.

use proto::spire::api::server::localauthority::v1::{
    ActivateJwtAuthorityResponse, ActivateX509AuthorityResponse, AuthorityState,
    GetJwtAuthorityStateResponse, GetX509AuthorityStateResponse, PrepareJwtAuthorityResponse,
    PrepareX509AuthorityResponse, RevokeJwtAuthorityResponse, RevokeX509AuthorityResponse,
    RevokeX509UpstreamAuthorityResponse, TaintJwtAuthorityResponse, TaintX509AuthorityResponse,
    TaintX509UpstreamAuthorityResponse,
};
use serde_json::{Value, json};

use super::{ToJson, long, maybe, present};

impl ToJson for AuthorityState {
    fn to_json(&self) -> Value {
        json!({
            "authority_id": self.authority_id,
            "expires_at": long(self.expires_at),
            "upstream_authority_subject_key_id": self.upstream_authority_subject_key_id,
        })
    }
}

/// Messages whose members are authorities that may be absent.
macro_rules! of_authorities {
    ($($message:ty: $($member:ident)+;)+) => {$(
        impl ToJson for $message {
            fn to_json(&self) -> Value {
                present(json!({$(stringify!($member): maybe(self.$member.as_ref()),)+}))
            }
        }
    )+};
}

of_authorities! {
    GetX509AuthorityStateResponse: active prepared old;
    GetJwtAuthorityStateResponse: active prepared old;
    PrepareX509AuthorityResponse: prepared_authority;
    PrepareJwtAuthorityResponse: prepared_authority;
    ActivateX509AuthorityResponse: activated_authority;
    ActivateJwtAuthorityResponse: activated_authority;
    TaintX509AuthorityResponse: tainted_authority;
    TaintJwtAuthorityResponse: tainted_authority;
    RevokeX509AuthorityResponse: revoked_authority;
    RevokeJwtAuthorityResponse: revoked_authority;
}

impl ToJson for TaintX509UpstreamAuthorityResponse {
    fn to_json(&self) -> Value {
        json!({"upstream_authority_subject_key_id": self.upstream_authority_subject_key_id})
    }
}

impl ToJson for RevokeX509UpstreamAuthorityResponse {
    fn to_json(&self) -> Value {
        json!({"upstream_authority_subject_key_id": self.upstream_authority_subject_key_id})
    }
}
