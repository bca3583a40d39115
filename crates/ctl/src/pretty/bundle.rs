//! Bundles.

use proto::spire::api::types::Bundle;
use spiffe::pem;

use crate::credentials;
use crate::fault::Fault;

/// A bundle in one of the forms: `pem`, its X.509 authorities alone, or `spiffe`, the SPIFFE document.
pub(crate) fn text(bundle: &Bundle, format: &str) -> Result<String, Fault> {
    if format == "spiffe" {
        return credentials::bundle_document(bundle).map(|document| document + "\n").map_err(Fault::Answer);
    }
    Ok(bundle.x509_authorities.iter().map(|a| pem::encode(pem::CERTIFICATE, &a.asn1)).collect())
}

/// What stands above each of several bundles.
pub(crate) fn header(trust_domain: &str) -> String {
    let stars = "*".repeat(40);
    format!("{stars}\n* {trust_domain}\n{stars}\n")
}

#[cfg(test)]
mod tests {
    use proto::spire::api::types::X509Certificate;

    use super::*;

    #[test]
    fn a_header_has_stars_around_the_trust_domain() {
        assert_eq!(
            header("other.org"),
            "****************************************\n* other.org\n****************************************\n"
        );
    }

    #[test]
    fn pem_is_one_block_for_each_authority() {
        let authority = |byte| X509Certificate { asn1: vec![byte; 3], tainted: false };
        let bundle = Bundle { x509_authorities: vec![authority(0), authority(1)], ..Bundle::default() };
        assert_eq!(
            text(&bundle, "pem").unwrap(),
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n\
             -----BEGIN CERTIFICATE-----\nAQEB\n-----END CERTIFICATE-----\n"
        );
    }
}
