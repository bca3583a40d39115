//! What a signing certificate has.

use serde_json::json;

use super::super::scene::*;
use super::check;
use crate::forge::extension::{
    ANY_PURPOSE, CLIENT_AUTH, CODE_SIGNING, SERVER_AUTH, Usage, constraints, key_usage, purposes, uris,
};
use crate::forge::keys::key;
use crate::format::{Check, Input, Only};
use crate::kinds::issue_x509_authority::Members as AuthorityMembers;
use crate::kinds::issue_x509_leaf::Members;
use crate::kinds::x509_svid::{Members as Chain, Side};

pub(super) fn checks() -> Vec<Check> {
    vec![
        is_an_svid(),
        has_no_path(),
        has_the_trust_domain(),
        signs_authorities(),
        path_length(),
        is_an_authority(),
        signs_certificates(),
        purposes_of_authorities(),
        signs_nothing_else(),
    ]
}

/// A request for a leaf by an authority that is not the usual one.
fn issued_by(authority: &crate::forge::certificate::Certificate) -> Input {
    Members { authority: held(authority), ..issue(&[ID]) }.into()
}

fn is_an_svid() -> Check {
    let anonymous = |authority: crate::forge::certificate::Certificate| authority.without("2.5.29.17");
    check("X509-08", "§3.2", "a signing certificate should be an SVID itself")
        .yields(
            "issued",
            issue_authority("spiffe://example.org").into(),
            json!({ "uris": ["spiffe://example.org"] }),
            "it has an ID",
        )
        .accepts("a root without an ID", rooted(&anonymous(root())), "roots of companies have none")
        .accepts("an intermediate without an ID", below(&anonymous(intermediate())), "they need have none")
        .refuses("issues without an ID", issued_by(&anonymous(root())), "it would sign for no trust domain")
}

fn has_no_path() -> Check {
    let with_path = root().extended([uris(&["spiffe://example.org/ca"])]);
    let between = intermediate().extended([uris(&["spiffe://example.org/ca"])]);
    check("X509-09", "§3.2", "a signing certificate's ID has no path")
        .accepts("issued", issue_authority("spiffe://example.org").into(), "it has no path")
        .refuses("issued with a path", issue_authority("spiffe://example.org/ca").into(), "it has a path")
        .refuses("issues with a path", issued_by(&with_path), "it has a path")
        .accepts(
            "verified below one with a path",
            below(&between),
            "it binds issuers, no step of verifying is written for it",
        )
}

fn has_the_trust_domain() -> Check {
    let foreign = AuthorityMembers {
        below: Some(held(&other_root("other.org"))),
        ..issue_authority("spiffe://example.org")
    };
    let own = AuthorityMembers { below: Some(issuer()), ..issue_authority("spiffe://example.org") };
    check("X509-10", "§3.2", "a signing certificate's ID is in the trust domain of what it signs")
        .accepts("an authority of its own", own.into(), "both are of one trust domain")
        .accepts("a leaf of its own", issue(&[ID]).into(), "both are of one trust domain")
        .refuses("a foreign authority", foreign.into(), "it is of another trust domain")
        .refuses(
            "a foreign leaf",
            issue(&["spiffe://other.org/workload"]).into(),
            "it is of another trust domain",
        )
}

fn signs_authorities() -> Check {
    let (first, second) = (intermediate(), second());
    let third = crate::forge::certificate::Certificate::authority("third", "example.org", key("ec384-root"));
    let three = [
        leaf().signed_by(&third),
        third.signed_by(&second),
        second.signed_by(&first),
        first.signed_by(&root()),
    ];
    let [a, b, c, d] = three.clone();
    let elsewhere = intermediate().extended([uris(&["spiffe://other.org"])]);
    check("X509-11", "§3.2", "an authority may sign authorities")
        .accepts("one below the root", leaf_below(&leaf()), "it is signed by one that the root signed")
        .accepts("three below the root", chain(three).into(), "each is signed by the next")
        .accepts("one of another trust domain", below(&elsewhere), "it may be of another")
        .accepts(
            "in another order",
            chain([a.clone(), d.clone(), b.clone(), c.clone()]).into(),
            "the order of intermediates says nothing",
        )
        .accepts(
            "with the root",
            chain([a.clone(), b.clone(), c.clone(), d, root().self_signed()]).into(),
            "the root does no harm",
        )
        .accepts("cross-signed", crossed(), "one of the two ways reaches a root that is held")
        .refuses("in a circle", circle(), "the chain does not reach the root")
        .refuses("one is missing", chain([a, b, c]).into(), "the chain does not reach the root")
}

/// An authority that another root, which nobody holds, signed first, and the root as well.
fn crossed() -> Input {
    let elsewhere = other_root("example.org");
    let leaf = leaf().signed_by(&intermediate());
    let [other, own] = [intermediate().signed_by(&elsewhere), intermediate().signed_by(&root())];
    chain([leaf, other, elsewhere.self_signed(), own]).into()
}

/// Two authorities that signed each other.
fn circle() -> Input {
    let leaf = leaf().signed_by(&intermediate());
    chain([leaf, intermediate().signed_by(&second()), second().signed_by(&intermediate())]).into()
}

