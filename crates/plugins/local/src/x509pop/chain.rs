//! From a node's certificate to a root, by every way there is.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, VerifiedPath};

use super::leaf::{Leaf, fingerprint};

/// Certificates that are trusted without further ado.
pub(crate) struct Roots(Vec<Leaf>);

/// Any purpose will do: the certificate proves a node, whatever else it is for (SPIRE 1.16).
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        for purpose in purposes {
            purpose?;
        }
        Ok(())
    }
}

impl Roots {
    pub(crate) fn new(roots: Vec<Leaf>) -> Self {
        Self(roots)
    }

    /// The fingerprints of all certificates above `leaf`, by every chain that leads to a root. Fails when none does.
    pub(crate) fn verify(
        &self,
        leaf: &Leaf,
        intermediates: &[Leaf],
        now: SystemTime,
    ) -> Result<BTreeSet<String>, webpki::Error> {
        // Go looks at the dates of roots too
        let roots: Vec<&Leaf> = self.0.iter().filter(|root| root.valid_at(now)).collect();
        if roots.iter().any(|root| root.der() == leaf.der()) {
            return Ok(BTreeSet::new());
        }
        let ders: Vec<CertificateDer<'_>> = roots.iter().map(|root| root.der().into()).collect();
        let anchors = ders.iter().map(webpki::anchor_from_trusted_cert);
        let anchors: Vec<TrustAnchor<'_>> = anchors.collect::<Result<_, _>>()?;
        let intermediates: Vec<CertificateDer<'_>> = intermediates.iter().map(|it| it.der().into()).collect();
        let time = UnixTime::since_unix_epoch(now.duration_since(UNIX_EPOCH).unwrap_or_default());
        let found = RefCell::new(BTreeSet::new());
        let complete = RefCell::new(false);
        // a chain that holds is noted and turned down, so that the search for another goes on
        let note = |path: &VerifiedPath<'_>| {
            let mut found = found.borrow_mut();
            found.extend(path.intermediate_certificates().map(|cert| fingerprint(&cert.der())));
            let same = |anchor: &TrustAnchor<'_>| anchor == path.anchor();
            let same = anchors.iter().zip(&roots).filter(|(anchor, _)| same(anchor));
            found.extend(same.map(|(_, root)| fingerprint(root.der())));
            *complete.borrow_mut() = true;
            Err(webpki::Error::UnknownIssuer)
        };
        let der = CertificateDer::from(leaf.der());
        let end = EndEntityCert::try_from(&der)?;
        let searched = end.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors,
            &intermediates,
            time,
            AnyPurpose,
            None,
            Some(&note),
        );
        match (searched, complete.into_inner()) {
            (Err(why), false) => Err(why),
            _ => Ok(found.into_inner()),
        }
    }
}
