//! Authorities and documents: ID-23 to ID-28.

use serde_json::json;

use super::super::scene::*;
use super::jwt_of;
use crate::forge::extension::uris;
use crate::format::Check;
use crate::kinds::x509_svid;

pub(super) fn checks() -> Vec<Check> {
    vec![
        own_authority(),
        authority_is_an_svid(),
        authority_has_no_path(),
        authority_is_self_signed(),
        id_is_signed(),
        known_documents(),
    ]
}

fn own_authority() -> Check {
    let both = || {
        let mut bundles = roots("example.org", [root().self_signed()]);
        bundles.extend(roots("other.org", [other_root("other.org").self_signed()]));
        bundles
    };
    let judged =
        |leaf: &str, root| x509_svid::Members { bundles: both(), ..chain([leaf_of(leaf).signed_by(&root)]) };
    Check::new(
        "ID-23",
        "SPIFFE-ID.md §3",
        "an SVID holds only if an authority of its own trust domain signed it",
    )
    .accepts("its own", judged(ID, root()).into(), "its own authority signed it")
    .accepts(
        "the other's own",
        judged("spiffe://other.org/x", other_root("other.org")).into(),
        "its own authority signed it",
    )
    .refuses(
        "a foreign one",
        judged("spiffe://other.org/x", root()).into(),
        "the authority of another trust domain signed it, which is known too",
    )
    .refuses(
        "no bundle",
        directly(&leaf_of("spiffe://unknown.org/x")),
        "no bundle of its trust domain is known",
    )
    .refuses("a foreign token", jwt_of("spiffe://other.org/x"), "the key is of another trust domain")
    .refuses(
        "asked of an issuer",
        issue(&["spiffe://other.org/x"]).into(),
        "it signs for its own trust domain alone",
    )
}

fn authority_is_an_svid() -> Check {
    let no_uri = root().without("2.5.29.17");
    let with = |authority| crate::kinds::issue_x509_leaf::Members { authority, ..issue(&[ID]) };
    Check::new("ID-24", "SPIFFE-ID.md §3.1", "a signing authority carries an SVID of its trust domain")
        .yields(
            "made",
            issue_authority("spiffe://example.org").into(),
            json!({ "uris": ["spiffe://example.org"], "ca": true }),
            "it has the URI of its trust domain",
        )
        .accepts("issues with it", with(issuer()).into(), "the authority has a SPIFFE ID")
        .refuses(
            "issues without",
            with(held(&no_uri)).into(),
            "an authority without a SPIFFE ID does not issue",
        )
}

fn authority_has_no_path() -> Check {
    let path = root().extended([uris(&["spiffe://example.org/ca"])]);
    let foreign = root().extended([uris(&["spiffe://other.org"])]);
    let with = |authority| crate::kinds::issue_x509_leaf::Members { authority, ..issue(&[ID]) };
    Check::new("ID-25", "SPIFFE-ID.md §3.1", "an authority's ID is its trust domain's, without a path")
        .accepts("made", issue_authority("spiffe://example.org").into(), "it has no path")
        .refuses("made with a path", issue_authority("spiffe://example.org/ca").into(), "it has a path")
        .refuses("issues with a path", with(held(&path)).into(), "the authority has a path")
        .refuses("issues for others", with(held(&foreign)).into(), "the authority is of another trust domain")
}

fn authority_is_self_signed() -> Check {
    let below = crate::kinds::issue_x509_authority::Members {
        below: Some(issuer()),
        ..issue_authority("spiffe://example.org")
    };
    let foreign = crate::kinds::issue_x509_authority::Members {
        below: Some(held(&other_root("other.org"))),
        ..issue_authority("spiffe://example.org")
    };
    Check::new("ID-26", "SPIFFE-ID.md §3.1", "an authority that is below no other signs itself")
        .yields(
            "a root",
            issue_authority("spiffe://example.org").into(),
            json!({ "self_issued": true }),
            "it signs itself",
        )
        .yields(
            "below another",
            below.into(),
            json!({ "self_issued": false }),
            "the authority above signs it",
        )
        .refuses(
            "below a foreign one",
            foreign.into(),
            "the authority above signs for its own trust domain alone",
        )
}

fn id_is_signed() -> Check {
    let compact = signed(HEADER, &claims(ID));
    let parts: Vec<&str> = compact.split('.').collect();
    let flattened =
        json!({ "protected": parts[0], "payload": parts[1], "header": { "sub": ID }, "signature": parts[2] });
    let mut changed = leaf().signed_by(&root());
    replace(&mut changed, b"workload", b"worklord");
    let anonymous = format!(r#"{{"aud":["audience"],"exp":{}}}"#, crate::forge::moment::NOW + 300);
    Check::new("ID-27", "SPIFFE-ID.md §3.2", "the ID and the key are in the part that is signed")
        .yields(
            "in a certificate",
            directly(&leaf()),
            json!({ "id": ID }),
            "the ID is the one that was signed",
        )
        .yields("in a token", jwt_of(ID), json!({ "id": ID }), "the ID is the one that was signed")
        .refuses("changed in a certificate", chain([changed]).into(), "the ID is not the one that was signed")
        .refuses(
            "beside the signed part",
            presented(&flattened.to_string()),
            "an unprotected header names nobody",
        )
        .refuses("nowhere in a token", token(HEADER, &anonymous), "the signed part names nobody")
        .refuses(
            "nowhere in a certificate",
            directly(&leaf().without("2.5.29.17")),
            "the signed part names nobody",
        )
}

fn known_documents() -> Check {
    let saml = format!("<Assertion><Subject><NameID>{ID}</NameID></Subject></Assertion>");
    Check::new("ID-28", "SPIFFE-ID.md §3.3", "only documents with a specification of their own are SVIDs")
        .accepts("an X.509-SVID", directly(&leaf()), "it is one")
        .accepts("a JWT-SVID", jwt_of(ID), "it is one")
        .refuses("an assertion", presented(&saml), "it is a document of another kind")
        .refuses("an ID alone", presented(ID), "it is an ID and no document")
        .refuses(
            "an opaque token",
            presented("c3BpZmZlOi8vZXhhbXBsZS5vcmcvd29ya2xvYWQ"),
            "it is a document of another kind",
        )
}
