//! The flags that describe a federation relationship.

use kit::flags::{Flag, Values};
use proto::spire::api::types::FederationRelationship;
use proto::spire::api::types::federation_relationship::BundleEndpointProfile;
use proto::spire::api::types::{HttpsWebProfile, HttpsspiffeProfile};

use super::super::bundle::FORMATS;
use super::file;
use crate::fault::Fault;
use crate::terminal::Terminal;
use crate::{credentials, file as files, parse};

/// The flags that `federation create` and `federation update` share.
pub(super) const FLAGS: &[Flag] = &[
    Flag::text("trustDomain", "The name of the other trust domain, as in example.org"),
    Flag::text("bundleEndpointURL", "The https URL at which it serves its bundle"),
    Flag::text("bundleEndpointProfile", "How that endpoint proves who it is: https_web or https_spiffe"),
    Flag::text("endpointSpiffeID", "The SPIFFE ID of that endpoint, for https_spiffe"),
    Flag::text("trustDomainBundlePath", "A file with its bundle, to begin with"),
    Flag::choice("trustDomainBundleFormat", FORMATS, "How that file is written: pem or spiffe"),
    Flag::text(
        "data",
        "A file with relationships as JSON instead of the other flags; - for the standard input",
    ),
];

/// The relationships that the flags or a file describe.
pub(super) fn relationships(
    values: &Values,
    terminal: &mut Terminal<'_>,
) -> Result<Vec<FederationRelationship>, Fault> {
    let Some(path) = values.nonempty("data") else { return Ok(vec![described(values, terminal)?]) };
    let others = FLAGS.iter().filter(|flag| flag.name != "data" && flag.name != "trustDomainBundleFormat");
    let format = values.text("trustDomainBundleFormat") != "pem";
    if format || others.into_iter().any(|flag| values.nonempty(flag.name).is_some()) {
        return Err(Fault::Usage(
            "cannot use other flags to specify relationship fields when 'data' flag is set".to_owned(),
        ));
    }
    let content = files::read_or_input(path, terminal)?;
    let unusable = |cause| Fault::Content { what: "the JSON", path: files::name(path), cause };
    let (relationships, remarks) = file::relationships(&content).map_err(unusable)?;
    for remark in remarks {
        writeln!(terminal.err, "Warning: {}: {remark}", files::name(path))?;
    }
    Ok(relationships)
}

fn described(values: &Values, terminal: &mut Terminal<'_>) -> Result<FederationRelationship, Fault> {
    let domain = values.nonempty("trustDomain").ok_or_else(|| {
        Fault::Usage("trust domain is required; name it with -trustDomain, as in example.org".to_owned())
    })?;
    let url = values.nonempty("bundleEndpointURL").ok_or_else(|| {
        Fault::Usage("bundle endpoint URL is required; give it with -bundleEndpointURL".to_owned())
    })?;
    let endpoint = values.text("endpointSpiffeID");
    let profile = profile(values.text("bundleEndpointProfile"), endpoint).map_err(Fault::Usage)?;
    let bundle = match values.nonempty("trustDomainBundlePath") {
        None => None,
        Some(path) => {
            let content = std::fs::read(path).map_err(Fault::read(path))?;
            let unusable = |cause| Fault::Content { what: "the bundle", path: path.to_owned(), cause };
            let (td, format) = (parse::trust_domain(domain)?, values.text("trustDomainBundleFormat"));
            let (bundle, passed_over) = credentials::read_bundle(&td, &content, format).map_err(unusable)?;
            for key in &passed_over {
                writeln!(terminal.err, "{key}")?;
            }
            Some(bundle)
        }
    };
    Ok(FederationRelationship {
        trust_domain: domain.to_owned(),
        bundle_endpoint_url: url.to_owned(),
        bundle_endpoint_profile: Some(profile),
        trust_domain_bundle: bundle,
    })
}

/// A profile by its name.
pub(super) fn profile(name: &str, endpoint: &str) -> Result<BundleEndpointProfile, String> {
    match name {
        "https_web" => Ok(BundleEndpointProfile::HttpsWeb(HttpsWebProfile {})),
        "https_spiffe" if endpoint.is_empty() => {
            Err("endpoint SPIFFE ID is required if 'https_spiffe' endpoint profile is set".to_owned())
        }
        "https_spiffe" => {
            let id = parse::id("bundle endpoint SPIFFE ID", endpoint).map_err(|e| e.to_string())?;
            let endpoint_spiffe_id = id.to_string();
            Ok(BundleEndpointProfile::HttpsSpiffe(HttpsspiffeProfile { endpoint_spiffe_id }))
        }
        other => Err(format!(
            "unknown bundle endpoint profile type: {other:?}; it must be https_web or https_spiffe"
        )),
    }
}
