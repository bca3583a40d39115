//! RFC 5280 §6.1: paths from a leaf to an authority.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self as lc, EcdsaKeyPair, KeyPair};
use spiffe::bundle::{Bundle, X509Authority};
use spiffe::key::{PrivateKey, PublicKey, SigAlg, Signer};
use spiffe::x509::path::{PathFault, Position};
use spiffe::x509::{
    CaSubject, CaTemplate, Certificate, IssueError, LeafTemplate, Side, VerifiedSvid, VerifyError,
    VerifyOptions, X509Issuer, X509Svid,
};

use super::forge::*;

const ID: &str = "spiffe://example.org/a";

fn proper() -> Vec<Vec<u8>> {
    vec![signs(), constraints(false, None), uris(&[ID])]
}

fn ca_with(more: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    [vec![signs_certificates(), constraints(true, None)], more].concat()
}

fn cn(text: &str) -> Vec<u8> {
    tlv(0x30, &[&rdn(3, text)])
}

/// A part of a name: 3 is CN, 6 C, 10 O.
fn rdn(kind: u8, text: &str) -> Vec<u8> {
    tlv(0x31, &[&tlv(0x30, &[&[6, 3, 0x55, 4, kind], &tlv(0x13, &[text.as_bytes()])])])
}

/// An authority made by hand.
struct Authority {
    key: PrivateKey,
    name: Vec<u8>,
    der: Vec<u8>,
}

impl Authority {
    fn root(name: &str, extensions: Vec<Vec<u8>>) -> Self {
        let (key, name) = (key(), cn(name));
        let der = forged(&name, extensions).sign(key.public(), &name, &key);
        Self { key, name, der }
    }

    fn below(&self, name: &str, extensions: Vec<Vec<u8>>) -> Self {
        let (key, name) = (key(), cn(name));
        Self { der: self.signs(&name, extensions, key.public()), key, name }
    }

    fn signs(&self, name: &[u8], extensions: Vec<Vec<u8>>, key: &PublicKey) -> Vec<u8> {
        forged(name, extensions).sign(key, &self.name, &self.key)
    }

    fn leaf(&self, extensions: Vec<Vec<u8>>) -> Vec<u8> {
        self.signs(&cn("leaf"), extensions, key().public())
    }

    fn bundle(&self) -> Bundle {
        trusting(&Certificate::parse(self.der.clone()).unwrap())
    }
}

fn forged(subject: &[u8], extensions: Vec<Vec<u8>>) -> Forged {
    let mut forged = Forged::with(extensions);
    forged.subject = subject.to_vec();
    forged
}

fn verified(chain: &[&[u8]], bundle: &Bundle) -> Result<VerifiedSvid, (Position, PathFault)> {
    verified_with(chain, bundle, VerifyOptions::at(now()))
}

fn verified_with(
    chain: &[&[u8]],
    bundle: &Bundle,
    options: VerifyOptions,
) -> Result<VerifiedSvid, (Position, PathFault)> {
    match X509Svid::parse_chain(chain.iter().map(|der| der.to_vec())).unwrap().verify_with(bundle, options) {
        Ok(verified) => Ok(verified),
        Err(VerifyError::Chain { why, .. }) => Err((why.position, why.fault)),
        Err(other) => panic!("{other}"),
    }
}

fn fault(outcome: Result<VerifiedSvid, (Position, PathFault)>) -> (Position, PathFault) {
    outcome.map(|verified| panic!("{} verified", verified.id())).unwrap_err()
}

/// Name constraints with these permitted and excluded bases.
fn name_constraints(permitted: &[(u8, &[u8])], excluded: &[(u8, &[u8])]) -> Vec<u8> {
    let list = |tag, bases: &[(u8, &[u8])]| {
        let all: Vec<Vec<u8>> = bases.iter().map(|(kind, base)| tlv(0x30, &[&tlv(*kind, &[base])])).collect();
        match all.is_empty() {
            true => vec![],
            false => tlv(tag, &[&all.concat()]),
        }
    };
    extension(0x1e, true, &tlv(0x30, &[&list(0xa0, permitted), &list(0xa1, excluded)]))
}

