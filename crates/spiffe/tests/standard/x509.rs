//! X509-SVID.md.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use spiffe::bundle::{Bundle, BundleSet, X509Authority};
use spiffe::key::{KeyType, PrivateKey, Signer};
use spiffe::x509::{
    CaSubject, CaTemplate, Certificate, Csr, DistinguishedName, IssueError, LeafTemplate, SvidError,
    UriConstraints, VerifyError, X509Issuer, X509Svid,
};
use spiffe::{SpiffeId, TrustDomain};

use super::forge::*;

const ID: &str = "spiffe://example.org/a";

/// Whether a chain is accepted at `now`.
fn accepted<D: Into<Vec<u8>>>(chain: impl IntoIterator<Item = D>, bundle: &Bundle) -> Result<(), String> {
    let svid = X509Svid::parse_chain(chain).map_err(|e| e.to_string())?;
    svid.verify(bundle, now()).map(|_| ()).map_err(|e| e.to_string())
}

/// Whether a leaf with these extensions, signed by a root, is accepted.
fn leaf_accepted(extensions: Vec<Vec<u8>>) -> Result<(), String> {
    let (issuer, bundle) = root();
    accepted([Forged::with(extensions).by(&issuer)], &bundle)
}

/// An intermediate with these extensions, by the root.
fn intermediate(extensions: Vec<Vec<u8>>, issuer: &X509Issuer, key: &PrivateKey) -> Certificate {
    let mut forged = Forged::with(extensions);
    forged.subject =
        tlv(0x30, &[&tlv(0x31, &[&tlv(0x30, &[&[6, 3, 0x55, 4, 10], &tlv(0x13, &[b"Between"])])])]);
    let der = forged.sign(key.public(), issuer.certificate().subject_der(), &**issuer.signer());
    Certificate::parse(der).unwrap()
}

/// Whether a proper leaf is accepted below an intermediate with these extensions.
fn below_accepted(extensions: Vec<Vec<u8>>, leaf: Vec<Vec<u8>>) -> Result<(), String> {
    let (issuer, bundle) = root();
    let between = key();
    let ca = intermediate(extensions, &issuer, &between);
    let leaf = Forged::with(leaf).sign(key().public(), ca.subject_der(), &between);
    accepted([leaf, ca.der().to_vec()], &bundle)
}

fn proper() -> Vec<Vec<u8>> {
    vec![signs(), constraints(false, None), uris(&[ID])]
}

fn proper_ca() -> Vec<Vec<u8>> {
    vec![signs_certificates(), constraints(true, None), uris(&["spiffe://example.org"])]
}

#[test]
fn a_leaf_has_exactly_one_uri() {
    // §2, §5.2
    leaf_accepted(proper()).unwrap();
    for bad in [
        &[][..],
        &[ID, "spiffe://example.org/b"],
        &[ID, "https://example.org/a"],
        &[ID, ID],
        &["https://example.org/a"],
        &["spiffe://example.org/"],
        &["SPIFFE://example.org/a"],
        &["spiffe://example.org/a#"],
    ] {
        leaf_accepted(vec![signs(), uris(bad)]).unwrap_err();
    }
    leaf_accepted(vec![signs(), names(&[(0x82, b"example.org")])]).unwrap_err();
    leaf_accepted(vec![signs()]).unwrap_err();
}

#[test]
fn other_names_may_stand_beside_it() {
    // §2
    let all: [(u8, &[u8]); 6] = [
        (0x86, ID.as_bytes()),
        (0x82, b"a.example.org"),
        (0x82, b"b.example.org"),
        (0x87, &[10, 0, 0, 1]),
        (0x81, b"a@example.org"),
        (0x82, b"c"),
    ];
    leaf_accepted(vec![signs(), constraints(false, None), names(&all)]).unwrap();
}

#[test]
fn a_leaf_without_a_path_is_refused() {
    // §5.2
    let why =
        leaf_accepted(vec![signs(), constraints(false, None), uris(&["spiffe://example.org"])]).unwrap_err();
    assert!(why.contains("no path"), "{why}");
}

