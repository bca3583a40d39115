//! The steps of verifying a leaf (§3.2, §5.2).

use super::super::scene::*;
use super::check;
use crate::forge::extension::{Usage, constraints, key_usage, uris};
use crate::format::Check;

pub(super) fn checks() -> Vec<Check> {
    vec![
        leaves_identify(),
        authorities_do_not(),
        no_authority(),
        no_cert_sign(),
        no_crl_sign(),
        scheme(),
        path(),
    ]
}

fn leaves_identify() -> Check {
    check("X509-07", "§3.1", "only leaves identify a caller")
        .accepts("a leaf", directly(&leaf()), "it is one")
        .refuses("the root itself", chain([root().self_signed()]).into(), "it is an authority")
        .refuses("an intermediate", chain([intermediate().signed_by(&root())]).into(), "it is an authority")
}

fn authorities_do_not() -> Check {
    let named = intermediate().extended([uris(&[ID])]);
    let rooted = root().extended([uris(&[ID])]).self_signed();
    let trusting = crate::kinds::x509_svid::Members {
        bundles: roots("example.org", [rooted.clone()]),
        ..chain([rooted])
    };
    check("X509-12", "§3.2", "signing certificates are not accepted for authentication")
        .accepts("a leaf", leaf_below(&leaf()), "it is one")
        .refuses(
            "an intermediate with a workload's ID",
            chain([named.signed_by(&root())]).into(),
            "it is an authority",
        )
        .refuses("a root with a workload's ID", trusting.into(), "it is an authority")
}

fn no_authority() -> Check {
    check("X509-27", "§5.2", "the leaf is no authority")
        .accepts("says no", directly(&leaf()), "it is none")
        .refuses("says yes", directly(&leaf().extended([constraints(true, true, None)])), "it is one")
        .refuses(
            "says yes, not critical",
            directly(&leaf().extended([constraints(false, true, None)])),
            "it is one",
        )
        .refuses(
            "says yes, and allows none below",
            directly(&leaf().extended([constraints(true, true, Some(0))])),
            "it is one",
        )
}

fn no_cert_sign() -> Check {
    let with = |usages: &[Usage]| directly(&leaf().extended([key_usage(true, usages)]));
    check("X509-28", "§5.2", "the leaf's key does not sign certificates")
        .accepts("signs messages", with(&[Usage::DigitalSignature]), "it signs no certificates")
        .refuses(
            "signs certificates, too",
            with(&[Usage::DigitalSignature, Usage::KeyCertSign]),
            "it signs certificates",
        )
        .refuses("signs certificates alone", with(&[Usage::KeyCertSign]), "it signs certificates")
}

fn no_crl_sign() -> Check {
    let with = |usages: &[Usage]| directly(&leaf().extended([key_usage(true, usages)]));
    check("X509-29", "§5.2", "the leaf's key does not sign revocation lists")
        .accepts("signs messages", with(&[Usage::DigitalSignature]), "it signs no lists")
        .refuses("signs lists, too", with(&[Usage::DigitalSignature, Usage::CrlSign]), "it signs lists")
        .refuses(
            "signs lists and certificates",
            with(&[Usage::KeyCertSign, Usage::CrlSign]),
            "it signs lists",
        )
}

fn scheme() -> Check {
    check("X509-30", "§5.2", "the URI's scheme is \"spiffe\"")
        .accepts("spiffe", directly(&leaf()), "this is the scheme")
        .refuses("https", directly(&leaf_of("https://example.org/workload")), "another scheme")
        .refuses("spiffes", directly(&leaf_of("spiffes://example.org/workload")), "another scheme")
        .refuses("urn", directly(&leaf_of("urn:spiffe:example.org:workload")), "another scheme")
}

fn path() -> Check {
    check("X509-31", "§5.2", "the leaf's ID has a path")
        .accepts("a path", directly(&leaf()), "it has one")
        .refuses(
            "none",
            directly(&leaf_of("spiffe://example.org")),
            "it names the trust domain and no workload",
        )
        .refuses("a slash", directly(&leaf_of("spiffe://example.org/")), "it is no SPIFFE ID")
        .refuses(
            "none, below an intermediate",
            leaf_below(&leaf_of("spiffe://example.org")),
            "it names the trust domain and no workload",
        )
}
