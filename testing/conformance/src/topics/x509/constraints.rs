//! Name constraints on authorities (§4.2; RFC 5280 §4.2.1.10).

use super::super::scene::*;
use super::check;
use crate::forge::certificate::{Certificate, common_name, no_name};
use crate::forge::der::{oid, sequence, tlv};
use crate::forge::extension::{Name, dns, extension, name_constraints, names, uri, uris};
use crate::format::{Check, Input};
use crate::kinds::issue_x509_authority::Members as Issue;
use crate::kinds::x509_svid::Members;
use serde_json::json;

fn check_uris(check: Check) -> Check {
    let permitted =
        |all: &[&str]| below(&constrained(&all.iter().map(|host| uri(host)).collect::<Vec<_>>(), &[]));
    let excluded =
        |all: &[&str]| below(&constrained(&[], &all.iter().map(|host| uri(host)).collect::<Vec<_>>()));
    check
        .accepts(
            "permitted host",
            permitted(&["example.org"]),
            "the trust domain is the host that is permitted",
        )
        .accepts(
            "one of two permitted hosts",
            permitted(&["other.org", "example.org"]),
            "one of them is the trust domain",
        )
        .accepts("permitted domain", permitted(&[".org"]), "a dot before permits what is below")
        .accepts("excluded other host", excluded(&["other.org"]), "the trust domain is another")
        .accepts(
            "excluded domain below",
            excluded(&[".example.org"]),
            "the trust domain itself is not below itself",
        )
        .accepts("excluded part of the name", excluded(&["ample.org"]), "a host is matched as a whole")
        .refuses("permitted other host", permitted(&["other.org"]), "the trust domain is another")
        .refuses(
            "permitted domain below",
            permitted(&[".example.org"]),
            "the trust domain itself is not below itself",
        )
        .refuses("permitted parent", permitted(&["org"]), "without a dot before a host is matched as a whole")
        .refuses("permitted part of the name", permitted(&["ample.org"]), "a host is matched as a whole")
        .refuses("excluded host", excluded(&["example.org"]), "the trust domain is the host that is excluded")
        .refuses("excluded domain", excluded(&[".org"]), "the trust domain is below")
        .refuses(
            "permitted and excluded",
            below(&constrained(&[uri("example.org")], &[uri("example.org")])),
            "what is excluded is not permitted",
        )
        .accepts(
            "permitted host in capitals",
            permitted(&["EXAMPLE.org"]),
            "hosts are compared without regard to case",
        )
        .refuses(
            "excluded host in capitals",
            excluded(&["EXAMPLE.ORG"]),
            "hosts are compared without regard to case",
        )
        .refuses("excluded everything", excluded(&[""]), "an empty constraint matches every host")
        .accepts(
            "not critical",
            below(&intermediate().extended([name_constraints(false, &[uri("example.org")], &[])])),
            "it holds all the same",
        )
        .refuses(
            "not critical, other host",
            below(&intermediate().extended([name_constraints(false, &[uri("other.org")], &[])])),
            "it holds all the same",
        )
}

/// An intermediate with name constraints.
fn constrained(permitted: &[Name], excluded: &[Name]) -> Certificate {
    intermediate().extended([name_constraints(true, permitted, excluded)])
}

/// A leaf of any trust domain below an intermediate that permits a host.
fn in_domain(trust_domain: &str, host: &str) -> Input {
    let root = other_root(trust_domain);
    let between = constrained(&[uri(host)], &[]).without("2.5.29.17");
    let leaf = leaf_of(&format!("spiffe://{trust_domain}/workload"));
    let chain = chain([leaf.signed_by(&between), between.signed_by(&root)]);
    Members { bundles: roots(trust_domain, [root.self_signed()]), ..chain }.into()
}

fn check_hosts(check: Check) -> Check {
    check
        .accepts("below a permitted domain", in_domain("a.example.org", ".example.org"), "it is below")
        .accepts("two below a permitted domain", in_domain("b.a.example.org", ".example.org"), "it is below")
        .refuses(
            "below a permitted host",
            in_domain("a.example.org", "example.org"),
            "without a dot before a host is matched as a whole",
        )
        .refuses(
            "an address",
            in_domain("10.0.0.1", "10.0.0.1"),
            "a host that is an address fails every constraint (RFC 5280 §4.2.1.10)",
        )
}

