//! Path validation (§5.1; RFC 5280 §6.1).

use super::super::scene::*;
use super::check;
use crate::forge::certificate::{Certificate, assemble, common_name, key_id};
use crate::forge::der::{integer, oid, sequence};
use crate::forge::extension::{Usage, constraints, extension, key_usage, unknown};
use crate::forge::key::{Hash, Scheme, signature_algorithm};
use crate::forge::keys::key;
use crate::forge::moment::{DAY, HOUR, NOW, time};
use crate::format::{Check, Input};
use crate::kinds::x509_svid::Members;

pub(super) fn check_all() -> Check {
    let check = check("X509-26", "§5.1; RFC 5280 §6.1", "the chain validates by RFC 5280 against the bundle");
    [times, signatures, algorithms, names, authorities, extensions, policies, anchors, forms]
        .into_iter()
        .fold(check, |check, more| more(check))
}

fn times(check: Check) -> Check {
    let valid = |from, until| directly(&leaf().valid(from, until));
    let between = |from, until| below(&intermediate().valid(from, until));
    check
        .accepts("valid leaf", directly(&leaf()), "it is valid now")
        .refuses("expired leaf", valid(NOW - HOUR, NOW - 1), "it ended a second ago")
        .accepts("last second of a leaf", valid(NOW - HOUR, NOW), "the end is part of the period")
        .accepts("first second of a leaf", valid(NOW, NOW + HOUR), "the start is part of the period")
        .refuses("leaf of the future", valid(NOW + 1, NOW + HOUR), "it starts in a second")
        .refuses("backward period", valid(NOW + HOUR, NOW - HOUR), "it ends before it starts")
        .refuses("expired intermediate", between(NOW - DAY, NOW - 1), "it ended a second ago")
        .refuses("intermediate of the future", between(NOW + 1, NOW + DAY), "it starts in a second")
        .accepts(
            "leaf beyond its authority",
            directly(&leaf().valid(NOW - HOUR, NOW + 100 * DAY)),
            "each is judged alone, and all are valid now",
        )
        .accepts(
            "leaf until 2060",
            valid(NOW - HOUR, 2_840_140_800),
            "moments from 2050 on are GeneralizedTime",
        )
        .accepts("leaf since 1960", valid(-315_619_200, NOW + HOUR), "moments before 1970 are moments")
}

fn signatures(check: Check) -> Check {
    let flipped = |mut der: Vec<u8>, back: usize| {
        let at = der.len() - back;
        der[at] ^= 1;
        der
    };
    let by_root = || leaf().signed_by(&root());
    let by_other = leaf().sign(&root().subject, key("ec256-other"), Some(&key_id(root().key)));
    let between_by_other =
        intermediate().sign(&root().subject, key("ec256-other"), Some(&key_id(root().key)));
    let mut content = by_root();
    replace(&mut content, &time(NOW + HOUR)[2..], &time(NOW + 2 * HOUR)[2..]);
    let empty = {
        let scheme = key("ec256-root").usual();
        let tbs = leaf().to_be_signed(&root().subject, scheme, None);
        assemble(&tbs, scheme, &[])
    };
    check
        .refuses(
            "last bit of the signature",
            chain([flipped(by_root(), 1)]).into(),
            "the signature does not hold",
        )
        .refuses("changed content", chain([content]).into(), "the signature does not hold")
        .refuses("no signature", chain([empty]).into(), "there is none")
        .refuses("another key", chain([by_other]).into(), "the root's key did not sign it")
        .refuses(
            "intermediate by another key",
            chain([leaf().signed_by(&intermediate()), between_by_other]).into(),
            "the root's key did not sign it",
        )
        .refuses("signed by itself", chain([leaf().self_signed()]).into(), "no authority signed it")
        .refuses(
            "signed by a leaf",
            {
                let above = leaf_of("spiffe://example.org/above");
                let under = Certificate::leaf(ID, key("ec256-other"));
                chain([under.signed_by(&above), above.signed_by(&root())]).into()
            },
            "a leaf signs nothing",
        )
}

