//! RFC 5280 §5: revocation lists.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use spiffe::key::{SigAlg, Signer};
use spiffe::x509::path::{PathFault, Position};
use spiffe::x509::{
    CaSubject, CaTemplate, Certificate, Crl, CrlError, CrlTemplate, IssueError, LeafTemplate, Reason,
    Revocation, Revoked, SignedCrl, VerifyError, VerifyOptions, WithoutCrl, X509Issuer, X509Svid,
};

use super::forge::*;

fn leaf(issuer: &X509Issuer) -> Certificate {
    LeafTemplate::new(id("/a"), key().public().clone(), now() - HOUR, now() + HOUR).issue(issuer).unwrap()
}

fn revoked(certificate: &Certificate) -> Revoked {
    Revoked { serial: certificate.serial().to_vec(), at: now() - HOUR, reason: Reason::KeyCompromise }
}

fn list(issuer: &X509Issuer, all: &[&Certificate]) -> SignedCrl {
    list_of(issuer, all, now() - HOUR, now() + HOUR)
}

fn list_of(issuer: &X509Issuer, all: &[&Certificate], this: SystemTime, next: SystemTime) -> SignedCrl {
    let template = CrlTemplate::new(7, this, next);
    let template = all.iter().fold(template, |template, one| template.revoke(revoked(one)));
    template.issue(issuer).unwrap().verify(issuer.certificate()).unwrap()
}

