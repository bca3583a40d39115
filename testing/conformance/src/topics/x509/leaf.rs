//! What a leaf has: names, key usages, purposes.

use serde_json::json;

use super::super::scene::*;
use super::check;
use crate::forge::certificate::no_name;
use crate::forge::csr;
use crate::forge::extension::{
    ANY_PURPOSE, CLIENT_AUTH, CODE_SIGNING, Name, SERVER_AUTH, Usage, constraints, dns, key_usage, names,
    purposes, uri, uris,
};
use crate::forge::keys::key;
use crate::format::{Check, Input, Only};
use crate::kinds::csr::der as as_csr;
use crate::kinds::issue_x509_leaf::Members;
use crate::kinds::x509_svid::{Members as Chain, Side};

const NO_OTHER_WAY: &str =
    "a request can ask an issuer for nothing else, and verifiers have no rule of their own";

pub(super) fn checks() -> Vec<Check> {
    vec![
        one_uri_issued(),
        one_uri_verified(),
        some_uri(),
        other_names(),
        path_issued(),
        critical_names(),
        not_an_authority_issued(),
        key_usage_present(),
        key_usage_critical(),
        digital_signature(),
        other_usages(),
        no_signing_usages(),
        purposes_present(),
        both_purposes(),
    ]
}

fn one_uri_issued() -> Check {
    let request = |uris: &[&str]| as_csr(csr::request(key("ec256-leaf"), uris));
    check("X509-01", "§2", "an issuer puts exactly one URI into a certificate")
        .yields("one ID", issue(&[ID]).into(), json!({ "uris": [ID], "names": 1 }), "it has that URI")
        .refuses("no ID", issue(&[]).into(), "a certificate without a URI is no SVID")
        .refuses("two IDs", issue(&[ID, "spiffe://example.org/other"]).into(), "an SVID has one URI")
        .refuses(
            "an ID and a web address",
            issue(&[ID, "https://example.org/"]).into(),
            "an SVID has one URI",
        )
        .refuses("the same ID twice", issue(&[ID, ID]).into(), "an SVID has one URI")
        .yields("a request for one", request(&[ID]), json!({ "uris": [ID] }), "it can be read")
        .yields(
            "a request for two",
            request(&[ID, "spiffe://example.org/other"]),
            json!({ "uris": [ID, "spiffe://example.org/other"] }),
            "it can be read, and its reader learns that there are two",
        )
        .refuses(
            "a request by another key",
            as_csr(csr::sign(key("ec256-leaf"), &[uris(&[ID])], key("ec256-other"))),
            "who sent it has not shown the key",
        )
        .refuses(
            "a request by a key of another kind",
            as_csr(csr::sign(key("ec256-leaf"), &[uris(&[ID])], key("rsa2048-other"))),
            "who sent it has not shown the key",
        )
        .refuses(
            "a request that was changed",
            as_csr(changed(csr::request(key("ec256-leaf"), &[ID]))),
            "its signature does not hold",
        )
        .refuses(
            "a request with a byte behind",
            as_csr([&csr::request(key("ec256-leaf"), &[ID])[..], &[0]].concat()),
            "DER has nothing behind",
        )
        .refuses(
            "a request for a short key",
            as_csr(csr::request(key("rsa1024"), &[ID])),
            "1024 bits are too few to be safe",
        )
        .accepts(
            "a request on P-384",
            as_csr(csr::request(key("ec384-leaf"), &[ID])),
            "any usual key will do",
        )
        .accepts(
            "a request on RSA",
            as_csr(csr::request(key("rsa2048-other"), &[ID])),
            "any usual key will do",
        )
        .accepts(
            "a request for nothing",
            as_csr(csr::request(key("ec256-leaf"), &[])),
            "the issuer knows what to put in",
        )
}

/// A request whose ID is not the one that was signed.
fn changed(mut request: Vec<u8>) -> Vec<u8> {
    replace(&mut request, b"workload", b"worklord");
    request
}