/// The workload's leaf below a root with a key, signed by a scheme.
fn signed_by(name: &str, scheme: Scheme) -> Input {
    let root = Certificate::authority("root", "example.org", key(name));
    let leaf = Certificate { scheme: Some(scheme), ..leaf() };
    let trusted = roots("example.org", [root.self_signed()]);
    Members { bundles: trusted, ..chain([leaf.signed_by(&root)]) }.into()
}

fn algorithms(check: Check) -> Check {
    use Hash::{Sha1, Sha256, Sha384, Sha512};
    use Scheme::{Ecdsa, Pkcs1, Pss};
    let leaf_on = |name| directly(&Certificate::leaf(ID, key(name)));
    let differ = {
        let root = Certificate::authority("root", "example.org", key("rsa2048-root"));
        let tbs = leaf().to_be_signed(&root.subject, Pkcs1(Sha256), None);
        let der = sequence(&[
            &tbs,
            &signature_algorithm(Pkcs1(Sha384)),
            &crate::forge::der::bits(&root.key.sign(Pkcs1(Sha384), &tbs)),
        ]);
        Members { bundles: roots("example.org", [root.self_signed()]), ..chain([der]) }
    };
    check
        .accepts("ECDSA P-384", signed_by("ec384-root", Ecdsa(Sha384)), "it is a usual algorithm")
        .accepts("ECDSA P-521", signed_by("ec521-root", Ecdsa(Sha512)), "it is a usual algorithm")
        .accepts(
            "ECDSA P-256 with SHA-384",
            signed_by("ec256-root", Ecdsa(Sha384)),
            "curve and hash need not be of one size in X.509",
        )
        .accepts(
            "ECDSA P-384 with SHA-256",
            signed_by("ec384-root", Ecdsa(Sha256)),
            "curve and hash need not be of one size in X.509",
        )
        .accepts("RSA with SHA-256", signed_by("rsa2048-root", Pkcs1(Sha256)), "it is a usual algorithm")
        .accepts("RSA with SHA-384", signed_by("rsa2048-root", Pkcs1(Sha384)), "it is a usual algorithm")
        .accepts("RSA with SHA-512", signed_by("rsa2048-root", Pkcs1(Sha512)), "it is a usual algorithm")
        .accepts("RSA-PSS with SHA-256", signed_by("rsa2048-root", Pss(Sha256)), "it is a usual algorithm")
        .accepts("RSA-PSS with SHA-384", signed_by("rsa2048-root", Pss(Sha384)), "it is a usual algorithm")
        .accepts("RSA-PSS with SHA-512", signed_by("rsa2048-root", Pss(Sha512)), "it is a usual algorithm")
        .refuses("RSA with SHA-1", signed_by("rsa2048-root", Pkcs1(Sha1)), "SHA-1 is broken")
        .refuses("ECDSA with SHA-1", signed_by("ec256-root", Ecdsa(Sha1)), "SHA-1 is broken")
        .refuses("RSA of 1024 bits", signed_by("rsa1024", Pkcs1(Sha256)), "the key is too short to be safe")
        .accepts("leaf on P-384", leaf_on("ec384-leaf"), "any usual key will do")
        .accepts("leaf on P-521", leaf_on("ec521-leaf"), "any usual key will do")
        .accepts("leaf on RSA", leaf_on("rsa2048-other"), "any usual key will do")
        .refuses("two algorithms", differ.into(), "the one within is not the one outside (RFC 5280 §4.1.1.2)")
}

