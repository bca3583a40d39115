//! Revocation lists, which the Workload API carries as an option (SPIFFE_Workload_API.md §5.1; RFC 5280 §5, §6.3).

use serde_json::json;

use super::scene::*;
use crate::forge::certificate::Certificate;
use crate::forge::crl::{Crl, delta, partial, reason};
use crate::forge::extension::{Usage, extension, key_usage, unknown};
use crate::forge::moment::{DAY, HOUR, NOW};
use crate::format::{Check, Input};
use crate::kinds::input::Bytes;
use crate::kinds::revocation::Members;

/// The serial number of the workload's leaf here.
const LEAF: &[u8] = &[0x11, 0x22, 0x33];
/// The serial number of the intermediate here.
const BETWEEN: &[u8] = &[0x44, 0x55];

fn numbered(certificate: Certificate, serial: &[u8]) -> Certificate {
    Certificate { serial: Some(serial.to_vec()), ..certificate }
}

/// A leaf that the root signed, and these lists.
fn judged(strict: bool, crls: &[Vec<u8>]) -> Input {
    members(chain([numbered(leaf(), LEAF).signed_by(&root())]), strict, crls)
}

/// A leaf below an intermediate, and these lists.
fn judged_below(strict: bool, crls: &[Vec<u8>]) -> Input {
    let between = numbered(intermediate(), BETWEEN);
    let chain = chain([numbered(leaf(), LEAF).signed_by(&between), between.signed_by(&root())]);
    members(chain, strict, crls)
}

fn members(chain: crate::kinds::x509_svid::Members, strict: bool, crls: &[Vec<u8>]) -> Input {
    let crls = crls.iter().cloned().map(Bytes).collect();
    Members { chain: chain.chain, bundles: chain.bundles, crls, strict, now: NOW }.into()
}

/// The check that revocation lists belong to.
pub(super) fn check() -> Check {
    let check = Check::new(
        "WAPI-28",
        "SPIFFE_Workload_API.md §5.1; RFC 5280 §5, §6.3",
        "revocation lists are optional; where they are looked at, what they revoke is refused",
    );
    issuers(lists(entries(check)))
}

fn entries(check: Check) -> Check {
    let of = |serials: &[&[u8]]| Crl::of(serials).signed_by(&root());
    let with_reason =
        |code| Crl { revoked: vec![(LEAF.to_vec(), vec![reason(code)])], ..Crl::of(&[]) }.signed_by(&root());
    check
        .yields("an empty list", judged(true, &[of(&[])]), json!({ "id": ID }), "nothing is revoked")
        .accepts(
            "another is revoked",
            judged(true, &[of(&[&[0x11, 0x22]])]),
            "serial numbers are compared as a whole",
        )
        .refuses("the leaf is revoked", judged(true, &[of(&[LEAF])]), "it is on the list")
        .refuses("one of many", judged(true, &[of(&[&[1], &[2], LEAF, &[3]])]), "it is on the list")
        .refuses(
            "revoked though lists are optional",
            judged(false, &[of(&[LEAF])]),
            "a list that is there counts",
        )
        .refuses("with a reason", judged(true, &[with_reason(1)]), "whatever the reason")
        .refuses("on hold", judged(true, &[with_reason(6)]), "what is on hold is not to be relied on")
        .refuses(
            "the intermediate is revoked",
            judged_below(false, &[of(&[BETWEEN])]),
            "each certificate of the path is looked up",
        )
        .accepts(
            "the intermediate's list is empty",
            judged_below(true, &[of(&[]), Crl::of(&[]).signed_by(&intermediate())]),
            "nothing is revoked",
        )
        .refuses(
            "the leaf, by the intermediate",
            judged_below(false, &[Crl::of(&[LEAF]).signed_by(&intermediate())]),
            "it is on the list of its issuer",
        )
        .accepts(
            "the leaf, by the root, which did not sign it",
            judged_below(false, &[of(&[LEAF])]),
            "a list is about what its issuer signed",
        )
}