#[test]
fn a_leaf_that_may_sign_certificates_or_lists_is_refused() {
    // §5.2
    leaf_accepted(vec![signs(), constraints(true, None), uris(&[ID])]).unwrap_err();
    leaf_accepted(vec![key_usage(2, 0x84), constraints(false, None), uris(&[ID])]).unwrap_err();
    leaf_accepted(vec![key_usage(1, 0x82), constraints(false, None), uris(&[ID])]).unwrap_err();
    // digitalSignature, keyEncipherment, keyAgreement
    leaf_accepted(vec![key_usage(3, 0xa8), constraints(false, None), uris(&[ID])]).unwrap();
}

#[test]
fn what_a_leaf_may_leave_away_is_not_asked_for() {
    // §4.1, §4.3, §4.4: no basic constraints, no key usage, no extended key usage
    leaf_accepted(vec![uris(&[ID])]).unwrap();
    leaf_accepted(vec![signs(), extended_usage(&[1, 2]), uris(&[ID])]).unwrap();
    // One side of TLS will do for a verifier; issuers write both.
    leaf_accepted(vec![signs(), extended_usage(&[1]), uris(&[ID])]).unwrap();
    leaf_accepted(vec![signs(), extended_usage(&[2]), uris(&[ID])]).unwrap();
    leaf_accepted(vec![signs(), extended_usage(&[3]), uris(&[ID])]).unwrap_err();
}

#[test]
fn a_critical_extension_that_is_unknown_is_refused() {
    // RFC 5280 §4.2
    let unknown = |critical| extension(0x7f, critical, &[5, 0]);
    leaf_accepted([proper(), vec![unknown(false)]].concat()).unwrap();
    leaf_accepted([proper(), vec![unknown(true)]].concat()).unwrap_err();
    below_accepted([proper_ca(), vec![unknown(true)]].concat(), proper()).unwrap_err();
}

#[test]
fn an_extension_that_occurs_twice_is_refused() {
    let (issuer, _) = root();
    let twice = Forged::with(vec![uris(&[ID]), uris(&["spiffe://example.org/b"])]).by(&issuer);
    assert!(Certificate::parse(twice).is_err());
}

#[test]
fn an_authority_signs_only_for_its_own_trust_domain() {
    // SPIFFE-ID §3
    let (issuer, own) = root();
    let other = TrustDomain::parse("other.org").unwrap();
    let key = PrivateKey::generate(KeyType::EcP256).unwrap();
    let ca = CaTemplate::new(other.clone(), CaSubject::default(), now() - HOUR, now() + HOUR)
        .self_sign(&key)
        .unwrap();
    let mut foreign = Bundle::new(other);
    foreign.push_x509(X509Authority { certificate: ca, tainted: false }).unwrap();
    let both: BundleSet = [Arc::new(own), Arc::new(foreign)].into_iter().collect();
    let leaf = Forged::with(vec![signs(), uris(&["spiffe://other.org/a"])]).by(&issuer);
    let svid = X509Svid::parse_chain([leaf]).unwrap();
    assert!(matches!(svid.verify(&both, now()), Err(VerifyError::Chain { .. })));
}

#[test]
fn intermediates_must_be_allowed_to_sign() {
    // §3.2, §5.1
    below_accepted(proper_ca(), proper()).unwrap();
    // An authority of a company need have no SPIFFE ID, nor a key usage.
    below_accepted(vec![signs_certificates(), constraints(true, None)], proper()).unwrap();
    below_accepted(vec![constraints(true, None)], proper()).unwrap();
    below_accepted(vec![signs_certificates(), constraints(false, None)], proper()).unwrap_err();
    below_accepted(vec![signs_certificates()], proper()).unwrap_err();
    // keyUsage without keyCertSign, which webpki lets pass
    let why = below_accepted(vec![signs(), constraints(true, None)], proper()).unwrap_err();
    assert!(why.contains("keyCertSign"), "{why}");
}