/// The outcome for a leaf with these names below an intermediate with these constraints, and for one below a root with
/// them: the same.
fn constrained(value: &[u8], leaf_names: &[(u8, &[u8])]) -> Result<(), PathFault> {
    let leaf_extensions = || vec![signs(), names(leaf_names)];
    let root = Authority::root("Root", ca_with(vec![]));
    let between = root.below("Between", ca_with(vec![value.to_vec()]));
    let leaf = between.leaf(leaf_extensions());
    let outcome = verified(&[&leaf, &between.der], &root.bundle()).map(|_| ()).map_err(|(at, fault)| {
        assert_eq!(at, Position::Leaf);
        fault
    });
    let top = Authority::root("Root", ca_with(vec![value.to_vec()]));
    let direct = verified(&[&top.leaf(leaf_extensions())], &top.bundle());
    assert_eq!(direct.is_ok(), outcome.is_ok());
    outcome
}

fn uri_constrained(permitted: &[&str], excluded: &[&str]) -> Result<(), PathFault> {
    let bases =
        |all: &'_ [&'_ str]| all.iter().map(|base| (0x86, base.as_bytes().to_vec())).collect::<Vec<_>>();
    let (permitted, excluded) = (bases(permitted), bases(excluded));
    let permitted: Vec<(u8, &[u8])> = permitted.iter().map(|(kind, base)| (*kind, &base[..])).collect();
    let excluded: Vec<(u8, &[u8])> = excluded.iter().map(|(kind, base)| (*kind, &base[..])).collect();
    constrained(&name_constraints(&permitted, &excluded), &[(0x86, ID.as_bytes())])
}

#[test]
fn uri_constraints_hold_for_the_trust_domain() {
    // X509-SVID §4.2
    uri_constrained(&["example.org"], &[]).unwrap();
    uri_constrained(&["other.org", "example.org"], &["other.org", ".example.org"]).unwrap();
    uri_constrained(&[], &["other.org"]).unwrap();
    assert!(matches!(uri_constrained(&["other.org"], &[]), Err(PathFault::NotPermitted { .. })));
    assert!(matches!(uri_constrained(&[".example.org"], &[]), Err(PathFault::NotPermitted { .. })));
    assert!(matches!(uri_constrained(&["example.org"], &["example.org"]), Err(PathFault::Excluded { .. })));
    assert!(matches!(uri_constrained(&["example.org."], &[]), Err(PathFault::Incomparable { .. })));
}

#[test]
fn a_trust_domain_that_looks_like_an_address_is_refused_where_uris_are_constrained() {
    let root = Authority::root("Root", ca_with(vec![name_constraints(&[(0x86, b"10.0.0.1")], &[])]));
    let leaf = root.leaf(vec![signs(), uris(&["spiffe://10.0.0.1/a"])]);
    let mut bundle = Bundle::new(spiffe::TrustDomain::parse("10.0.0.1").unwrap());
    let certificate = Certificate::parse(root.der).unwrap();
    bundle.push_x509(X509Authority { certificate, tainted: false }).unwrap();
    let (at, why) = fault(verified(&[&leaf], &bundle));
    assert_eq!(at, Position::Leaf);
    assert!(matches!(why, PathFault::Incomparable { .. }), "{why}");
}

