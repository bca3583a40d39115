//! SPIFFE-ID.md.

use spiffe::{IdError, SpiffeId, TrustDomain};

fn refused(text: &str) -> IdError {
    match SpiffeId::parse(text) {
        Ok(_) => panic!("{text:?} was taken for a SPIFFE ID"),
        Err(why) => why,
    }
}

#[test]
fn the_scheme_is_spiffe_with_two_slashes() {
    // §2
    assert!(SpiffeId::parse("spiffe://example.org/a").is_ok());
    for bad in ["https://example.org/a", "spiffe:example.org/a", "spiffe:/example.org", "//example.org/a"] {
        assert_eq!(refused(bad), IdError::WrongScheme, "{bad}");
    }
    assert_eq!(refused(""), IdError::Empty);
}

#[test]
fn a_trust_domain_is_there_and_has_nothing_beside_it() {
    // §2.1: neither user nor port, no percent-encoding, no IPv6
    for bad in ["spiffe://", "spiffe:///a"] {
        assert_eq!(refused(bad), IdError::MissingTrustDomain, "{bad}");
    }
    for bad in [
        "spiffe://u@td/a",
        "spiffe://u:p@td/a",
        "spiffe://@td/a",
        "spiffe://td:443/a",
        "spiffe://td:/a",
        "spiffe://t%64/x",
        "spiffe://[::1]/x",
        "spiffe://a~b",
        "spiffe://a+b",
        "spiffe://a b",
        "spiffe://tést",
        "spiffe://a\0",
        "spiffe://td?x",
        "spiffe://td#f",
    ] {
        assert_eq!(refused(bad), IdError::TrustDomainCharacter, "{bad}");
    }
}

#[test]
fn a_query_or_fragment_is_refused_even_if_empty() {
    // §2
    for bad in ["spiffe://td/a?x=1", "spiffe://td/a?", "spiffe://td/a#f", "spiffe://td/a#"] {
        assert_eq!(refused(bad), IdError::PathCharacter, "{bad}");
    }
}

#[test]
fn another_spelling_in_capitals_is_refused_and_is_no_second_identity() {
    // §2.1 wants lowercase; §2.4 would have capitals mean the same. One spelling is taken.
    for bad in ["SPIFFE://example.org/a", "Spiffe://example.org/a", "spiffe://EXAMPLE.org/a"] {
        refused(bad);
    }
    assert!(TrustDomain::parse("Example.org").is_err());
    // §2.4: paths are told apart by case.
    assert_ne!(SpiffeId::parse("spiffe://td/Admin"), SpiffeId::parse("spiffe://td/admin"));
}

#[test]
fn names_that_look_like_addresses_or_hosts_are_compared_byte_by_byte() {
    // §2.1
    for name in ["10.0.0.1", "999.999.999.999", "a..b", "-x-", "example.org.", "a_b-c.1"] {
        assert_eq!(TrustDomain::parse(name).unwrap().as_str(), name);
        let id = SpiffeId::parse(&format!("spiffe://{name}/x")).unwrap();
        assert_eq!(id.trust_domain().as_str(), name);
    }
    let id = SpiffeId::parse("spiffe://example.org./x").unwrap();
    assert!(!id.member_of(&TrustDomain::parse("example.org").unwrap()));
    assert_ne!(TrustDomain::parse("010.0.0.1"), TrustDomain::parse("10.0.0.1"));
}

#[test]
fn paths_are_refused_rather_than_cleaned() {
    // §2.2
    for bad in [
        "spiffe://td/a%2Fb",
        "spiffe://td/%41",
        "spiffe://td/a:b",
        "spiffe://td/a@b",
        "spiffe://td/a~b",
        "spiffe://td/a+b",
        "spiffe://td/é",
        "spiffe://td/a b",
        "spiffe://td/a\\b",
        "spiffe://td/a\n",
    ] {
        assert_eq!(refused(bad), IdError::PathCharacter, "{bad}");
    }
    for bad in ["spiffe://td//a", "spiffe://td/a//b"] {
        assert_eq!(refused(bad), IdError::EmptySegment, "{bad}");
    }
    for bad in ["spiffe://td/.", "spiffe://td/..", "spiffe://td/a/../b", "spiffe://td/./a"] {
        assert_eq!(refused(bad), IdError::DotSegment, "{bad}");
    }
    for bad in ["spiffe://td/", "spiffe://td/a/"] {
        assert_eq!(refused(bad), IdError::TrailingSlash, "{bad}");
    }
    for good in ["/...", "/a..b", "/.a", "/a.", "/A/b_1-.x", "/a/b/c/d", ""] {
        let id = SpiffeId::parse(&format!("spiffe://td{good}")).unwrap();
        assert_eq!(id.path(), good);
    }
    let td = TrustDomain::parse("td").unwrap();
    assert_eq!(SpiffeId::new(&td, "a"), Err(IdError::NoLeadingSlash));
}

#[test]
fn lengths_hold_at_their_limits() {
    // §2.3, over the whole ID
    let longest = format!("spiffe://td/{}", "a".repeat(2048 - 12));
    assert_eq!(longest.len(), 2048);
    assert_eq!(SpiffeId::parse(&longest).unwrap().as_str(), longest);
    assert_eq!(refused(&format!("{longest}a")), IdError::TooLong);
    let td = TrustDomain::parse("td").unwrap();
    assert!(SpiffeId::new(&td, &format!("/{}", "a".repeat(2036))).is_ok());
    assert_eq!(SpiffeId::new(&td, &format!("/{}", "a".repeat(2037))), Err(IdError::TooLong));
    assert!(TrustDomain::parse(&"a".repeat(255)).is_ok());
    assert_eq!(TrustDomain::parse(&"a".repeat(256)), Err(IdError::TrustDomainTooLong));
}

#[test]
fn the_id_of_a_trust_domain_has_no_path() {
    let td = TrustDomain::parse("example.org").unwrap();
    assert_eq!(td.id().as_str(), "spiffe://example.org");
    assert_eq!(td.id(), SpiffeId::parse("spiffe://example.org").unwrap());
    assert_eq!((td.id().path(), td.id().trust_domain()), ("", td));
}