#[test]
fn path_lengths_hold() {
    // §4.1
    below_accepted(vec![signs_certificates(), constraints(true, Some(0))], proper()).unwrap();
    let (issuer, bundle) = root();
    let (first, second) = (key(), key());
    let limited = intermediate(vec![signs_certificates(), constraints(true, Some(0))], &issuer, &first);
    let mut forged = Forged::with(proper_ca());
    forged.subject = tlv(0x30, &[]);
    let below = Certificate::parse(forged.sign(second.public(), limited.subject_der(), &first)).unwrap();
    let leaf = Forged::with(proper()).sign(key().public(), below.subject_der(), &second);
    accepted([leaf, below.der().to_vec(), limited.der().to_vec()], &bundle).unwrap_err();
}

#[test]
fn three_intermediates_verify_and_seventeen_certificates_are_too_many() {
    let (mut issuer, bundle) = root();
    for _ in 0..3 {
        let below = Arc::new(key());
        let ca = CaTemplate::new(td(), CaSubject::default(), now() - HOUR, now() + HOUR)
            .issue(below.public(), &issuer)
            .unwrap();
        issuer = X509Issuer::new(ca, issuer.intermediates(), below).unwrap();
    }
    let leaf =
        LeafTemplate::new(id("/a"), key().public().clone(), now(), now() + HOUR).issue(&issuer).unwrap();
    let chain = issuer.chain_for(leaf);
    assert_eq!(chain.len(), 4);
    X509Svid::of(chain.clone()).unwrap().verify(&bundle, now()).unwrap();
    let many = std::iter::repeat_n(chain[0].der().to_vec(), 17);
    assert_eq!(X509Svid::parse_chain(many.clone()), Err(SvidError::TooLong));
    assert_eq!(X509Svid::parse_concatenated(&many.flatten().collect::<Vec<_>>()), Err(SvidError::TooLong));
}

#[test]
fn times_are_judged_along_the_whole_chain() {
    // §5.1
    let (issuer, bundle) = root();
    let mut leaf = Forged::with(proper());
    leaf.until = now() - Duration::from_secs(1);
    accepted([leaf.by(&issuer)], &bundle).unwrap_err();
    leaf.until = now();
    accepted([leaf.by(&issuer)], &bundle).unwrap();
    leaf.from = now() + Duration::from_secs(1);
    leaf.until = now() + HOUR;
    accepted([leaf.by(&issuer)], &bundle).unwrap_err();

    let between = key();
    let mut ca = Forged::with(proper_ca());
    ca.until = now() - HOUR / 2;
    ca.subject = tlv(0x30, &[]);
    let ca = ca.sign(between.public(), issuer.certificate().subject_der(), &**issuer.signer());
    let leaf = Forged::with(proper()).sign(key().public(), &tlv(0x30, &[]), &between);
    accepted([leaf, ca], &bundle).unwrap_err();
}

#[test]
fn a_root_that_has_expired_or_may_not_sign_roots_nothing() {
    let roots = |extensions: Vec<Vec<u8>>, until: SystemTime| {
        let own = key();
        let mut ca = Forged::with(extensions);
        ca.until = until;
        let ca = Certificate::parse(ca.sign(own.public(), &ca.subject.clone(), &own)).unwrap();
        let leaf = Forged::with(proper()).sign(key().public(), ca.subject_der(), &own);
        // Beside a root that holds, which must go on to.
        let (good, mut bundle) = root();
        bundle.push_x509(X509Authority { certificate: ca, tainted: false }).unwrap();
        accepted([Forged::with(proper()).by(&good)], &bundle).unwrap();
        accepted([leaf], &bundle)
    };
    roots(proper_ca(), now() + HOUR).unwrap();
    roots(vec![constraints(true, None)], now() + HOUR).unwrap();
    roots(proper_ca(), now() - Duration::from_secs(1)).unwrap_err();
    roots(vec![signs(), constraints(true, None)], now() + HOUR).unwrap_err();
    roots(vec![signs_certificates(), constraints(false, None)], now() + HOUR).unwrap_err();
}