fn one_uri_verified() -> Check {
    let with = |all: &[&str]| directly(&leaf().extended([uris(all)]));
    check("X509-02", "§2, §5.2", "a leaf with more than one URI is refused, whatever their schemes")
        .accepts("one", with(&[ID]), "it has one URI")
        .refuses("two IDs", with(&[ID, "spiffe://example.org/b"]), "it has two URIs")
        .refuses("an ID and a web address", with(&[ID, "https://example.org/workload"]), "it has two URIs")
        .refuses("a web address and an ID", with(&["https://example.org/workload", ID]), "it has two URIs")
        .refuses("the same twice", with(&[ID, ID]), "it has two URIs")
        .refuses("an ID and nothing", with(&[ID, ""]), "it has two URIs")
        .refuses(
            "two extensions",
            directly(&{
                let mut leaf = leaf();
                leaf.extensions.push(uris(&["spiffe://example.org/b"]));
                leaf
            }),
            "an extension may occur once (RFC 5280 §4.2)",
        )
}

fn some_uri() -> Check {
    let with = |all: &[Name]| directly(&leaf().extended([names(false, all)]));
    check("X509-03", "§2", "a leaf without a URI is refused")
        .accepts("a URI", with(&[uri(ID)]), "it has one URI")
        .refuses("a DNS name alone", with(&[dns("example.org")]), "it has no URI")
        .refuses("no names", directly(&leaf().without("2.5.29.17")), "it has no URI")
        .refuses("an ID as a DNS name", with(&[dns(ID)]), "it has no URI")
        .refuses("an empty list of names", with(&[]), "it has no URI")
}

fn other_names() -> Check {
    let all = [
        uri(ID),
        dns("a.example.org"),
        dns("b.example.org"),
        dns("c.example.org"),
        dns("d.example.org"),
        dns("e.example.org"),
        Name::Ip(vec![10, 0, 0, 1]),
        Name::Email("a@example.org".to_owned()),
    ];
    let others = [
        Name::Ip([0; 16].to_vec()),
        Name::Directory(crate::forge::certificate::common_name("someone")),
        Name::Registered("1.3.6.1.4.1.32473.2".to_owned()),
        uri(ID),
        Name::Other,
    ];
    check("X509-04", "§2", "names of other kinds may stand beside the URI")
        .yields(
            "verified",
            directly(&leaf().extended([names(false, &all)])),
            json!({ "id": ID }),
            "the URI is the only one",
        )
        .yields(
            "all other kinds",
            directly(&leaf().extended([names(false, &others)])),
            json!({ "id": ID }),
            "the URI is the only one",
        )
        .yields(
            "issued",
            Members { dns: vec!["a.example.org".into(), "b.example.org".into()], ..issue(&[ID]) }.into(),
            json!({ "uris": [ID], "names": 3 }),
            "DNS names can be asked for",
        )
        .refuses(
            "no ASCII",
            Members { dns: vec!["tést.example.org".into()], ..issue(&[ID]) }.into(),
            "a DNS name is an IA5String (RFC 5280 §4.2.1.6)",
        )
}

fn path_issued() -> Check {
    check("X509-05", "§3.1", "an issuer gives a leaf an ID with a path")
        .accepts("a path", issue(&[ID]).into(), "it has a path")
        .refuses(
            "no path",
            issue(&["spiffe://example.org"]).into(),
            "it names the trust domain and no workload",
        )
        .refuses("a slash", issue(&["spiffe://example.org/"]).into(), "it is no SPIFFE ID")
}

fn critical_names() -> Check {
    check("X509-06", "§3.1", "without a subject the alternative names are critical")
        .yields(
            "issued without a subject",
            Members { subject_empty: true, ..issue(&[ID]) }.into(),
            json!({ "subject_empty": true, "names_critical": true }),
            "the names are all that there is",
        )
        .accepts(
            "no subject, critical names",
            directly(&leaf().named(no_name()).extended([names(true, &[uri(ID)])])),
            "this is the form",
        )
        .accepts("a subject, names not critical", directly(&leaf()), "this is allowed")
        .accepts(
            "a subject, critical names",
            directly(&leaf().extended([names(true, &[uri(ID)])])),
            "this is allowed",
        )
        .only(
            Only::Accepted,
            "it binds issuers; verifiers are asked for nothing, and Go and OpenSSL look at nothing",
        )
}

fn not_an_authority_issued() -> Check {
    check("X509-15", "§4.1", "a leaf is no authority")
        .yields("issued", issue(&[ID]).into(), json!({ "ca": false }), "the extension is there and says no")
        .accepts("says no", directly(&leaf()), "it is no authority")
        .accepts(
            "says nothing",
            directly(&leaf().without("2.5.29.19")),
            "who says nothing is no authority (RFC 5280 §4.2.1.9)",
        )
        .refuses(
            "says yes",
            directly(&leaf().extended([constraints(true, true, None)])),
            "it is an authority",
        )
}

