//! How bundles change: what is different, which is newer, what may be published next, when to look again.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use spiffe::TrustDomain;
use spiffe::bundle::{
    Bundle, BundleSet, DEFAULT_REFRESH, JwtAuthority, MAX_REFRESH_HINT, MIN_REFRESH, PublishError,
    Succession, Verdict, WitKeys, X509Authority, refresh_after,
};
use spiffe::key::Signer;
use spiffe::x509::LeafTemplate;

use super::bundle::{full, wit};
use super::forge::*;

fn numbered(sequence: u64) -> Bundle {
    let mut bundle = Bundle::new(td());
    bundle.sequence = sequence;
    bundle
}

#[test]
fn what_is_the_same_differs_in_nothing() {
    let bundle = full();
    let diff = bundle.diff(&bundle.clone()).unwrap();
    assert!(diff.is_empty() && diff.same_keys());
    assert_eq!(bundle.diff(&Bundle::new(TrustDomain::parse("b.org").unwrap())), None);
}

#[test]
fn a_difference_names_each_authority_that_changed() {
    let mut old = full();
    old.push_wit(wit("w")).unwrap();
    let mut new = old.clone();
    let (_, fresh) = root();
    new.push_x509(fresh.x509_authorities()[0].clone()).unwrap();
    new.push_x509(X509Authority { tainted: true, ..old.x509_authorities()[0].clone() }).unwrap();
    new.retain_jwt(|_| false);
    new.retain_wit(|_| false);
    new.push_wit(wit("w")).unwrap();
    (new.sequence, new.refresh_hint) = (8, None);

    let diff = old.diff(&new).unwrap();
    assert_eq!(diff.x509.added, fresh.x509_authorities());
    assert_eq!(diff.x509.tainted, new.x509_authorities()[..1]);
    assert!(diff.x509.removed.is_empty() && diff.x509.altered.is_empty());
    assert_eq!(diff.jwt.removed, old.jwt_authorities());
    assert_eq!((&diff.wit.removed[..], &diff.wit.added[..]), (old.wit_authorities(), new.wit_authorities()));
    assert_eq!(
        (diff.sequence, diff.refresh_hint),
        (Some((7, 8)), Some((Some(Duration::from_secs(300)), None)))
    );
}

#[test]
fn an_authority_can_change_in_more_than_its_taint() {
    let old = full();
    let mut new = old.clone();
    let key = |bundle: &Bundle| bundle.jwt_authorities()[0].clone();
    new.retain_jwt(|_| false);
    for (change, tainted, altered) in [
        (JwtAuthority { tainted: true, ..key(&old) }, 1, 0),
        (JwtAuthority { expires_at: Some(now()), ..key(&old) }, 0, 1),
        (JwtAuthority { tainted: true, expires_at: Some(now()), ..key(&old) }, 1, 1),
    ] {
        let mut new = new.clone();
        new.push_jwt(change).unwrap();
        let jwt = old.diff(&new).unwrap().jwt;
        assert_eq!((jwt.tainted.len(), jwt.altered.len()), (tainted, altered));
        assert!(jwt.added.is_empty() && jwt.removed.is_empty());
        let back = new.diff(&old).unwrap().jwt;
        assert_eq!((back.tainted.len(), back.altered.len()), (0, 1), "what is no longer tainted is altered");
    }
}

#[test]
fn sets_differ_by_trust_domain() {
    let domain = |name: &str| Bundle::new(TrustDomain::parse(name).unwrap());
    let set = |all: Vec<Bundle>| all.into_iter().map(Arc::new).collect::<BundleSet>();
    let (old, mut grown) = (set(vec![domain("gone.org"), domain("kept.org"), numbered(1)]), numbered(1));
    grown.push_wit(wit("w")).unwrap();
    let new = set(vec![domain("kept.org"), grown.clone(), domain("new.org")]);
    let diff = old.diff(&new);
    let names = |all: &[Arc<Bundle>]| all.iter().map(|b| b.trust_domain().to_string()).collect::<Vec<_>>();
    assert_eq!((names(&diff.added), names(&diff.removed)), (vec!["new.org".into()], vec!["gone.org".into()]));
    assert_eq!(diff.changed.len(), 1);
    assert_eq!((&*diff.changed[0].0, diff.changed[0].1.wit.added.len()), (&grown, 1));
    assert!(new.diff(&new.clone()).is_empty());
}

