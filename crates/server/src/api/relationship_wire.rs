//! Federation relationships between the wire and the vocabulary.

use model::Relationship;
use proto::spire::api::types;
use proto::spire::api::types::federation_relationship::BundleEndpointProfile as Profile;
use spiffe::bundle::Bundle;
use spiffe::endpoint::{BundleUrl, BundleUrlError, EndpointProfile, UriError};
use spiffe::{SpiffeId, TrustDomain};

use super::bundle_wire::{self, wire_bundle};

/// The longest URL that is kept.
const MAX_URL: usize = 2048;

/// What a request asks for: the relationship and, if one is given, the bundle to begin with.
pub(super) struct Wanted {
    pub(super) relationship: Relationship,
    pub(super) bundle: Option<Bundle>,
}

/// A whole relationship of a request.
pub(super) fn wanted(wire: &types::FederationRelationship) -> Result<Wanted, String> {
    let trust_domain = bundle_wire::trust_domain(&wire.trust_domain)
        .map_err(|e| format!("failed to parse trust domain: {e}"))?;
    let endpoint_url = endpoint_url(&wire.bundle_endpoint_url)?;
    let profile = profile(wire.bundle_endpoint_profile.as_ref())?;
    let bundle = wire.trust_domain_bundle.as_ref().map(|b| bundle(&trust_domain, b)).transpose()?;
    Ok(Wanted {
        relationship: Relationship { trust_domain, ord: 0, endpoint_url, profile, revision: 0 },
        bundle,
    })
}

fn profile(wire: Option<&Profile>) -> Result<EndpointProfile, String> {
    match wire {
        Some(Profile::HttpsWeb(_)) => Ok(EndpointProfile::HttpsWeb),
        Some(Profile::HttpsSpiffe(spiffe)) => SpiffeId::parse(&spiffe.endpoint_spiffe_id)
            .map(|endpoint_id| EndpointProfile::HttpsSpiffe { endpoint_id })
            .map_err(|e| format!("failed to parse endpoint SPIFFE ID: {e}")),
        None => {
            Err("unsupported bundle endpoint profile type: it must be https_web or https_spiffe".to_owned())
        }
    }
}

fn bundle(of: &TrustDomain, wire: &types::Bundle) -> Result<Bundle, String> {
    let failed = |why: String| format!("failed to parse bundle: {why}");
    let td = bundle_wire::trust_domain(&wire.trust_domain)
        .map_err(|e| failed(format!("invalid trust domain: {e}")))?;
    let bundle = bundle_wire::bundle(&td, wire).map_err(failed)?;
    if td != *of {
        return Err(format!(
            "trust domain bundle (\"{}\") must match the trust domain of the federation relationship (\"{of}\")",
            wire.trust_domain
        ));
    }
    Ok(bundle)
}

/// Where a bundle is served, refused in SPIRE's words.
fn endpoint_url(text: &str) -> Result<BundleUrl, String> {
    let failed = |why: &str| format!("failed to parse bundle endpoint URL: {why}");
    if text.len() > MAX_URL {
        return Err(failed(&format!("it is {} bytes long; at most {MAX_URL} are accepted", text.len())));
    }
    BundleUrl::parse(text).map_err(|error| match error {
        BundleUrlError::Scheme | BundleUrlError::Uri(UriError::NoScheme) => {
            "bundle endpoint URL must use the https scheme".to_owned()
        }
        BundleUrlError::Host => "bundle endpoint URL must specify the host".to_owned(),
        BundleUrlError::User => "bundle endpoint URL must not contain user info".to_owned(),
        BundleUrlError::Uri(cause) => failed(&cause.to_string()),
    })
}

/// `new` with those fields that `mask` does not name as in `old`.
pub(super) fn merged(
    old: &Relationship,
    new: &Relationship,
    mask: &types::FederationRelationshipMask,
) -> Relationship {
    let of = |taken: bool| if taken { new } else { old };
    Relationship {
        endpoint_url: of(mask.bundle_endpoint_url).endpoint_url.clone(),
        profile: of(mask.bundle_endpoint_profile).profile.clone(),
        ..old.clone()
    }
}

/// All fields of a relationship.
pub(super) fn full_mask() -> types::FederationRelationshipMask {
    types::FederationRelationshipMask {
        bundle_endpoint_url: true,
        bundle_endpoint_profile: true,
        trust_domain_bundle: true,
    }
}

/// A relationship with its bundle for the wire, with the fields that `mask` names, or all of them.
pub(super) fn wire_relationship(
    relationship: &Relationship,
    bundle: Option<&Bundle>,
    mask: Option<&types::FederationRelationshipMask>,
) -> types::FederationRelationship {
    let full = full_mask();
    let mask = mask.unwrap_or(&full);
    let profile = || match &relationship.profile {
        EndpointProfile::HttpsWeb => Profile::HttpsWeb(types::HttpsWebProfile {}),
        EndpointProfile::HttpsSpiffe { endpoint_id } => {
            Profile::HttpsSpiffe(types::HttpsspiffeProfile { endpoint_spiffe_id: endpoint_id.to_string() })
        }
    };
    types::FederationRelationship {
        trust_domain: relationship.trust_domain.as_str().to_owned(),
        bundle_endpoint_url: if mask.bundle_endpoint_url {
            relationship.endpoint_url.to_string()
        } else {
            String::new()
        },
        bundle_endpoint_profile: mask.bundle_endpoint_profile.then(profile),
        trust_domain_bundle: bundle.filter(|_| mask.trust_domain_bundle).map(|b| wire_bundle(b, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_url_is_https_names_a_host_and_carries_no_password() {
        for fine in
            ["https://td.test/bundle", "HTTPS://td.test", "https://td.test:8443/a?b=c#d", "https://[::1]:1"]
        {
            assert_eq!(endpoint_url(fine).unwrap().as_str(), fine);
        }
        for (wrong, why) in [
            ("", "must use the https scheme"),
            ("http://td.test", "must use the https scheme"),
            ("td.test/bundle", "must use the https scheme"),
            ("https:///bundle", "must specify the host"),
            ("https://:443/bundle", "must specify the host"),
            ("https://user@td.test", "must not contain user info"),
            ("https://user:secret@td.test", "must not contain user info"),
            ("https://td.test/a b", "failed to parse bundle endpoint URL: "),
            ("https://td.test:99999", "failed to parse bundle endpoint URL: "),
            ("https://td test", "failed to parse bundle endpoint URL: "),
        ] {
            assert!(endpoint_url(wrong).unwrap_err().contains(why), "{wrong}");
        }
        assert!(endpoint_url(&format!("https://td.test/{}", "a".repeat(MAX_URL))).is_err());
    }
}