#[test]
fn a_bundle_without_x509_authorities_believes_nothing() {
    // §6.2
    let (issuer, _) = root();
    let tokens_only = jwt_bundle("k", rsa().public());
    accepted([Forged::with(proper()).by(&issuer)], &tokens_only).unwrap_err();
    accepted([Forged::with(proper()).by(&issuer)], &Bundle::new(td())).unwrap_err();
}

#[test]
fn absurd_times_are_refused_and_do_not_panic() {
    let (issuer, bundle) = root();
    let svid = X509Svid::parse_chain([Forged::with(proper()).by(&issuer)]).unwrap();
    let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    let far = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 60);
    for time in [before, SystemTime::UNIX_EPOCH, far] {
        assert!(svid.verify(&bundle, time).is_err());
    }
    let template =
        |from, until| LeafTemplate::new(id("/a"), key().public().clone(), from, until).issue(&issuer);
    assert!(matches!(template(before, now()), Err(IssueError::Time(_))));
    assert!(matches!(template(far, now()), Err(IssueError::Period)));
    assert!(matches!(template(now(), now() - HOUR), Err(IssueError::Period)));
    // The year 2050 and later is written another way, and 10,000 not at all.
    let ca = |until| CaTemplate::new(td(), CaSubject::default(), now(), until).self_sign(&key());
    let late = now() + 24 * 365 * 30 * HOUR;
    assert_eq!(ca(late).unwrap().not_after(), late);
    assert!(matches!(ca(far), Err(IssueError::Time(_))));
}

#[test]
fn issuers_refuse_what_no_svid_may_be() {
    // §3.1
    let (issuer, _) = root();
    let template = |id: SpiffeId| LeafTemplate::new(id, key().public().clone(), now(), now() + HOUR);
    assert!(matches!(template(td().id()).issue(&issuer), Err(IssueError::NoPath(_))));
    for bad in ["", "tést.example.org"] {
        let named = template(id("/a")).dns(&["fine.example.org".into(), bad.into()]);
        assert!(matches!(named.issue(&issuer), Err(IssueError::DnsName(_))), "{bad}");
    }
    let many: Vec<String> = (0..10_000).map(|n| format!("host-{n}.example.org")).collect();
    assert!(matches!(template(id("/a")).dns(&many).issue(&issuer), Err(IssueError::TooLarge(_))));
    for dotted in ["a..b", ".a", "a."] {
        let td = TrustDomain::parse(dotted).unwrap();
        let ca = CaTemplate::new(td, CaSubject::default(), now(), now() + HOUR).self_sign(&key());
        assert!(matches!(ca, Err(IssueError::EmptyLabel(_))), "{dotted}");
    }
}

#[test]
fn a_leaf_is_issued_in_the_form_of_spire() {
    // §4; SPIRE 1.16
    let (issuer, _) = root();
    let leaf =
        LeafTemplate::new(id("/a"), key().public().clone(), now(), now() + HOUR).issue(&issuer).unwrap();
    assert_eq!(leaf.subject(), "O=SPIRE,C=US");
    assert_eq!(leaf.issuer_der(), issuer.certificate().subject_der());
    assert_eq!(leaf.subject_key_id(), Some(&leaf.public_key().key_id()[..]));
    let contains = |part: &[u8]| leaf.der().windows(part.len()).any(|window| window == part);
    assert!(contains(&key_usage(3, 0xa8)));
    assert!(contains(&constraints(false, None)));
    assert!(contains(&extended_usage(&[1, 2])));
    assert!(contains(&uris(&[ID])));
    // The authority key identifier
    let above = issuer.certificate().subject_key_id().unwrap();
    assert!(contains(&extension(0x23, false, &tlv(0x30, &[&tlv(0x80, &[above])]))));
    // Names as PrintableStrings
    assert!(contains(&[0x13, 2, b'U', b'S']) && contains(&[0x13, 5, b'S', b'P', b'I', b'R', b'E']));
}