#[test]
fn the_greater_sequence_number_is_the_newer_bundle() {
    // Federation §4.2
    let mut order = Succession::default();
    assert_eq!(order.judge(&numbered(7), &numbered(9)), Verdict::Take);
    assert_eq!(order.judge(&numbered(7), &numbered(7)), Verdict::Unchanged);
    assert_eq!(order.judge(&numbered(9), &numbered(7)), Verdict::Behind);
    assert_eq!(order.judge(&numbered(u64::MAX - 1), &numbered(u64::MAX)), Verdict::Take);
    let foreign = Bundle::new(TrustDomain::parse("b.org").unwrap());
    assert_eq!(order.judge(&foreign, &numbered(9)), Verdict::OtherTrustDomain);
}

#[test]
fn without_sequence_numbers_the_later_fetch_is_the_newer_bundle() {
    let mut order = Succession::default();
    let mut other = numbered(0);
    other.push_wit(wit("w")).unwrap();
    for (stored, fetched) in
        [(numbered(0), numbered(5)), (numbered(5), numbered(0)), (numbered(0), other.clone())]
    {
        assert_eq!(order.judge(&stored, &fetched), Verdict::Take);
    }
    other.sequence = 5;
    assert_eq!(order.judge(&numbered(5), &other), Verdict::Take, "the same number, other contents");
}

#[test]
fn a_publisher_that_lost_its_count_is_followed_again() {
    let mut order = Succession::default();
    let mut judge = |stored, fetched| order.judge(&numbered(stored), &numbered(fetched));
    assert_eq!([judge(9, 1), judge(9, 1), judge(9, 2)], [Verdict::Behind, Verdict::Behind, Verdict::Take]);
    assert_eq!([judge(2, 1), judge(2, 1)], [Verdict::Behind; 2]);
    assert_eq!(judge(2, 3), Verdict::Take, "a newer one ends the row");
    assert_eq!(
        [judge(3, 2), judge(3, 2), judge(3, 1), judge(3, 1)],
        [Verdict::Behind; 4],
        "replicas that go back"
    );
    assert_eq!(judge(3, 1), Verdict::Take);
}

#[test]
fn a_refresh_neither_spins_nor_stalls() {
    // Trust Domain and Bundle §6.1; Federation §4.1
    assert_eq!(refresh_after(None), DEFAULT_REFRESH);
    assert_eq!(refresh_after(Some(Duration::from_secs(3600))), Duration::from_secs(3600));
    assert_eq!(refresh_after(Some(Duration::from_secs(1))), MIN_REFRESH);
    assert_eq!(refresh_after(Some(Duration::MAX)), MAX_REFRESH_HINT);
}

#[test]
fn what_is_published_counts_up() {
    // §4.1.1
    let published = full();
    let document = published.publish(None, WitKeys::Omitted).unwrap();
    assert_eq!(document, published.to_spiffe_json());
    assert_eq!(published.publish(Some(&published), WitKeys::Omitted), Ok(document));
    let mut next = published.clone();
    next.push_wit(wit("w")).unwrap();
    let stuck = Err(PublishError::Sequence { before: 7, now: 7 });
    assert_eq!(next.publish(Some(&published), WitKeys::Included), stuck);
    next.sequence = 6;
    assert!(next.publish(Some(&published), WitKeys::Included).is_err());
    next.sequence = 8;
    let text = next.publish(Some(&published), WitKeys::Included).unwrap();
    assert_eq!(Bundle::parse_spiffe_json(td(), &text).unwrap(), next);
    let foreign = Bundle::new(TrustDomain::parse("b.org").unwrap());
    assert!(matches!(next.publish(Some(&foreign), WitKeys::Omitted), Err(PublishError::OtherTrustDomain(_))));
}

#[test]
fn only_authorities_are_published() {
    // X509-SVID §6.1
    let (issuer, mut bundle) = root();
    let leaf =
        LeafTemplate::new(id("/web"), key().public().clone(), now(), now() + HOUR).issue(&issuer).unwrap();
    bundle.push_x509(X509Authority { certificate: leaf, tainted: false }).unwrap();
    assert!(matches!(bundle.publish(None, WitKeys::Omitted), Err(PublishError::NotAnAuthority { .. })));
}

#[test]
fn a_hint_is_published_in_whole_seconds() {
    // §4.1.2
    let mut bundle = full();
    for bad in [Duration::ZERO, Duration::from_millis(1500), MAX_REFRESH_HINT + Duration::from_secs(1)] {
        bundle.refresh_hint = Some(bad);
        assert_eq!(bundle.publish(None, WitKeys::Omitted), Err(PublishError::Hint), "{bad:?}");
    }
    bundle.refresh_hint = Some(Duration::from_millis(500));
    let text: Value = serde_json::from_str(&bundle.to_spiffe_json()).unwrap();
    assert!(text.get("spiffe_refresh_hint").is_none());
}