fn outcome(
    chain: Vec<Certificate>,
    bundle: &spiffe::Bundle,
    lists: &[SignedCrl],
    without: WithoutCrl,
) -> Result<(), (Position, PathFault)> {
    let options = VerifyOptions::at(now()).revocation(Revocation::by(lists, without));
    match X509Svid::of(chain).unwrap().verify_with(bundle, options) {
        Ok(_) => Ok(()),
        Err(VerifyError::Chain { why, .. }) => Err((why.position, why.fault)),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_list_says_what_it_was_made_of() {
    let (issuer, _) = root();
    let (one, other) = (leaf(&issuer), leaf(&issuer));
    let unspecified = Revoked { reason: Reason::Unspecified, ..revoked(&one) };
    let large = Revoked { serial: vec![0xff; 20], at: now(), reason: Reason::Superseded };
    let template = CrlTemplate::new(300, now(), now() + HOUR).revoke(unspecified).revoke(large.clone());
    let made = template.issue(&issuer).unwrap();
    let crl = Crl::parse(made.der()).unwrap();
    assert_eq!(crl, made);
    assert_eq!((crl.this_update(), crl.next_update(), crl.len()), (now(), now() + HOUR, 2));
    assert_eq!(crl.number(), Some(&[1, 44][..]));
    assert_eq!(crl.issuer_der(), issuer.certificate().subject_der());
    assert_eq!(crl.revoked(one.serial()), Some((now() - HOUR, None)));
    let large = [vec![0], large.serial].concat();
    assert_eq!(crl.revoked(&large), Some((now(), Some(Reason::Superseded))));
    assert_eq!(crl.revoked(other.serial()), None);
    let empty = CrlTemplate::new(1, now(), now()).issue(&issuer).unwrap();
    assert!(empty.is_empty());
    for serial in [vec![], vec![1; 21]] {
        let bad = CrlTemplate::new(1, now(), now()).revoke(Revoked { serial, ..revoked(&one) });
        assert!(matches!(bad.issue(&issuer), Err(IssueError::Serial(_))));
    }
    assert!(matches!(CrlTemplate::new(1, now(), now() - HOUR).issue(&issuer), Err(IssueError::Period)));
}

#[test]
fn a_revoked_certificate_is_refused_and_the_others_are_not() {
    let (issuer, bundle) = root();
    let (good, bad) = (leaf(&issuer), leaf(&issuer));
    let lists = [list(&issuer, &[&bad])];
    for without in [WithoutCrl::Accept, WithoutCrl::Refuse] {
        outcome(vec![good.clone()], &bundle, &lists, without).unwrap();
        let why = outcome(vec![bad.clone()], &bundle, &lists, without).unwrap_err();
        assert_eq!(why, (Position::Leaf, PathFault::Revoked(bad.serial_decimal())));
    }
    X509Svid::of(vec![bad]).unwrap().verify(&bundle, now()).unwrap();
}

#[test]
fn without_a_list_that_holds_it_is_as_the_caller_says() {
    let (issuer, bundle) = root();
    let (good, bad) = (leaf(&issuer), leaf(&issuer));
    let second = Duration::from_secs(1);
    let missing = vec![];
    let stale = vec![list_of(&issuer, &[&bad], now() - HOUR, now() - second)];
    let future = vec![list_of(&issuer, &[&bad], now() + second, now() + HOUR)];
    for lists in [&missing, &stale, &future] {
        outcome(vec![good.clone()], &bundle, lists, WithoutCrl::Accept).unwrap();
        let why = outcome(vec![good.clone()], &bundle, lists, WithoutCrl::Refuse).unwrap_err();
        assert_eq!(why, (Position::Leaf, PathFault::RevocationUnknown));
    }
    // What was revoked stays so when the list is late.
    let late = outcome(vec![bad.clone()], &bundle, &stale, WithoutCrl::Accept).unwrap_err();
    assert!(matches!(late.1, PathFault::Revoked(_)));
    outcome(vec![bad.clone()], &bundle, &future, WithoutCrl::Accept).unwrap();
    // The newest one counts: here the certificate was on hold.
    let both =
        [list_of(&issuer, &[&bad], now() - HOUR, now() + HOUR), list_of(&issuer, &[], now(), now() + HOUR)];
    outcome(vec![bad], &bundle, &both, WithoutCrl::Refuse).unwrap();
}

#[test]
fn an_intermediate_is_revoked_by_the_authority_above_it() {
    let (above, bundle) = root();
    let below = Arc::new(key());
    let ca = CaTemplate::new(td(), CaSubject::default(), now() - HOUR, now() + HOUR)
        .issue(below.public(), &above)
        .unwrap();
    let issuer = X509Issuer::new(ca.clone(), vec![], below).unwrap();
    let chain = issuer.chain_for(leaf(&issuer));
    let own = list(&issuer, &[]);
    outcome(chain.clone(), &bundle, &[own.clone(), list(&above, &[])], WithoutCrl::Refuse).unwrap();
    let missing =
        outcome(chain.clone(), &bundle, std::slice::from_ref(&own), WithoutCrl::Refuse).unwrap_err();
    assert_eq!(missing, (Position::Intermediate(1), PathFault::RevocationUnknown));
    let why = outcome(chain, &bundle, &[own, list(&above, &[&ca])], WithoutCrl::Accept).unwrap_err();
    assert_eq!(why, (Position::Intermediate(1), PathFault::Revoked(ca.serial_decimal())));
}

#[test]
fn a_list_is_verified_by_its_issuer_and_counts_for_no_other() {
    let ((issuer, bundle), (other, _)) = (root(), root());
    let bad = leaf(&issuer);
    let crl = list(&issuer, &[&bad]).crl().clone();
    assert!(matches!(crl.clone().verify(other.certificate()), Err(CrlError::OtherIssuer { .. })));
    // Another key under the same name.
    let own = key();
    let liar = Forged {
        subject: issuer.certificate().subject_der().to_vec(),
        ..Forged::with(vec![signs_certificates(), constraints(true, None), uris(&["spiffe://example.org"])])
    };
    let liar = liar.sign(own.public(), issuer.certificate().subject_der(), &own);
    let liar = X509Issuer::new(Certificate::parse(liar).unwrap(), vec![], Arc::new(own)).unwrap();
    assert_eq!(crl.verify(liar.certificate()).unwrap_err(), CrlError::Signature);
    let lists = [list(&liar, &[&bad])];
    outcome(vec![bad], &bundle, &lists, WithoutCrl::Accept).unwrap();
}

#[test]
fn an_authority_that_may_not_sign_lists_signs_none() {
    let own = Arc::new(key());
    // keyCertSign alone
    let extensions = vec![key_usage(2, 0x04), constraints(true, None), uris(&["spiffe://example.org"])];
    let forged = Forged::with(extensions);
    let ca = Certificate::parse(forged.sign(own.public(), &forged.subject, &*own)).unwrap();
    let issuer = X509Issuer::new(ca.clone(), vec![], own.clone()).unwrap();
    let refused = CrlTemplate::new(1, now(), now()).issue(&issuer);
    assert!(matches!(refused, Err(IssueError::NotAnAuthority(_))));
    let made = crl(&forged.subject, &*own, &[]);
    assert!(matches!(Crl::parse(made).unwrap().verify(&ca), Err(CrlError::MayNotSign(_))));
}

/// A list with these parts after its moments.
fn crl(name: &[u8], signer: &dyn Signer, after: &[&[u8]]) -> Vec<u8> {
    let alg = SigAlg::for_x509(signer.public());
    let moments = [time(now() - HOUR), time(now() + HOUR)].concat();
    let head = [&[2, 1, 1], &algorithm(alg)[..], name, &moments].concat();
    let content = tlv(0x30, &[&[&head[..]], after].concat());
    spiffe::x509::assemble(&content, alg, &signer.sign(alg, &content).unwrap())
}

#[test]
fn what_is_not_supported_is_refused() {
    let name = tlv(0x30, &[]);
    let with = |extensions: &[Vec<u8>]| {
        Crl::parse(crl(&name, &key(), &[&tlv(0xa0, &[&tlv(0x30, &[&extensions.concat()])])]))
    };
    let entry = |extensions: &[Vec<u8>]| {
        let one = tlv(0x30, &[&[2, 1, 5], &time(now()), &tlv(0x30, &[&extensions.concat()])]);
        Crl::parse(crl(&name, &key(), &[&tlv(0x30, &[&one])]))
    };
    let number = extension(0x14, false, &[2, 1, 1]);
    with(&[number.clone(), extension(0x7f, false, &[5, 0])]).unwrap();
    assert_eq!(with(&[extension(0x1b, true, &[2, 1, 1])]), Err(CrlError::Delta));
    assert_eq!(with(&[extension(0x1c, true, &[0x30, 3, 0x84, 1, 0xff])]), Err(CrlError::Partial));
    assert_eq!(with(&[extension(0x7f, true, &[5, 0])]), Err(CrlError::UnknownCritical("2.5.29.127".into())));
    assert!(matches!(with(&[number.clone(), number]), Err(CrlError::Malformed(_))));
    assert!(matches!(with(&[extension(0x14, false, &[2, 1, 0xff])]), Err(CrlError::Malformed(_))));
    let code = |code| extension(0x15, false, &[0x0a, 1, code]);
    assert_eq!(entry(&[code(1)]).unwrap().revoked(&[5]), Some((now(), Some(Reason::KeyCompromise))));
    for none in [7, 8, 11] {
        assert!(matches!(entry(&[code(none)]), Err(CrlError::Malformed(_))), "{none}");
    }
    assert_eq!(entry(&[extension(0x1d, true, &[0x30, 0])]), Err(CrlError::Partial));
    assert_eq!(entry(&[extension(0x7f, true, &[5, 0])]), Err(CrlError::UnknownCritical("2.5.29.127".into())));
    entry(&[extension(0x18, false, &[5, 0])]).unwrap();

    let alg = algorithm(SigAlg::EcdsaP256Sha256);
    let made = |parts: &[&[u8]]| Crl::parse(tlv(0x30, &[&tlv(0x30, parts), &alg, &[3, 2, 0, 0]]));
    let (version, moment) = (&[2, 1, 1][..], &time(now())[..]);
    made(&[version, &alg, &name, moment, moment]).unwrap();
    assert_eq!(made(&[version, &alg, &name, moment]), Err(CrlError::NoNextUpdate));
    assert!(matches!(made(&[&alg, &name, moment, moment]), Err(CrlError::Malformed(_))));
    assert!(matches!(made(&[&[2, 1, 0], &alg, &name, moment, moment]), Err(CrlError::Malformed(_))));
    assert_eq!(Crl::parse(vec![0; 16 * 1024 * 1024 + 1]), Err(CrlError::TooLarge(16 * 1024 * 1024 + 1)));
}

#[test]
fn any_flipped_bit_of_a_list_is_refused() {
    let (issuer, _) = root();
    let der = list(&issuer, &[&leaf(&issuer)]).crl().der().to_vec();
    for bit in 0..der.len() * 8 {
        let mut bad = der.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(!Crl::parse(bad).is_ok_and(|crl| crl.verify(issuer.certificate()).is_ok()), "bit {bit}");
    }
}