/// A leaf with names, below an intermediate that permits and excludes others.
fn with_names(all: &[Name], permitted: &[Name], excluded: &[Name]) -> Input {
    let between = constrained(permitted, excluded);
    let named = [&[uri(ID)], all].concat();
    let leaf = leaf().extended([names(false, &named)]);
    chain([leaf.signed_by(&between), between.signed_by(&root())]).into()
}

fn check_other_forms(check: Check) -> Check {
    let ip = |bytes: [u8; 8]| Name::Ip(bytes.to_vec());
    let address = |bytes: [u8; 4]| Name::Ip(bytes.to_vec());
    let email = |text: &str| Name::Email(text.to_owned());
    let directory = |text: &str| Name::Directory(common_name(text));
    let ten = ip([10, 0, 0, 0, 255, 0, 0, 0]);
    let registered = Name::Registered("1.3.6.1.4.1.32473.2".to_owned());
    check
        .accepts(
            "other forms alone",
            with_names(&[], &[dns("example.com"), ten.clone(), email("example.com")], &[]),
            "a form that is not constrained is free, and one that does not occur is not looked at",
        )
        .accepts(
            "DNS permitted",
            with_names(&[dns("a.example.com")], &[dns("example.com")], &[]),
            "it is below",
        )
        .refuses(
            "DNS not permitted",
            with_names(&[dns("a.example.net")], &[dns("example.com")], &[]),
            "it is not below",
        )
        .refuses(
            "one of two DNS names not permitted",
            with_names(&[dns("a.example.com"), dns("a.example.net")], &[dns("example.com")], &[]),
            "each name must be permitted",
        )
        .refuses(
            "DNS excluded",
            with_names(&[dns("a.example.com")], &[], &[dns("example.com")]),
            "it is below",
        )
        .accepts(
            "DNS not excluded",
            with_names(&[dns("myexample.com")], &[], &[dns("example.com")]),
            "labels are matched as a whole",
        )
        .accepts(
            "address permitted",
            with_names(&[address([10, 1, 2, 3])], std::slice::from_ref(&ten), &[]),
            "it is in the range",
        )
        .refuses(
            "address not permitted",
            with_names(&[address([11, 1, 2, 3])], std::slice::from_ref(&ten), &[]),
            "it is outside of the range",
        )
        .refuses(
            "address excluded",
            with_names(&[address([10, 1, 2, 3])], &[], std::slice::from_ref(&ten)),
            "it is in the range",
        )
        .accepts(
            "mailbox permitted",
            with_names(&[email("a@example.com")], &[email("a@example.com")], &[]),
            "it is that one",
        )
        .accepts(
            "mail host permitted",
            with_names(&[email("a@example.com")], &[email("example.com")], &[]),
            "it is at that host",
        )
        .refuses(
            "mail host not permitted",
            with_names(&[email("a@mail.example.com")], &[email("example.com")], &[]),
            "it is at another host",
        )
        .accepts(
            "mail domain permitted",
            with_names(&[email("a@mail.example.com")], &[email(".example.com")], &[]),
            "it is at a host below",
        )
        .refuses(
            "mail host excluded",
            with_names(&[email("a@example.com")], &[], &[email("example.com")]),
            "it is at that host",
        )
        .accepts(
            "subject permitted",
            below(&constrained(&[directory("leaf")], &[])),
            "the subject is in the subtree",
        )
        .refuses(
            "subject not permitted",
            below(&constrained(&[directory("someone")], &[])),
            "the subject is outside of the subtree",
        )
        .refuses(
            "subject excluded",
            below(&constrained(&[], &[directory("leaf")])),
            "the subject is in the subtree",
        )
        .refuses(
            "directory name not permitted",
            with_names(&[directory("someone")], &[directory("leaf")], &[]),
            "the alternative name is outside of the subtree",
        )
        .accepts(
            "no subject",
            {
                let between = constrained(&[directory("someone")], &[]);
                let leaf = leaf().named(no_name()).extended([names(true, &[uri(ID)])]);
                chain([leaf.signed_by(&between), between.signed_by(&root())]).into()
            },
            "an empty subject is not looked at (RFC 5280 §6.1.3)",
        )
        .refuses(
            "a form that nobody matches",
            with_names(std::slice::from_ref(&registered), &[], std::slice::from_ref(&registered)),
            "what is constrained and cannot be judged is refused",
        )
        .accepts(
            "a form that nobody matches, and nobody has",
            with_names(&[], &[], &[registered]),
            "it does not occur",
        )
}