#[test]
fn every_other_form_is_constrained_too() {
    let id = (0x86, ID.as_bytes());
    let permitted = |base: (u8, &[u8]), name: (u8, &[u8])| {
        let only = constrained(&name_constraints(&[base], &[]), &[id, name]);
        let without = constrained(&name_constraints(&[], &[base]), &[id, name]);
        // What is permitted by the one is excluded by the other.
        assert_ne!(only.is_ok(), without.is_ok());
        only.is_ok()
    };
    assert!(permitted((0x82, b"example.org"), (0x82, b"a.example.org")));
    assert!(!permitted((0x82, b"example.org"), (0x82, b"example.net")));
    assert!(permitted((0x81, b"example.org"), (0x81, b"a@example.org")));
    assert!(!permitted((0x81, b"b@example.org"), (0x81, b"a@example.org")));
    assert!(permitted((0x87, &[10, 0, 0, 0, 255, 0, 0, 0]), (0x87, &[10, 9, 9, 9])));
    assert!(!permitted((0x87, &[10, 0, 0, 0, 255, 0, 0, 0]), (0x87, &[11, 9, 9, 9])));
    // A form that is not there is not constrained.
    constrained(&name_constraints(&[(0x82, b"example.net")], &[]), &[id]).unwrap();
}

#[test]
fn a_directory_name_is_constrained_in_the_subject_and_beside_it() {
    let named = |base: &[u8]| constrained(&name_constraints(&[(0xa4, base)], &[]), &[(0x86, ID.as_bytes())]);
    named(&cn("leaf")).unwrap();
    named(&cn("LEAF")).unwrap();
    named(&tlv(0x30, &[])).unwrap();
    assert!(matches!(named(&cn("other")), Err(PathFault::NotPermitted { .. })));
    assert!(matches!(
        named(&tlv(0x30, &[&rdn(3, "leaf"), &rdn(10, "x")])),
        Err(PathFault::NotPermitted { .. })
    ));
    let excluded = name_constraints(&[], &[(0xa4, &cn("Beside"))]);
    let beside = [(0x86, ID.as_bytes()), (0xa4, &cn("beside")[..])];
    assert!(matches!(constrained(&excluded, &beside), Err(PathFault::Excluded { .. })));
    constrained(&excluded, &beside[..1]).unwrap();
}

#[test]
fn a_name_of_a_form_that_nobody_compares_is_refused_where_that_form_is_constrained() {
    let id = (0x86, ID.as_bytes());
    for kind in [0xa0, 0x88] {
        let value = [6, 1, 42];
        let present = constrained(&name_constraints(&[], &[(kind, &value)]), &[id, (kind, &value)]);
        assert!(matches!(present, Err(PathFault::Incomparable { .. })), "{kind}");
        constrained(&name_constraints(&[], &[(kind, &value)]), &[id]).unwrap();
        constrained(&name_constraints(&[(0x86, b"example.org")], &[]), &[id, (kind, &value)]).unwrap();
    }
    // A minimum, which must not be there.
    let bounded = tlv(0x30, &[&tlv(0x86, &[b"example.org"]), &[0x80, 1, 1]]);
    let value = extension(0x1e, true, &tlv(0x30, &[&tlv(0xa0, &[&bounded])]));
    assert!(matches!(constrained(&value, &[id]), Err(PathFault::Incomparable { .. })));
}

#[test]
fn constraints_hold_for_authorities_below_and_not_for_those_named_as_their_issuer() {
    let only = name_constraints(&[(0x86, b"example.org")], &[]);
    let root = Authority::root("Root", ca_with(vec![only]));
    let below = |name: &str, uri: &str| {
        let between = root.below(name, ca_with(vec![uris(&[uri])]));
        let leaf = between.leaf(proper());
        verified(&[&leaf, &between.der], &root.bundle())
    };
    below("Between", "spiffe://example.org").unwrap();
    assert_eq!(fault(below("Between", "spiffe://other.org")).0, Position::Intermediate(1));
    below("Root", "spiffe://other.org").unwrap();
}