fn names(check: Check) -> Check {
    let issuer = |name: &[u8]| chain([leaf().sign(name, root().key, Some(&key_id(root().key)))]).into();
    let again = |authority: &str| {
        let other = Certificate::authority(authority, "example.org", key("ec256-other"));
        roots("example.org", [other.self_signed(), root().self_signed()])
    };
    let same_name = Members { bundles: again("root"), ..chain([leaf().signed_by(&root())]) };
    check
        .refuses("another issuer's name", issuer(&stranger()), "the name is not the root's")
        .refuses("no issuer's name", issuer(&sequence(&[])), "the name is not the root's")
        .refuses(
            "the name in capitals",
            issuer(&common_name("ROOT")),
            "names are compared byte by byte, as Go and webpki do",
        )
        .accepts("two roots of one name", same_name.into(), "the one whose key signed it is found")
        .accepts(
            "another key identifier",
            chain([leaf().sign(&root().subject, root().key, Some(b"another"))]).into(),
            "key identifiers only help to find the issuer (RFC 5280 §4.2.1.1)",
        )
        .accepts(
            "no key identifier",
            chain([leaf().sign(&root().subject, root().key, None)]).into(),
            "it is not needed",
        )
}

fn authorities(check: Check) -> Check {
    let without_sign = intermediate().extended([key_usage(true, &[Usage::CrlSign])]);
    let only_digital = intermediate().extended([key_usage(true, &[Usage::DigitalSignature])]);
    let exceeded = intermediate().extended([constraints(true, true, Some(0))]);
    check
        .refuses(
            "intermediate that says no",
            below(&intermediate().extended([constraints(true, false, None)])),
            "it is no authority",
        )
        .refuses(
            "intermediate that says nothing",
            below(&intermediate().without("2.5.29.19")),
            "it is no authority",
        )
        .refuses(
            "intermediate without keyCertSign",
            below(&without_sign),
            "it may not sign certificates (RFC 5280 §6.1.4 (n))",
        )
        .refuses(
            "intermediate that signs messages",
            below(&only_digital),
            "it may not sign certificates (RFC 5280 §6.1.4 (n))",
        )
        .accepts(
            "intermediate without key usage",
            below(&intermediate().without("2.5.29.15")),
            "where nothing is said, all is allowed (RFC 5280 §6.1.4 (n))",
        )
        .refuses(
            "more authorities than allowed",
            chain([leaf().signed_by(&second()), second().signed_by(&exceeded), exceeded.signed_by(&root())])
                .into(),
            "the path length is exceeded",
        )
}

fn extensions(check: Check) -> Check {
    let broken = |dotted| directly(&leaf().extended([extension(dotted, true, &[0x30, 5])]));
    check
        .refuses(
            "unknown critical extension of the leaf",
            directly(&leaf().extended([unknown(true)])),
            "it is not understood",
        )
        .accepts(
            "unknown extension of the leaf",
            directly(&leaf().extended([unknown(false)])),
            "it need not be understood",
        )
        .refuses(
            "unknown critical extension of an intermediate",
            below(&intermediate().extended([unknown(true)])),
            "it is not understood",
        )
        .accepts(
            "unknown extension of an intermediate",
            below(&intermediate().extended([unknown(false)])),
            "it need not be understood",
        )
        .refuses("key usage that cannot be read", broken("2.5.29.15"), "it cannot be judged")
        .refuses("basic constraints that cannot be read", broken("2.5.29.19"), "it cannot be judged")
        .refuses("names that cannot be read", broken("2.5.29.17"), "it cannot be judged")
        .refuses(
            "two basic constraints",
            {
                let mut leaf = leaf();
                leaf.extensions.push(constraints(true, false, None));
                directly(&leaf)
            },
            "an extension may occur once (RFC 5280 §4.2)",
        )
}

fn policies(check: Check) -> Check {
    let policy = sequence(&[&sequence(&[&oid("1.3.6.1.4.1.32473.3")])]);
    let policies = || extension("2.5.29.32", true, &policy);
    let wanted = extension("2.5.29.36", true, &sequence(&[&[0x80, 1, 0]]));
    let inhibited = extension("2.5.29.54", true, &integer(&[0]));
    check
        .accepts(
            "critical policies",
            directly(&leaf().extended([policies()])),
            "none is asked for, so all are welcome",
        )
        .accepts(
            "critical policies along the chain",
            chain([
                leaf().extended([policies()]).signed_by(&intermediate().extended([policies()])),
                intermediate().extended([policies()]).signed_by(&root()),
            ])
            .into(),
            "none is asked for, so all are welcome",
        )
        .accepts("any policy inhibited", below(&intermediate().extended([inhibited])), "none is asked for")
        .refuses(
            "a policy wanted, and none there",
            below(&intermediate().extended([wanted])),
            "an authority asks for one (RFC 5280 §6.1.5)",
        )
}