fn check_structure(check: Check) -> Check {
    let two = |first: &Certificate, second: &Certificate| -> Input {
        chain([leaf().signed_by(second), second.signed_by(first), first.signed_by(&root())]).into()
    };
    let permits = |certificate: Certificate, host: &str| {
        certificate.extended([name_constraints(true, &[uri(host)], &[])])
    };
    let raw = |value: &[u8]| below(&intermediate().extended([extension("2.5.29.30", true, value)]));
    let subtree = |parts: &[&[u8]]| {
        sequence(&[&tlv(0xa0, &[&sequence(&[&[&uri("example.org").der()[..]], parts].concat())])])
    };
    let elsewhere = second().extended([uris(&["spiffe://other.org"])]);
    check
        .accepts(
            "two authorities permit it",
            two(&permits(intermediate(), "example.org"), &permits(second(), "example.org")),
            "both permit it",
        )
        .refuses(
            "the upper does not",
            two(
                &permits(intermediate(), "other.org"),
                &permits(second(), "example.org").without("2.5.29.17"),
            ),
            "a lower authority cannot widen",
        )
        .refuses(
            "the lower does not",
            two(&permits(intermediate(), "example.org"), &permits(second(), "other.org")),
            "each narrows",
        )
        .refuses(
            "an authority is outside",
            two(&permits(intermediate(), "example.org"), &elsewhere),
            "the names of authorities below are constrained, too",
        )
        .refuses(
            "a minimum",
            raw(&subtree(&[&[0x80, 1, 1]])),
            "a distance other than 0 is not used (RFC 5280 §4.2.1.10)",
        )
        .refuses("a maximum", raw(&subtree(&[&[0x81, 1, 1]])), "there is none (RFC 5280 §4.2.1.10)")
        .refuses("no content", raw(&[]), "it cannot be read")
        .refuses("another content", raw(&oid("1.2.3")), "it cannot be read")
        .refuses(
            "a range that is short",
            with_names(&[Name::Ip(vec![10, 0, 0, 1])], &[], &[Name::Ip(vec![10, 0, 0])]),
            "it cannot be judged",
        )
}

/// An issuer is asked for constraints.
fn issued(check: Check) -> Check {
    let asked = |permitted: &[&str], excluded: &[&str]| -> Input {
        let texts = |hosts: &[&str]| hosts.iter().map(|host| (*host).to_owned()).collect();
        Issue {
            permitted: texts(permitted),
            excluded: texts(excluded),
            ..issue_authority("spiffe://example.org")
        }
        .into()
    };
    check
        .yields(
            "issued",
            asked(&["example.org"], &[]),
            json!({ "permitted_uris": ["example.org"], "name_constraints_critical": true }),
            "it is written as it was asked for",
        )
        .accepts(
            "issued with what is excluded",
            asked(&[".org"], &["other.org"]),
            "the trust domain is permitted",
        )
        .refuses("issued for others", asked(&["other.org"], &[]), "the authority could sign nothing")
        .refuses("issued against itself", asked(&[], &["example.org"]), "the authority could sign nothing")
        .refuses("issued for no host", asked(&[""], &[]), "it is no host")
}

pub(super) fn check_all() -> Check {
    let check = check(
        "X509-16",
        "§4.2; RFC 5280 §4.2.1.10",
        "name constraints of authorities hold for what is below",
    );
    issued(check_structure(check_other_forms(check_hosts(check_uris(check)))))
}