#[test]
fn constraints_that_take_too_much_work_are_refused_and_soon() {
    let bases: Vec<String> = (0..2_500).map(|n| format!("h{n}.example.net")).collect();
    let bases: Vec<(u8, &[u8])> = bases.iter().map(|base| (0x82, base.as_bytes())).collect();
    let root = Authority::root("Root", ca_with(vec![name_constraints(&[], &bases)]));
    let far = [vec![(0x86, ID.as_bytes())], vec![(0x82, &b"far.example.com"[..]); 2_500]].concat();
    let leaf = root.leaf(vec![signs(), names(&far)]);
    let started = std::time::Instant::now();
    assert_eq!(fault(verified(&[&leaf], &root.bundle())).1, PathFault::TooMuchWork);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn intermediates_come_in_any_order_and_strangers_among_them_do_not_matter() {
    let root = Authority::root("Root", ca_with(vec![]));
    let first = root.below("First", ca_with(vec![]));
    let second = first.below("Second", ca_with(vec![]));
    let leaf = second.leaf(proper());
    let stranger = Authority::root("Stranger", ca_with(vec![]));
    let not_even_a_ca = root.leaf(proper());
    for chain in [
        vec![&leaf, &second.der, &first.der],
        vec![&leaf, &first.der, &second.der],
        vec![&leaf, &stranger.der, &first.der, &not_even_a_ca, &second.der, &root.der, &first.der],
    ] {
        let chain: Vec<&[u8]> = chain.into_iter().map(Vec::as_slice).collect();
        let verified = verified(&chain, &root.bundle()).unwrap();
        let path: Vec<&[u8]> = verified.path().iter().map(Certificate::der).collect();
        assert_eq!(path, [&leaf, &second.der, &first.der, &root.der]);
        assert_eq!(verified.authority().der(), root.der);
        assert_eq!(verified.verified_at(), now());
    }
    let (at, why) = fault(verified(&[&leaf, &first.der], &root.bundle()));
    assert_eq!((at, why), (Position::Leaf, PathFault::NoAuthority));
    let (at, why) = fault(verified(&[&leaf, &stranger.der, &second.der], &root.bundle()));
    assert_eq!((at, why), (Position::Intermediate(2), PathFault::NoAuthority));
}

#[test]
fn a_cross_signed_authority_leads_to_whichever_root_is_trusted() {
    let (old, new) = (Authority::root("Old", ca_with(vec![])), Authority::root("New", ca_with(vec![])));
    let below_old = old.below("Between", ca_with(vec![]));
    let cross = new.signs(&below_old.name, ca_with(vec![]), below_old.key.public());
    let leaf = below_old.leaf(proper());
    for root in [&old, &new] {
        for chain in [[&leaf[..], &below_old.der, &cross], [&leaf, &cross, &below_old.der]] {
            assert_eq!(verified(&chain, &root.bundle()).unwrap().authority().der(), root.der);
        }
    }
    // The new root's key under the old root's signature: what peers get that know the old one only.
    let new_by_old = old.signs(&new.name, ca_with(vec![]), new.key.public());
    let leaf = new.leaf(proper());
    verified(&[&leaf, &new_by_old], &old.bundle()).unwrap();
    assert_eq!(verified(&[&leaf, &new_by_old], &new.bundle()).unwrap().path().len(), 2);
}

#[test]
fn an_intermediate_may_be_the_authority_itself() {
    // X509-SVID §6.1: it need not be self-signed.
    let root = Authority::root("Root", ca_with(vec![]));
    let between = root.below("Between", ca_with(vec![]));
    let leaf = between.leaf(proper());
    assert_eq!(verified(&[&leaf], &between.bundle()).unwrap().path().len(), 2);
}

#[test]
fn circles_and_crowds_of_one_name_end() {
    let (a, b) = (Authority::root("A", ca_with(vec![])), Authority::root("B", ca_with(vec![])));
    let b_by_a = a.signs(&b.name, ca_with(vec![]), b.key.public());
    let a_by_b = b.signs(&a.name, ca_with(vec![]), a.key.public());
    let leaf = a.leaf(proper());
    let root = Authority::root("Root", ca_with(vec![]));
    fault(verified(&[&leaf, &a_by_b, &b_by_a, &a.der, &b.der], &root.bundle()));

    // Each of fifteen authorities of one name signed by each other: more paths than can be tried.
    let crowd: Vec<PrivateKey> = (0..15).map(|_| key()).collect();
    let name = cn("Crowd");
    let ring: Vec<Vec<u8>> = (0..15)
        .map(|n| forged(&name, ca_with(vec![])).sign(crowd[n].public(), &name, &crowd[(n + 1) % 15]))
        .collect();
    let leaf = forged(&cn("leaf"), proper()).sign(key().public(), &name, &crowd[0]);
    let chain: Vec<&[u8]> = std::iter::once(&leaf).chain(&ring).map(Vec::as_slice).collect();
    let started = std::time::Instant::now();
    assert_eq!(fault(verified(&chain, &root.bundle())).1, PathFault::TooMuchWork);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn the_longest_chain_verifies() {
    let root = Authority::root("Root", ca_with(vec![]));
    let mut chain: Vec<Authority> = vec![root.below("0", ca_with(vec![]))];
    for n in 1..15 {
        let next = chain.last().unwrap().below(&n.to_string(), ca_with(vec![]));
        chain.push(next);
    }
    let leaf = chain.last().unwrap().leaf(proper());
    let ders: Vec<&[u8]> =
        std::iter::once(&leaf).chain(chain.iter().map(|c| &c.der)).map(Vec::as_slice).collect();
    assert_eq!(ders.len(), 16);
    assert_eq!(verified(&ders, &root.bundle()).unwrap().path().len(), 17);
}

#[test]
fn path_lengths_count_intermediates_and_not_the_leaf_nor_what_is_named_as_its_issuer() {
    let limited = |n| vec![signs_certificates(), constraints(true, Some(n))];
    let root = Authority::root("Root", limited(1));
    let between = root.below("Between", ca_with(vec![]));
    let third = between.below("Third", ca_with(vec![]));
    verified(&[&between.leaf(proper()), &between.der], &root.bundle()).unwrap();
    let (at, why) = fault(verified(&[&third.leaf(proper()), &third.der, &between.der], &root.bundle()));
    assert!(matches!(at, Position::Authority(_)));
    assert_eq!(why, PathFault::PathLength { allowed: 1, found: 2 });
    // A new key of the same authority, signed by its old one.
    let renewed = between.below("Between", ca_with(vec![]));
    verified(&[&renewed.leaf(proper()), &renewed.der, &between.der], &root.bundle()).unwrap();
}

#[test]
fn a_side_of_tls_that_is_left_away_is_gone_for_all_below() {
    // X509-SVID §4.4; RFC 5280 §4.2.1.12
    let root = Authority::root("Root", ca_with(vec![]));
    let outcome = |above: &[u8], leaf: &[u8], side: Option<Side>| {
        let usage =
            |purposes: &[u8]| if purposes.is_empty() { vec![] } else { vec![extended_usage(purposes)] };
        let between = root.below("Between", ca_with(usage(above)));
        let leaf = between.leaf([proper(), usage(leaf)].concat());
        let options = VerifyOptions::at(now());
        let options = side.map_or(options, |side| options.on(side));
        verified_with(&[&leaf, &between.der], &root.bundle(), options).is_ok()
    };
    let (server, client) = (Some(Side::Server), Some(Side::Client));
    for side in [None, server, client] {
        assert!(outcome(&[], &[], side) && outcome(&[], &[1, 2], side) && outcome(&[1, 2], &[], side));
        assert!(!outcome(&[], &[3], side) && !outcome(&[3], &[], side) && !outcome(&[1], &[2], side));
    }
    assert!(outcome(&[], &[1], None) && outcome(&[], &[1], server) && !outcome(&[], &[1], client));
    assert!(outcome(&[2], &[], None) && outcome(&[2], &[1, 2], client) && !outcome(&[2], &[1, 2], server));
    let any = extension(0x25, true, &tlv(0x30, &[&[6, 4, 0x55, 0x1d, 0x25, 0]]));
    let leaf = root.leaf([proper(), vec![any]].concat());
    verified_with(&[&leaf], &root.bundle(), VerifyOptions::at(now()).on(Side::Client)).unwrap();
}

#[test]
fn policies_are_welcome_unless_one_is_required() {
    let with = |last, value: &[u8]| {
        let root = Authority::root("Root", ca_with(vec![]));
        let between = root.below("Between", ca_with(vec![extension(last, true, value)]));
        verified(&[&between.leaf(proper()), &between.der], &root.bundle()).map(|_| ()).map_err(
            |(at, fault)| {
                assert_eq!(at, Position::Intermediate(1));
                fault
            },
        )
    };
    with(0x20, &tlv(0x30, &[&tlv(0x30, &[&[6, 4, 0x55, 0x1d, 0x20, 0]])])).unwrap();
    with(0x36, &[2, 1, 0]).unwrap();
    with(0x24, &[0x30, 3, 0x81, 1, 0]).unwrap();
    assert_eq!(with(0x24, &[0x30, 3, 0x80, 1, 0]), Err(PathFault::ExplicitPolicy));
    assert_eq!(with(0x12, &[0x30, 0]), Err(PathFault::UnknownCritical("2.5.29.18".into())));
}

#[test]
fn the_fault_names_the_certificate_and_the_rule() {
    let root = Authority::root("Root", ca_with(vec![]));
    let below = |extensions: Vec<Vec<u8>>| {
        let between = root.below("Between", extensions);
        fault(verified(&[&between.leaf(proper()), &between.der], &root.bundle()))
    };
    let between = |fault| (Position::Intermediate(1), fault);
    assert_eq!(below(vec![signs_certificates()]), between(PathFault::NotCa));
    assert_eq!(below(vec![signs(), constraints(true, None)]), between(PathFault::NoKeyCertSign));

    let other = Authority::root("Root", ca_with(vec![]));
    let authority = Position::Authority("CN=Root".into());
    let wrong_key = fault(verified(&[&other.leaf(proper())], &root.bundle()));
    assert_eq!(wrong_key, (Position::Leaf, PathFault::Signature { issuer: authority.clone() }));

    let mut old = forged(&root.name, ca_with(vec![]));
    old.until = now() - Duration::from_secs(2);
    let old = old.sign(root.key.public(), &root.name, &root.key);
    let bundle = trusting(&Certificate::parse(old).unwrap());
    let expired = fault(verified(&[&root.leaf(proper())], &bundle));
    assert_eq!(expired, (authority, PathFault::Expired(now() - Duration::from_secs(2))));

    let mut early = forged(&cn("leaf"), proper());
    early.from = now() + HOUR;
    early.until = now() + 2 * HOUR;
    let early = early.sign(key().public(), &root.name, &root.key);
    let (at, why) = fault(verified(&[&early], &root.bundle()));
    assert_eq!((at, why), (Position::Leaf, PathFault::NotYetValid(now() + HOUR)));
}

#[test]
fn the_whole_of_the_last_second_counts() {
    let root = Authority::root("Root", ca_with(vec![]));
    let mut leaf = forged(&cn("leaf"), proper());
    leaf.from = now() - HOUR;
    leaf.until = now();
    let leaf = leaf.sign(key().public(), &root.name, &root.key);
    let at = |time: SystemTime| verified_with(&[&leaf], &root.bundle(), VerifyOptions::at(time)).is_ok();
    assert!(at(now() - HOUR) && at(now()) && at(now() + Duration::from_millis(999)));
    assert!(!at(now() + Duration::from_secs(1)) && !at(now() - HOUR - Duration::from_millis(1)));
}

#[test]
fn ecdsa_goes_with_every_hash() {
    let oid = |last| tlv(0x30, &[&[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, last]]);
    let sha1 = tlv(0x30, &[&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1]]);
    let heads: [(&[u8], [&'static lc::EcdsaSigningAlgorithm; 3]); 2] = [
        (
            &[
                0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48,
                0xce, 0x3d, 3, 1, 7, 3, 0x42, 0,
            ],
            [&lc::ECDSA_P256_SHA256_ASN1_SIGNING; 3],
        ),
        (
            &[
                0x30, 0x81, 0x9b, 0x30, 0x10, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 5, 0x2b, 0x81, 4,
                0, 0x23, 3, 0x81, 0x86, 0,
            ],
            [
                &lc::ECDSA_P521_SHA256_ASN1_SIGNING,
                &lc::ECDSA_P521_SHA384_ASN1_SIGNING,
                &lc::ECDSA_P521_SHA512_ASN1_SIGNING,
            ],
        ),
    ];
    for (head, algorithms) in heads {
        for (last, how) in [2u8, 3, 4].into_iter().zip(algorithms) {
            let pair = EcdsaKeyPair::generate(how).unwrap();
            let public = PublicKey::from_spki_der(&[head, pair.public_key().as_ref()].concat()).unwrap();
            let sign = |tbs: &[u8]| pair.sign(&SystemRandom::new(), tbs).unwrap().as_ref().to_vec();
            let name = cn("Root");
            let root = forged(&name, ca_with(vec![])).sign_as(&public, &name, &oid(last), sign);
            let bundle = trusting(&Certificate::parse(root).unwrap());
            let leaf = |algorithm: &[u8]| {
                forged(&cn("leaf"), proper()).sign_as(key().public(), &name, algorithm, sign)
            };
            // The P-256 key signs with SHA-256, whatever the name says.
            let holds = head.len() != 26 || last == 2;
            assert_eq!(verified(&[&leaf(&oid(last))], &bundle).is_ok(), holds, "{last}");
            let (at, why) = fault(verified(&[&leaf(&sha1)], &bundle));
            assert_eq!((at, why), (Position::Leaf, PathFault::Algorithm("1.2.840.10045.4.1".into())));
        }
    }
}

#[test]
fn rsa_goes_with_both_paddings_and_not_with_the_names_of_others() {
    let name = cn("Root");
    let root = forged(&name, ca_with(vec![])).sign(rsa().public(), &name, rsa());
    let bundle = trusting(&Certificate::parse(root).unwrap());
    let leaf = |named: SigAlg, made: SigAlg| {
        forged(&cn("leaf"), proper())
            .sign_as(key().public(), &name, &algorithm(named), |tbs| rsa().sign(made, tbs).unwrap())
    };
    use SigAlg::{RsaPkcs1Sha256, RsaPkcs1Sha384, RsaPkcs1Sha512, RsaPssSha256, RsaPssSha384, RsaPssSha512};
    let all = [RsaPkcs1Sha256, RsaPkcs1Sha384, RsaPkcs1Sha512, RsaPssSha256, RsaPssSha384, RsaPssSha512];
    for named in all {
        for made in all {
            assert_eq!(verified(&[&leaf(named, made)], &bundle).is_ok(), named == made, "{named:?} {made:?}");
        }
    }
    let other = leaf(SigAlg::EcdsaP256Sha256, RsaPkcs1Sha256);
    assert_eq!(fault(verified(&[&other], &bundle)), (Position::Leaf, PathFault::OtherKind));
    let sha1 = tlv(0x30, &[&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5], &[5, 0]]);
    let sha1 = forged(&cn("leaf"), proper())
        .sign_as(key().public(), &name, &sha1, |tbs| rsa().sign(RsaPkcs1Sha256, tbs).unwrap());
    let why = fault(verified(&[&sha1], &bundle)).1;
    assert_eq!(why, PathFault::Algorithm("1.2.840.113549.1.1.5".into()));
}

#[test]
fn a_key_whose_point_is_off_its_curve_verifies_nothing_and_roots_nothing() {
    let root = Authority::root("Root", ca_with(vec![]));
    let at = root.der.windows(2).position(|pair| pair == [0, 4]).unwrap() + 20;
    let mut off = root.der.clone();
    off[at] ^= 1;
    let off = Certificate::parse(off).unwrap();
    let mut bundle = Bundle::new(td());
    bundle.push_x509(X509Authority { certificate: off.clone(), tainted: false }).unwrap_err();
    assert!(bundle.x509_authorities().is_empty());
    let verdict = off.public_key().verify(SigAlg::EcdsaP256Sha256, b"x", &[0x30, 6, 2, 1, 1, 2, 1, 1]);
    assert!(verdict.is_err());
}

#[test]
fn of_many_authorities_of_one_name_the_one_that_is_named_is_found() {
    let key_id = |id: u8| extension(0x0e, false, &[4, 1, id]);
    let names_key = |id: u8| extension(0x23, false, &tlv(0x30, &[&[0x80, 1, id]]));
    let mut bundle = Bundle::new(td());
    let all: Vec<Authority> = (0..150).map(|n| Authority::root("Root", ca_with(vec![key_id(n)]))).collect();
    for one in &all {
        let certificate = Certificate::parse(one.der.clone()).unwrap();
        bundle.push_x509(X509Authority { certificate, tainted: false }).unwrap();
    }
    let leaf = all[149].leaf([proper(), vec![names_key(149)]].concat());
    assert_eq!(verified(&[&leaf], &bundle).unwrap().authority().der(), all[149].der);
    // Without the hint each is tried, up to a bound.
    verified(&[&all[90].leaf(proper())], &bundle).unwrap();
    assert_eq!(fault(verified(&[&all[149].leaf(proper())], &bundle)).1, PathFault::TooMuchWork);
}

#[test]
fn chains_of_the_librarys_own_authorities_say_what_they_hold_by() {
    let (issuer, bundle) = root();
    let leaf = Forged::with(proper()).by(&issuer);
    let verified = verified(&[&leaf], &bundle).unwrap();
    assert_eq!(verified.authority(), issuer.certificate());
    assert_eq!(verified.expires_at(), now() + HOUR);
    assert_eq!(Arc::new(verified).id().as_str(), ID);
}

#[test]
fn no_leaf_is_issued_with_a_name_that_an_authority_above_forbids() {
    let host: &[(u8, &[u8])] = &[(0x82, b"example.org")];
    let uri: &[(u8, &[u8])] = &[(0x86, b"example.org")];
    let own = || uris(&["spiffe://example.org"]);
    let issuer = |above: Vec<Vec<u8>>, below: Vec<Vec<u8>>| {
        let root = Authority::root("Root", ca_with(above));
        let ca = root.below("CA", ca_with(below));
        let upstream = Certificate::parse(root.der).unwrap();
        let (ca, key) = (Certificate::parse(ca.der).unwrap(), ca.key);
        (trusting(&upstream), X509Issuer::new(ca, vec![upstream], Arc::new(key)).unwrap())
    };
    let constraints = name_constraints(host, &[]);
    for (bundle, issuer) in
        [issuer(vec![constraints.clone()], vec![own()]), issuer(vec![], vec![own(), constraints.clone()])]
    {
        let leaf = |dns: &str| {
            let template = LeafTemplate::new(id("/a"), key().public().clone(), now(), now() + HOUR);
            template.dns(&[dns.to_owned()]).issue(&issuer)
        };
        let refused = leaf("other.org").unwrap_err();
        let IssueError::Constrained(PathFault::NotPermitted { name, .. }) = &refused else {
            panic!("{refused}")
        };
        assert_eq!(name, "\"other.org\"");
        let svid = X509Svid::of(issuer.chain_for(leaf("a.example.org").unwrap())).unwrap();
        svid.verify(&bundle, now()).unwrap();
    }
    let (_, issuer) = issuer(vec![name_constraints(&[], uri)], vec![own()]);
    let template = LeafTemplate::new(id("/a"), key().public().clone(), now(), now() + HOUR);
    let refused = template.issue(&issuer).unwrap_err();
    assert!(matches!(refused, IssueError::Constrained(PathFault::Excluded { .. })), "{refused}");
    let ca = CaTemplate::new(td(), CaSubject::default(), now(), now() + HOUR);
    let refused = ca.issue(key().public(), &issuer).unwrap_err();
    assert!(matches!(refused, IssueError::Constrained(PathFault::Excluded { .. })), "{refused}");
}