fn key_usage_present() -> Check {
    check("X509-17", "§4.3", "every SVID has a key usage")
        .yields(
            "leaf",
            issue(&[ID]).into(),
            json!({ "key_usage": ["digitalSignature", "keyEncipherment", "keyAgreement"] }),
            "it is there",
        )
        .yields(
            "authority",
            issue_authority("spiffe://example.org").into(),
            json!({ "key_usage": ["keyCertSign", "cRLSign"] }),
            "it is there",
        )
        .only(Only::Accepted, NO_OTHER_WAY)
}

fn key_usage_critical() -> Check {
    check("X509-18", "§4.3", "the key usage is critical")
        .yields("leaf", issue(&[ID]).into(), json!({ "key_usage_critical": true }), "it is critical")
        .yields(
            "authority",
            issue_authority("spiffe://example.org").into(),
            json!({ "key_usage_critical": true }),
            "it is critical",
        )
        .accepts(
            "verified though it is not",
            directly(&leaf().extended([key_usage(false, &[Usage::DigitalSignature])])),
            "it binds issuers",
        )
        .only(Only::Accepted, NO_OTHER_WAY)
}

fn digital_signature() -> Check {
    check("X509-20", "§4.3", "a leaf's key signs")
        .yields(
            "issued",
            issue(&[ID]).into(),
            json!({ "key_usage": ["digitalSignature", "keyEncipherment", "keyAgreement"] }),
            "it signs",
        )
        .accepts("verified", directly(&leaf()), "it signs")
        .only(Only::Accepted, NO_OTHER_WAY)
}

fn other_usages() -> Check {
    let all = [Usage::DigitalSignature, Usage::KeyEncipherment, Usage::KeyAgreement];
    check("X509-21", "§4.3", "a leaf's key may be for encryption and agreement, too")
        .accepts("all three", directly(&leaf().extended([key_usage(true, &all)])), "they are allowed")
        .accepts(
            "contentCommitment, too",
            directly(
                &leaf().extended([key_usage(true, &[Usage::DigitalSignature, Usage::ContentCommitment])]),
            ),
            "nothing forbids it",
        )
        .only(Only::Accepted, "it allows, and forbids nothing")
}

fn no_signing_usages() -> Check {
    check("X509-22", "§4.3", "a leaf's key signs neither certificates nor revocation lists")
        .yields(
            "issued",
            issue(&[ID]).into(),
            json!({ "key_usage": ["digitalSignature", "keyEncipherment", "keyAgreement"] }),
            "it has none of the two",
        )
        .only(
            Only::Accepted,
            "a request can ask an issuer for nothing else; what verifiers do is X509-28 and X509-29",
        )
}

fn purposes_present() -> Check {
    check("X509-23", "§4.4", "a leaf should have purposes, which may be critical")
        .yields(
            "issued",
            issue(&[ID]).into(),
            json!({ "purposes": ["serverAuth", "clientAuth"] }),
            "they are there",
        )
        .accepts("none", directly(&leaf().without("2.5.29.37")), "they may be left away")
        .accepts(
            "critical",
            directly(&leaf().extended([purposes(true, &[SERVER_AUTH, CLIENT_AUTH])])),
            "they may be critical",
        )
        .only(Only::Accepted, "it allows, and forbids nothing")
}

fn both_purposes() -> Check {
    let with = |all: &[&str]| leaf().extended([purposes(false, all)]);
    let on = |side, all: &[&str]| -> Input {
        Chain { side: Some(side), ..chain([with(all).signed_by(&root())]) }.into()
    };
    check("X509-24", "§4.4; RFC 5280 §4.2.1.12", "purposes, if there are any, are both those of TLS")
        .yields(
            "issued",
            issue(&[ID]).into(),
            json!({ "purposes": ["serverAuth", "clientAuth"] }),
            "both are there",
        )
        .accepts("both", directly(&leaf()), "both are there")
        .accepts(
            "a third",
            directly(&with(&[SERVER_AUTH, CLIENT_AUTH, ANY_PURPOSE])),
            "others may be there as well",
        )
        .accepts(
            "clients alone, on a client",
            on(Side::Client, &[CLIENT_AUTH]),
            "issuers write both, and the one at hand is there",
        )
        .refuses("clients alone, on a server", on(Side::Server, &[CLIENT_AUTH]), "it is not for this purpose")
        .refuses("code signing alone", directly(&with(&[CODE_SIGNING])), "it is for no purpose of an SVID")
}