fn anchors(check: Check) -> Check {
    let none = |bundles| Members { bundles, ..chain([leaf().signed_by(&root())]) };
    let elsewhere = roots("other.org", [root().self_signed()]);
    let rooted_between = Members {
        bundles: roots("example.org", [intermediate().signed_by(&root())]),
        ..chain([leaf().signed_by(&intermediate())])
    };
    let beside = {
        let expired = other_root("example.org").valid(NOW - DAY, NOW - HOUR);
        roots("example.org", [expired.self_signed(), root().self_signed()])
    };
    check
        .refuses(
            "authority not in the bundle",
            none(roots("example.org", [other_root("example.org").self_signed()])).into(),
            "the bundle has another authority",
        )
        .refuses(
            "authority in another bundle",
            none(elsewhere).into(),
            "only the bundle of its own trust domain counts",
        )
        .refuses("empty bundle", none(roots("example.org", [])).into(), "the bundle has no authority")
        .refuses("no bundle", none(Default::default()).into(), "there is no bundle")
        .accepts(
            "an intermediate as authority",
            rooted_between.into(),
            "an authority in the bundle need not sign itself",
        )
        .accepts("an authority that expired beside", none(beside).into(), "one that holds is enough")
        .refuses(
            "expired root",
            rooted(&root().valid(NOW - DAY, NOW - 1)),
            "an authority roots nothing after its end, as in Go",
        )
        .refuses(
            "root of the future",
            rooted(&root().valid(NOW + 1, NOW + DAY)),
            "an authority roots nothing before its start, as in Go",
        )
        .refuses(
            "root that says it is none",
            rooted(&root().extended([constraints(true, false, None)])),
            "it is no authority, as in Go",
        )
        .refuses(
            "root without keyCertSign",
            rooted(&root().extended([key_usage(true, &[Usage::CrlSign])])),
            "it may not sign certificates, as in Go",
        )
        .accepts(
            "root without key usage",
            rooted(&root().without("2.5.29.15")),
            "where nothing is said, all is allowed",
        )
}

fn forms(check: Check) -> Check {
    let by_root = leaf().signed_by(&root());
    let padded = [&by_root[..], &[0]].concat();
    let short = by_root[..by_root.len() - 1].to_vec();
    let serial = |serial: &[u8]| directly(&Certificate { serial: Some(serial.to_vec()), ..leaf() });
    let many: Vec<Vec<u8>> = std::iter::once(by_root.clone())
        .chain(std::iter::repeat_n(intermediate().signed_by(&root()), 16))
        .collect();
    let unneeded = [by_root.clone(), intermediate().signed_by(&root()), second().signed_by(&intermediate())];
    let alike: Vec<Vec<u8>> = std::iter::once(leaf().signed_by(&intermediate()))
        .chain((1..15).map(|n| {
            Certificate { serial: Some(vec![n]), ..intermediate() }.signed_by(&other_root("example.org"))
        }))
        .chain([intermediate().signed_by(&root())])
        .collect();
    let garbage = [by_root.clone(), integer(&[1])];
    check
        .refuses("no certificate", chain([]).into(), "there is nothing")
        .refuses("a byte behind", chain([padded]).into(), "it is no certificate")
        .refuses("a byte missing", chain([short]).into(), "it is no certificate")
        .refuses("no certificate among them", chain(garbage).into(), "one of the chain is no certificate")
        .accepts("long serial number", serial(&[0x7f; 20]), "20 bytes are allowed (RFC 5280 §4.1.2.2)")
        .accepts("certificates that are not needed", chain(unneeded).into(), "they do no harm")
        .accepts(
            "fifteen authorities of one name and key",
            chain(alike).into(),
            "the one that the root signed is found",
        )
        .refuses("17 certificates", chain(many).into(), "a chain has a bound")
}
