//! Federation relationships.

use std::io::{self, Write};

use proto::spire::api::types::FederationRelationship;
use proto::spire::api::types::federation_relationship::BundleEndpointProfile;

/// One relationship.
pub(crate) fn print(out: &mut dyn Write, relationship: &FederationRelationship) -> io::Result<()> {
    let mut line = |label: &str, value: &str| writeln!(out, "{label:26}: {value}");
    line("Trust domain", &relationship.trust_domain)?;
    line("Bundle endpoint URL", &relationship.bundle_endpoint_url)?;
    match &relationship.bundle_endpoint_profile {
        Some(BundleEndpointProfile::HttpsWeb(_)) => line("Bundle endpoint profile", "https_web"),
        Some(BundleEndpointProfile::HttpsSpiffe(profile)) => {
            line("Bundle endpoint profile", "https_spiffe")?;
            line("Endpoint SPIFFE ID", &profile.endpoint_spiffe_id)
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proto::spire::api::types::{HttpsWebProfile, HttpsspiffeProfile};

    use super::*;

    fn printed(profile: BundleEndpointProfile) -> String {
        let relationship = FederationRelationship {
            trust_domain: "td.test".to_owned(),
            bundle_endpoint_url: "https://td.test/bundle".to_owned(),
            bundle_endpoint_profile: Some(profile),
            trust_domain_bundle: None,
        };
        let mut out = Vec::new();
        print(&mut out, &relationship).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_relationship_is_a_line_for_each_field() {
        assert_eq!(
            printed(BundleEndpointProfile::HttpsWeb(HttpsWebProfile {})),
            "Trust domain              : td.test\n\
             Bundle endpoint URL       : https://td.test/bundle\n\
             Bundle endpoint profile   : https_web\n"
        );
        let endpoint_spiffe_id = "spiffe://td.test/endpoint".to_owned();
        assert_eq!(
            printed(BundleEndpointProfile::HttpsSpiffe(HttpsspiffeProfile { endpoint_spiffe_id })),
            "Trust domain              : td.test\n\
             Bundle endpoint URL       : https://td.test/bundle\n\
             Bundle endpoint profile   : https_spiffe\n\
             Endpoint SPIFFE ID        : spiffe://td.test/endpoint\n"
        );
    }
}