fn lists(check: Check) -> Check {
    let made = |from, until| Crl::of(&[]).between(from, until).signed_by(&root());
    let marked = |extension| Crl::of(&[]).extended([extension]).signed_by(&root());
    let twice = Crl::of(&[]).extended([crate::forge::crl::number(2)]).signed_by(&root());
    let newer = Crl::of(&[]).between(NOW - HOUR / 2, Some(NOW + HOUR)).signed_by(&root());
    let old = Crl::of(&[LEAF]).signed_by(&root());
    let strange = Crl { revoked: vec![(vec![9], vec![unknown(true)])], ..Crl::of(&[]) }.signed_by(&root());
    check
        .accepts("no list", judged(false, &[]), "lists are optional")
        .refuses("no list where one is asked for", judged(true, &[]), "it cannot be looked up")
        .refuses(
            "a list out of date where one is asked for",
            judged(true, &[made(NOW - DAY, Some(NOW - 1))]),
            "there should be a newer one",
        )
        .accepts(
            "a list out of date",
            judged(false, &[made(NOW - DAY, Some(NOW - 1))]),
            "it revokes nothing, and lists are optional",
        )
        .refuses(
            "a list of the future where one is asked for",
            judged(true, &[made(NOW + 1, Some(NOW + DAY))]),
            "it does not count yet",
        )
        .refuses(
            "a list without an end where one is asked for",
            judged(true, &[made(NOW - HOUR, None)]),
            "it must say when the next one comes (RFC 5280 §5.1.2.5)",
        )
        .refuses(
            "a delta where a list is asked for",
            judged(true, &[marked(delta())]),
            "it says what changed alone",
        )
        .refuses(
            "a list of some where one is asked for",
            judged(true, &[marked(partial())]),
            "it is about some certificates alone",
        )
        .refuses(
            "an unknown critical extension",
            judged(true, &[marked(unknown(true))]),
            "it is not understood",
        )
        .accepts("an unknown extension", judged(true, &[marked(unknown(false))]), "it need not be understood")
        .refuses(
            "an unknown critical extension of an entry",
            judged(true, &[strange]),
            "it is not understood",
        )
        .refuses("an extension twice", judged(true, &[twice]), "an extension may occur once")
        .refuses(
            "version 1",
            judged(true, &[Crl { version: 0, ..Crl::of(&[]) }.signed_by(&root())]),
            "extensions need version 2",
        )
        .accepts(
            "a newer one that revokes nothing",
            judged(true, &[old, newer]),
            "the newest counts: what was on hold may be free again",
        )
        .refuses("no list at all", judged(true, &[b"list".to_vec()]), "it cannot be read")
}

fn issuers(check: Check) -> Check {
    let elsewhere = Crl::of(&[]).signed_as(&root(), &other_root("example.org"));
    let revoking = Crl::of(&[LEAF]).signed_as(&root(), &other_root("example.org"));
    let mut changed = Crl::of(&[&[0x11, 0x22, 0x34]]).signed_by(&root());
    replace(&mut changed, &[2, 3, 0x11, 0x22, 0x34], &[2, 3, 0x11, 0x22, 0x33]);
    let silent = root().extended([key_usage(true, &[Usage::KeyCertSign])]);
    let by_silent = {
        let chain = chain([numbered(leaf(), LEAF).signed_by(&silent)]);
        let bundles = roots("example.org", [silent.self_signed()]);
        members(
            crate::kinds::x509_svid::Members { bundles, ..chain },
            true,
            &[Crl::of(&[]).signed_by(&silent)],
        )
    };
    let indirect = Crl::of(&[]).extended([extension("2.5.29.28", true, &[0x30, 3, 0x84, 1, 0xff])]);
    check
        .refuses(
            "by another key where a list is asked for",
            judged(true, &[elsewhere]),
            "its issuer did not sign it",
        )
        .accepts(
            "revoked by another key",
            judged(false, &[revoking]),
            "what its issuer did not sign is no list",
        )
        .accepts("changed", judged(false, &[changed]), "what its issuer did not sign is no list")
        .refuses(
            "by an authority that signs no lists",
            by_silent,
            "its key usage lacks cRLSign (RFC 5280 §6.3.3)",
        )
        .refuses(
            "an indirect list where one is asked for",
            judged(true, &[indirect.signed_by(&root())]),
            "it is about what others signed",
        )
}