#[test]
fn with_an_empty_subject_the_alternative_name_is_critical() {
    // §3.1
    let (issuer, bundle) = root();
    let leaf = LeafTemplate::new(id("/a"), key().public().clone(), now(), now() + HOUR)
        .named(DistinguishedName::default())
        .issue(&issuer)
        .unwrap();
    assert_eq!(leaf.subject(), "");
    let critical = [0x55, 0x1d, 0x11, 1, 1, 0xff];
    assert!(leaf.der().windows(6).any(|window| window == critical));
    X509Svid::of(vec![leaf]).unwrap().verify(&bundle, now()).unwrap();
}

#[test]
fn an_authority_is_named_by_its_serial_number_and_its_trust_domain() {
    // §3.2, §4; SPIRE 1.16
    let (issuer, _) = root();
    let ca = issuer.certificate();
    assert_eq!(ca.subject(), format!("SERIALNUMBER={},O=SPIFFE,C=US", ca.serial_decimal()));
    assert_eq!(ca.uri_sans(), ["spiffe://example.org"]);
    assert_eq!(ca.subject_der(), ca.issuer_der());
    assert!(ca.is_ca() && ca.signs_certificates() && ca.signs_crls());
    let contains = |part: &[u8]| ca.der().windows(part.len()).any(|window| window == part);
    assert!(contains(&signs_certificates()) && contains(&constraints(true, None)));
    // What signs itself has no authority key identifier.
    assert!(!contains(&[0x55, 0x1d, 0x23]));
}

#[test]
fn an_authority_below_is_named_after_the_one_above() {
    let (issuer, bundle) = root();
    let below = Arc::new(key());
    let ca = CaTemplate::downstream_of(&issuer, now() - HOUR, now() + 48 * HOUR)
        .issue(below.public(), &issuer)
        .unwrap();
    let above = issuer.certificate().subject_name();
    assert_eq!(ca.subject(), format!("SERIALNUMBER={},OU=DOWNSTREAM-1,O=SPIFFE,C=US", above.serial_number));
    assert_eq!(ca.not_after(), issuer.not_after());
    // Directly below a root it has to bring itself; SPIRE's journal lists it and others may not.
    for upstream in [vec![], vec![ca.clone()]] {
        let issuer = X509Issuer::new(ca.clone(), upstream, below.clone()).unwrap();
        assert_eq!(issuer.intermediates(), vec![ca.clone()]);
        let leaf =
            LeafTemplate::new(id("/a"), key().public().clone(), now(), now() + HOUR).issue(&issuer).unwrap();
        X509Svid::of(issuer.chain_for(leaf)).unwrap().verify(&bundle, now()).unwrap();
    }
}

#[test]
fn an_authority_can_be_kept_to_hosts_and_to_a_length() {
    // §4.1, §4.2
    let (issuer, bundle) = root();
    let below = Arc::new(key());
    let template = || CaTemplate::new(td(), CaSubject::default(), now() - HOUR, now() + HOUR);
    let constraints =
        UriConstraints::new().permit("example.org").permit(".example.org").exclude("a.example.org");
    let ca = template().path_len(0).constrain(constraints).issue(below.public(), &issuer).unwrap();
    assert_eq!(ca.path_len(), Some(0));
    let hosts = [&b"\x86\x0bexample.org"[..], b"\x86\x0c.example.org", b"\x86\x0da.example.org"];
    assert!(hosts.iter().all(|host| ca.der().windows(host.len()).any(|window| window == *host)));
    let limited = X509Issuer::new(ca, vec![], below).unwrap();
    let leaf =
        LeafTemplate::new(id("/a"), key().public().clone(), now(), now() + HOUR).issue(&limited).unwrap();
    X509Svid::of(limited.chain_for(leaf)).unwrap().verify(&bundle, now()).unwrap();

    let constrained = |constraints| template().constrain(constraints).issue(key().public(), &issuer);
    for host in ["", ".", "a..b", "spiffe://example.org", "*.example.org", "é"] {
        let bad = constrained(UriConstraints::new().permit(host));
        assert!(matches!(bad, Err(IssueError::Constraint(_))), "{host}");
    }
    for away in [
        UriConstraints::new().permit("other.org"),
        UriConstraints::new().permit(".example.org"),
        UriConstraints::new().permit("example.org").exclude("example.org"),
    ] {
        assert!(matches!(constrained(away), Err(IssueError::ConstrainedAway(_))));
    }
}