fn path_length() -> Check {
    let limited = |length| intermediate().extended([constraints(true, true, Some(length))]);
    let two = |length| {
        let first = limited(length);
        chain([leaf().signed_by(&second()), second().signed_by(&first), first.signed_by(&root())])
    };
    let limited_root = |length| root().extended([constraints(true, true, Some(length))]);
    let rooted_two = |length| {
        let root = limited_root(length);
        let chain = chain([leaf().signed_by(&intermediate()), intermediate().signed_by(&root)]);
        crate::kinds::x509_svid::Members { bundles: roots("example.org", [root.self_signed()]), ..chain }
    };
    // Issued by itself under the same name: it does not count (RFC 5280 §4.2.1.9).
    let renewed = {
        let first = limited(0);
        let again = crate::forge::certificate::Certificate {
            key: key("ec256-second-intermediate"),
            ..intermediate()
        };
        chain([leaf().signed_by(&again), again.signed_by(&first), first.signed_by(&root())])
    };
    let asked = AuthorityMembers { path_length: Some(0), ..issue_authority("spiffe://example.org") };
    check("X509-13", "§4.1", "a path length limits how many authorities stand below")
        .yields(
            "issued",
            asked.into(),
            json!({ "ca": true, "path_length": 0 }),
            "it is written as it was asked for",
        )
        .accepts("none below, none allowed", below(&limited(0)), "the leaf does not count")
        .refuses("one below, none allowed", two(0).into(), "one more than is allowed")
        .accepts("one below, one allowed", two(1).into(), "as many as are allowed")
        .accepts("the root allows one", rooted_two(1).into(), "as many as are allowed")
        .refuses("the root allows none", rooted_two(0).into(), "one more than is allowed")
        .accepts(
            "one of the same name below, none allowed",
            renewed.into(),
            "what an authority issues to itself does not count (RFC 5280 §4.2.1.9)",
        )
}

fn is_an_authority() -> Check {
    let says_no = root().extended([constraints(true, false, None)]);
    check("X509-14", "§4.1", "a signing certificate says that it is an authority")
        .yields("issued", issue_authority("spiffe://example.org").into(), json!({ "ca": true }), "it says so")
        .refuses("issues without saying so", issued_by(&root().without("2.5.29.19")), "it does not say so")
        .refuses("issues though it says no", issued_by(&says_no), "it says that it is none")
}

fn signs_certificates() -> Check {
    check("X509-19", "§4.3", "a signing certificate's key signs certificates, and may sign revocation lists")
        .yields(
            "issued",
            issue_authority("spiffe://example.org").into(),
            json!({ "key_usage": ["keyCertSign", "cRLSign"] }),
            "it signs certificates",
        )
        .accepts(
            "certificates alone",
            below(&intermediate().extended([key_usage(true, &[Usage::KeyCertSign])])),
            "it need not sign lists",
        )
        .refuses(
            "issues though it may not",
            issued_by(&root().extended([key_usage(true, &[Usage::CrlSign])])),
            "it may not sign certificates",
        )
}

fn purposes_of_authorities() -> Check {
    let with = |all: &[&str]| intermediate().extended([purposes(false, all)]);
    let on = |side, all: &[&str]| -> Input {
        let between = with(all);
        let chain = chain([leaf().signed_by(&between), between.signed_by(&root())]);
        Chain { side: Some(side), ..chain }.into()
    };
    check("X509-25", "§4.4", "authorities may have purposes, and those narrow what is below")
        .accepts("both of TLS", below(&with(&[SERVER_AUTH, CLIENT_AUTH])), "they are those of the leaf")
        .accepts("none", below(&intermediate()), "they may be left away")
        .accepts(
            "of the root, both of TLS",
            rooted(&root().extended([purposes(false, &[SERVER_AUTH, CLIENT_AUTH])])),
            "they are those of the leaf",
        )
        .accepts("any", below(&with(&[ANY_PURPOSE])), "any purpose is also that of the leaf")
        .accepts("servers alone, on a server", on(Side::Server, &[SERVER_AUTH]), "it is the purpose at hand")
        .refuses(
            "servers alone, on a client",
            on(Side::Client, &[SERVER_AUTH]),
            "it is another purpose: webpki and Windows read it so, Go is not asked",
        )
        .refuses("code signing alone", below(&with(&[CODE_SIGNING])), "it is another purpose")
}

fn signs_nothing_else() -> Check {
    let digital = intermediate().extended([key_usage(true, &[Usage::DigitalSignature, Usage::KeyCertSign])]);
    check("X509-40", "Appendix A", "only leaves sign, encrypt and agree; authorities are not issued so")
        .yields(
            "issued",
            issue_authority("spiffe://example.org").into(),
            json!({ "key_usage": ["keyCertSign", "cRLSign"] }),
            "it does nothing else",
        )
        .accepts(
            "an intermediate that does",
            below(&digital),
            "section 4.3 does not ask for this, so no verifier does",
        )
        .only(Only::Accepted, "it binds issuers, and a request can ask them for nothing else")
}
