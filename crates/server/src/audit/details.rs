//! What a record may say of a request, beside who asked and what came of it.

use aws_lc_rs::digest;
use proto::spire::api::types::federation_relationship::BundleEndpointProfile;
use proto::spire::api::types::{Entry, FederationRelationship, Selector, Spiffeid, Status};

/// A status of an item: its code and its message. `None` where the call's own status is meant.
pub(super) type Outcome = Option<(i32, String)>;

macro_rules! details {
    ($($(#[doc = $doc:literal])? $name:ident),* $(,)?) => {
        /// The fields of one record; what does not apply is not said.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub(super) struct Details {
            $($(#[doc = $doc])? pub(super) $name: Option<String>,)*
            pub(super) outcome: Outcome,
        }

        impl Details {
            /// Writes the record. The span around it says who asked.
            pub(super) fn write(&self, status: &str, code: Option<&str>, message: Option<&str>) {
                tracing::info!(
                    r#type = "audit",
                    status,
                    status_code = code,
                    status_message = message,
                    $($name = self.$name.as_deref(),)*
                    "API accessed"
                );
            }
        }
    };
}

details!(
    admin,
    agent_id,
    agent_version,
    audience,
    bundle_endpoint_profile,
    bundle_endpoint_url,
    by_banned,
    by_can_reattest,
    csr,
    dns_name,
    downstream,
    endpoint_spiffe_id,
    entry_id,
    expires_at,
    federates_with,
    hint,
    jwt_authority_key_id,
    jwt_svid_ttl,
    local_authority_id,
    mode,
    new_log_level,
    node_attestor_type,
    parent_id,
    selectors,
    spiffe_id,
    subject_key_id,
    trust_domain_id,
    ttl,
    x509_svid_ttl,
);

/// Some text, if there is any.
pub(super) fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// A number that was chosen.
pub(super) fn number(number: impl Into<i64>) -> Option<String> {
    let number = number.into();
    (number != 0).then(|| number.to_string())
}

/// A SPIFFE ID as it is written.
pub(super) fn id(id: Option<&Spiffeid>) -> Option<String> {
    id.map(|id| format!("spiffe://{}{}", id.trust_domain, id.path))
}

/// Selectors as `type:value`, with commas between.
pub(super) fn selectors(selectors: &[Selector]) -> Option<String> {
    let all: Vec<String> = selectors.iter().map(|one| format!("{}:{}", one.r#type, one.value)).collect();
    text(&all.join(","))
}

/// The SHA-256 of bytes, in hexadecimal.
pub(super) fn hash(bytes: &[u8]) -> Option<String> {
    let digest = digest::digest(&digest::SHA256, bytes);
    (!bytes.is_empty()).then(|| digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The outcome of one item.
pub(super) fn outcome(status: Option<&Status>) -> Outcome {
    status.map(|status| (status.code, status.message.clone()))
}

/// An entry as it was asked for.
pub(super) fn entry(entry: &Entry) -> Details {
    let flag = |set: bool| set.then(|| "true".to_owned());
    Details {
        entry_id: text(&entry.id),
        spiffe_id: id(entry.spiffe_id.as_ref()),
        parent_id: id(entry.parent_id.as_ref()),
        selectors: selectors(&entry.selectors),
        x509_svid_ttl: number(entry.x509_svid_ttl),
        jwt_svid_ttl: number(entry.jwt_svid_ttl),
        federates_with: text(&entry.federates_with.join(",")),
        dns_name: text(&entry.dns_names.join(",")),
        admin: flag(entry.admin),
        downstream: flag(entry.downstream),
        expires_at: number(entry.expires_at),
        hint: text(&entry.hint),
        ..Details::default()
    }
}

/// A federation relationship as it was asked for.
pub(super) fn relationship(asked: &FederationRelationship) -> Details {
    let (profile, endpoint) = match &asked.bundle_endpoint_profile {
        Some(BundleEndpointProfile::HttpsWeb(_)) => (Some("https_web"), None),
        Some(BundleEndpointProfile::HttpsSpiffe(spiffe)) => {
            (Some("https_spiffe"), text(&spiffe.endpoint_spiffe_id))
        }
        None => (None, None),
    };
    Details {
        trust_domain_id: text(&asked.trust_domain),
        bundle_endpoint_url: text(&asked.bundle_endpoint_url),
        bundle_endpoint_profile: profile.map(str::to_owned),
        endpoint_spiffe_id: endpoint,
        ..Details::default()
    }
}
