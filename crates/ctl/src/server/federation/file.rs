//! Federation relationships in a file of JSON: `{"federationRelationships": [{…}, …]}` (SPIRE 1.16).

use proto::spire::api::types::{Bundle, FederationRelationship};
use serde_json::Value;
use spiffe::TrustDomain;
use spiffe::bundle::PassedOver;

use super::fields::profile;
use crate::document::{Object, each};
use crate::{credentials, parse};

/// The relationships of a document, and remarks about what in it was left out.
pub(super) fn relationships(document: &[u8]) -> Result<(Vec<FederationRelationship>, Vec<String>), String> {
    let document: Value =
        serde_json::from_slice(document).map_err(|e| format!("failed to parse JSON: {e}"))?;
    let mut remarks = Vec::new();
    let mut top = Object::new("", &document, &mut remarks)?;
    let list = top.take("federationRelationships").ok_or_else(|| {
        "it has no \"federationRelationships\"; write {\"federationRelationships\": [{\"trustDomain\": …, \
         \"bundleEndpointURL\": …, \"bundleEndpointProfile\": …}]}"
            .to_owned()
    })?;
    top.finish();
    let all = each("federationRelationships", list, |place, value| relationship(place, value, &mut remarks))?;
    Ok((all, remarks))
}

fn relationship(
    place: &str,
    value: &Value,
    remarks: &mut Vec<String>,
) -> Result<FederationRelationship, String> {
    let mut object = Object::new(place, value, remarks)?;
    let domain = object.text("trustDomain")?;
    if domain.is_empty() {
        return Err(format!("{place}: trust domain is required"));
    }
    let url = object.text("bundleEndpointURL")?;
    if url.is_empty() {
        return Err(format!("{place}: bundle endpoint URL is required"));
    }
    let (name, endpoint) = (object.text("bundleEndpointProfile")?, object.text("endpointSPIFFEID")?);
    let profile = profile(&name, &endpoint).map_err(|why| format!("{place}: {why}"))?;
    let format = object.text("trustDomainBundleFormat")?;
    let bundle = object.take("trustDomainBundle");
    object.finish();
    let td = parse::trust_domain(&domain).map_err(|e| format!("{place}.trustDomain is wrong: {e}"))?;
    let read = |value| self::bundle(&td, value, &format);
    let read = bundle.map(read).transpose().map_err(|why| format!("{place}.trustDomainBundle: {why}"))?;
    let bundle = read.map(|(bundle, passed_over)| {
        remarks.extend(passed_over.iter().map(|key| format!("{place}.trustDomainBundle: {key}")));
        bundle
    });
    Ok(FederationRelationship {
        trust_domain: domain,
        bundle_endpoint_url: url,
        bundle_endpoint_profile: Some(profile),
        trust_domain_bundle: bundle,
    })
}

/// A bundle within the document: a text of PEM, or the SPIFFE document as it is; and the keys of it that were passed over.
fn bundle(td: &TrustDomain, value: &Value, format: &str) -> Result<(Bundle, Vec<PassedOver>), String> {
    match format {
        "pem" => {
            let pem = value.as_str().ok_or("with format pem it is a text")?;
            credentials::read_bundle(td, pem.as_bytes(), format)
        }
        "spiffe" => credentials::read_bundle(td, value.to_string().as_bytes(), format),
        other => Err(format!("bundle format {other:?} is unsupported; say pem or spiffe")),
    }
}

#[cfg(test)]
mod tests {
    use proto::spire::api::types::federation_relationship::BundleEndpointProfile;

    use super::*;

    #[test]
    fn relationships_are_read_with_what_was_left_out_told() {
        let (all, remarks) = relationships(
            br#"{"federationRelationships": [
                {"trustDomain": "a.test", "bundleEndpointURL": "https://a.test", "bundleEndpointProfile": "https_web",
                 "color": "red"},
                {"trustDomain": "b.test", "bundleEndpointURL": "https://b.test",
                 "bundleEndpointProfile": "https_spiffe", "endpointSPIFFEID": "spiffe://b.test/endpoint",
                 "trustDomainBundleFormat": "spiffe", "trustDomainBundle":
                 {"keys": [{"kty": "OKP", "use": "jwt-svid", "kid": "x"}], "spiffe_sequence": 3}}
            ]}"#,
        )
        .unwrap();
        assert_eq!(all.len(), 2);
        assert!(matches!(all[0].bundle_endpoint_profile, Some(BundleEndpointProfile::HttpsWeb(_))));
        assert_eq!(all[1].trust_domain_bundle.as_ref().unwrap().sequence_number, 3);
        let [color, key] = &remarks[..] else { panic!("{remarks:?}") };
        assert_eq!(color, "federationRelationships[0].color is not known and was left out");
        assert!(key.starts_with("federationRelationships[1].trustDomainBundle: "), "{key}");
        assert!(key.contains("OKP"), "{key}");
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        let whole = |item: &str| format!("{{\"federationRelationships\": [{item}]}}");
        let url = "\"bundleEndpointURL\": \"https://a.test\"";
        for (document, told) in [
            ("nonsense".to_owned(), "failed to parse JSON: "),
            ("{}".to_owned(), "it has no \"federationRelationships\""),
            (whole("{}"), "federationRelationships[0]: trust domain is required"),
            (whole("{\"trustDomain\": \"a.test\"}"), "[0]: bundle endpoint URL is required"),
            (
                whole(&format!("{{\"trustDomain\": \"a.test\", {url}}}")),
                "unknown bundle endpoint profile type: \"\"",
            ),
            (
                whole(&format!(
                    "{{\"trustDomain\": \"a.test\", {url}, \"bundleEndpointProfile\": \"https_spiffe\"}}"
                )),
                "endpoint SPIFFE ID is required",
            ),
            (
                whole(&format!(
                    "{{\"trustDomain\": \"a.test\", {url}, \"bundleEndpointProfile\": \"https_web\", \"trustDomainBundle\": \"x\"}}"
                )),
                "bundle format \"\" is unsupported",
            ),
        ] {
            let why = relationships(document.as_bytes()).unwrap_err();
            assert!(why.contains(told), "{document}: {why}");
        }
    }
}