#[test]
fn an_authority_with_a_path_signs_nothing() {
    // §3.2
    let own = Arc::new(key());
    for (uri, fits) in [("spiffe://example.org", true), ("spiffe://example.org/ca", false)] {
        let forged = Forged::with(vec![signs_certificates(), constraints(true, None), uris(&[uri])]);
        let ca = Certificate::parse(forged.sign(own.public(), &forged.subject, &*own)).unwrap();
        assert_eq!(X509Issuer::new(ca, vec![], own.clone()).is_ok(), fits, "{uri}");
    }
}

#[test]
fn an_issuer_is_an_authority_with_its_own_key() {
    let (issuer, _) = root();
    let other = X509Issuer::new(issuer.certificate().clone(), vec![], Arc::new(key()));
    assert!(matches!(other, Err(IssueError::OtherKey)));
    let own = Arc::new(key());
    let leaf = LeafTemplate::new(id("/a"), own.public().clone(), now(), now() + HOUR).issue(&issuer).unwrap();
    assert!(matches!(X509Issuer::new(leaf, vec![], own), Err(IssueError::NotAnAuthority(_))));
}

#[test]
fn certificates_that_begin_in_the_year_one_are_read() {
    // A root of SPIRE's integration suites: Go's zero time, and the last moment there is.
    let pem = "-----BEGIN CERTIFICATE-----
MIIBKjCB0aADAgECAgEBMAoGCCqGSM49BAMCMAAwIhgPMDAwMTAxMDEwMDAwMDBa
GA85OTk5MTIzMTIzNTk1OVowADBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHyv
sCk5yi+yhSzNu5aquQwvm8a1Wh+qw1fiHAkhDni+wq+g3TQWxYlV51TCPH030yXs
RxvujD4hUUaIQrXk4KKjODA2MA8GA1UdEwEB/wQFMAMBAf8wIwYDVR0RAQH/BBkw
F4YVc3BpZmZlOi8vZG9tYWluMS50ZXN0MAoGCCqGSM49BAMCA0gAMEUCIA2dO09X
makw2ekuHKWC4hBhCkpr5qY4bI8YUcXfxg/1AiEA67kMyH7bQnr7OVLUrL+b9ylA
dZglS5kKnYigmwDh+/U=
-----END CERTIFICATE-----
";
    let bundle = Bundle::parse_pem(td(), pem).unwrap();
    let root = &bundle.x509_authorities()[0].certificate;
    assert_eq!((root.subject(), root.uri_sans()), ("", &["spiffe://domain1.test".to_owned()][..]));
    assert_eq!(root.not_before(), SystemTime::UNIX_EPOCH - Duration::from_secs(62_135_596_800));
    assert_eq!(root.not_after(), SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799));
    assert!(root.valid_at(now()) && root.may_sign_certificates());
    assert_eq!(Bundle::parse_spiffe_json(td(), &bundle.to_spiffe_json()), Ok(bundle));
}

#[test]
fn serial_numbers_are_positive_and_differ() {
    let (issuer, _) = root();
    let template = LeafTemplate::new(id("/a"), key().public().clone(), now(), now() + HOUR);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..64 {
        let serial = template.issue(&issuer).unwrap().serial_decimal();
        assert!(serial.len() <= 39 && serial != "0", "{serial}");
        assert!(seen.insert(serial));
    }
}

#[test]
fn a_request_names_what_it_asks_for() {
    let csr = Csr::parse(&Csr::build(&key(), Some(&id("/a")), &[]).unwrap()).unwrap();
    assert_eq!(csr.subject().to_string(), "O=SPIRE,C=US");
    assert!(Csr::parse(&vec![0x30; 40_000]).is_err());
    let padded = [Csr::build(&key(), None, &[]).unwrap(), vec![0]].concat();
    assert!(Csr::parse(&padded).is_err());
}
