//! SPIFFE_Workload_Endpoint.md §3, §4 and SPIFFE_Federation.md §5: addresses, headers, bundle endpoints.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use spiffe::bundle::{Bundle, BundleSet};
use spiffe::endpoint::*;
use spiffe::key::Signer;
use spiffe::x509::{LeafTemplate, X509Svid};
use spiffe::{SpiffeId, TrustDomain};

use super::bundle::full;
use super::forge::*;

fn socket(text: &str) -> String {
    match WorkloadEndpoint::parse(text).unwrap().place() {
        Place::Unix(path) => path.to_str().unwrap().to_owned(),
        Place::Tcp(address) => panic!("{address}"),
    }
}

#[test]
fn the_address_of_a_socket_is_its_absolute_path() {
    // Workload Endpoint §4
    assert_eq!(socket("unix:///run/a.sock"), "/run/a.sock");
    assert_eq!(socket("unix:/run/a.sock"), "/run/a.sock");
    assert_eq!(socket("UNIX:///a"), "/a");
    assert_eq!(socket("unix:///a%20b/%2520/../c"), "/a b/%20/../c", "decoded once, and not walked");
    use WorkloadEndpointError::{Extra, Host, Path, Scheme, Uri};
    for (bad, why) in [
        ("unix://run/a.sock", Host),
        ("unix://host/run/a.sock", Host),
        ("unix:a.sock", Path),
        ("unix://", Path),
        ("unix:///", Path),
        ("unix:", Path),
        ("unix:///a%00", Path),
        ("unix:///a?x", Extra),
        ("unix:///a?", Extra),
        ("unix:///a#x", Extra),
        ("unix:///a#", Extra),
        ("unix:///a b", Uri(UriError::Character)),
        ("unix:///é", Uri(UriError::Character)),
        ("unix:///a%2", Uri(UriError::Percent)),
        ("unix:///%zz", Uri(UriError::Percent)),
        ("unix:///%ff", Uri(UriError::Character)),
        ("/run/a.sock", Uri(UriError::NoScheme)),
        ("", Uri(UriError::NoScheme)),
        ("http://127.0.0.1:1", Scheme),
        ("npipe:a", Scheme),
    ] {
        assert_eq!(WorkloadEndpoint::parse(bad), Err(why), "{bad}");
    }
    let long = format!("unix:///{}", "a".repeat(4096));
    assert_eq!(WorkloadEndpoint::parse(&long), Err(Uri(UriError::TooLong)));
}

#[test]
fn the_address_of_a_tcp_listener_is_an_ip_address_and_a_port() {
    for (text, address) in [("tcp://127.0.0.1:8000", "127.0.0.1:8000"), ("tcp://[::1]:8000", "[::1]:8000")] {
        let endpoint = WorkloadEndpoint::parse(text).unwrap();
        assert_eq!(endpoint.place(), Place::Tcp(address.parse().unwrap()));
        assert_eq!((endpoint.to_string().as_str(), endpoint.is_local()), (text, true));
    }
    assert!(!WorkloadEndpoint::parse("tcp://192.0.2.1:1").unwrap().is_local());
    use WorkloadEndpointError::{Extra, NoAddress, NoPort, TcpPath, Uri, User};
    for (bad, why) in [
        ("tcp://localhost:8000", NoAddress),
        ("tcp://:8000", NoAddress),
        ("tcp:127.0.0.1:8000", NoAddress),
        ("tcp://127.0.0.01:8000", NoAddress),
        ("tcp://127.0.0.1", NoPort),
        ("tcp://127.0.0.1:", NoPort),
        ("tcp://127.0.0.1:0", Uri(UriError::Port)),
        ("tcp://127.0.0.1:99999", Uri(UriError::Port)),
        ("tcp://127.0.0.1:+80", Uri(UriError::Port)),
        ("tcp://127.0.0.1:8000/", TcpPath),
        ("tcp://127.0.0.1:8000/foo", TcpPath),
        ("tcp://127.0.0.1:8000?x", Extra),
        ("tcp://127.0.0.1:8000?", Extra),
        ("tcp://127.0.0.1:8000#x", Extra),
        ("tcp://u@127.0.0.1:1", User),
        ("tcp://@127.0.0.1:1", User),
        ("tcp://[::1:8000", Uri(UriError::Ipv6)),
        ("tcp://[fe80::1%25eth0]:8000", Uri(UriError::Ipv6)),
        ("tcp://[::1]8000", Uri(UriError::Character)),
    ] {
        assert_eq!(WorkloadEndpoint::parse(bad), Err(why), "{bad}");
    }
}

#[test]
fn what_is_configured_goes_before_the_environment() {
    let (a, b) = (Some("unix:///a"), Some("unix:///b"));
    let located = |configured, environment| {
        WorkloadEndpoint::locate(configured, environment).map(|endpoint| endpoint.to_string())
    };
    assert_eq!(located(a, b).as_deref(), Ok("unix:///a"));
    assert_eq!(located(None, b).as_deref(), Ok("unix:///b"));
    assert_eq!(located(None, None), Err(LocateError::Nowhere));
    assert!(matches!(located(Some("/a"), b), Err(LocateError::Configured(_))));
    assert!(matches!(located(None, Some("")), Err(LocateError::Environment(_))));
    assert_eq!(WorkloadEndpoint::unix(Path::new("/a b")).unwrap().to_string(), "unix:///a%20b");
    assert!(WorkloadEndpoint::unix(Path::new("a")).is_none());
}

#[test]
fn a_request_carries_the_header_once_and_exactly() {
    // §3, §6
    let check = |values: &[&str]| check_workload_header(values.iter().map(|value| value.as_bytes()));
    assert_eq!(check(&["true"]), Ok(()));
    assert_eq!(check(&[]), Err(HeaderError::Missing));
    for bad in ["True", "TRUE", "1", "true ", " true", "", "true,true"] {
        assert_eq!(check(&[bad]), Err(HeaderError::Value), "{bad}");
    }
    assert_eq!(check(&["true", "false"]), Err(HeaderError::Repeated));
    assert_eq!(check(&["true", "true"]), Err(HeaderError::Repeated));
}

#[test]
fn a_bundle_endpoint_has_an_https_url_without_user_information() {
    // Federation §5.2.1.1
    let url = BundleUrl::parse("HTTPS://h.example:8443/b?x=1#f").unwrap();
    assert_eq!((url.host(), url.port(), url.target().as_str()), ("h.example", 8443, "/b?x=1"));
    assert_eq!(url.host_header(), "h.example:8443");
    let url = BundleUrl::parse("https://[::1]").unwrap();
    assert_eq!((url.host(), url.port(), url.target().as_str()), ("::1", 443, "/"));
    assert_eq!(url.host_header(), "[::1]");
    use BundleUrlError::{Host, Scheme, Uri, User};
    for (bad, why) in [
        ("http://h/b", Scheme),
        ("https://u@h/b", User),
        ("https://u:p@h/b", User),
        ("https://@h/b", User),
        ("https:///b", Host),
        ("https:h/b", Host),
        ("https://:443/b", Host),
        ("https://h:0/b", Uri(UriError::Port)),
        ("https://h:x/b", Uri(UriError::Port)),
        ("https://u@v@h/b", Uri(UriError::Character)),
        ("https://h/a b", Uri(UriError::Character)),
        ("h/b", Uri(UriError::NoScheme)),
    ] {
        assert_eq!(BundleUrl::parse(bad), Err(why), "{bad}");
    }
}

fn endpoint(domain: &str, id: Option<&str>) -> BundleEndpoint {
    let profile = if id.is_some() { "https_spiffe" } else { "https_web" };
    BundleEndpoint::configure(Some(domain), Some("https://h/b"), Some(profile), id).unwrap()
}

#[test]
fn nothing_of_a_bundle_endpoint_is_inferred() {
    // §5.1, §5.2.2.2, §7.2
    let (td, url, web) = (Some("b.org"), Some("https://b.org/b"), Some("https_web"));
    let configure = BundleEndpoint::configure;
    assert!(configure(td, url, web, None).is_ok());
    assert_eq!(configure(None, url, web, None), Err(EndpointError::Missing("trust domain")));
    assert_eq!(configure(td, None, web, None), Err(EndpointError::Missing("URL")));
    assert_eq!(configure(td, url, None, None), Err(EndpointError::Missing("profile")));
    let spiffe = Some("https_spiffe");
    assert!(configure(td, url, spiffe, Some("spiffe://b.org/server")).is_ok());
    assert_eq!(configure(td, url, spiffe, None), Err(EndpointError::Missing("SPIFFE ID")));
    assert_eq!(configure(td, url, spiffe, Some("spiffe://b.org")), Err(EndpointError::PathlessId));
    assert_eq!(configure(td, url, web, Some("spiffe://b.org/server")), Err(EndpointError::WebWithId));
    assert_eq!(configure(td, url, Some("https"), None), Err(EndpointError::Profile));
    assert!(matches!(configure(Some("B"), url, web, None), Err(EndpointError::TrustDomain(_))));
    assert!(matches!(configure(td, url, spiffe, Some("b")), Err(EndpointError::Id(_))));
    assert!(matches!(configure(td, Some("http://h"), web, None), Err(EndpointError::Url(_))));
}

#[test]
fn redirects_lead_to_urls_of_bundle_endpoints_only() {
    // §5.2.1.4, §7.5.1
    let endpoint = endpoint("b.org", None);
    let to = |location: &str| {
        let mut fetch = endpoint.fetch(Redirects::Followed);
        fetch.redirect([location]).map(ToString::to_string)
    };
    assert_eq!(to("https://cdn.example/x").as_deref(), Ok("https://cdn.example/x"));
    assert_eq!(to("/x?y").as_deref(), Ok("https://h/x?y"));
    assert_eq!(to("//cdn.example:1/x").as_deref(), Ok("https://cdn.example:1/x"));
    for bad in ["http://h/b", "https://u:p@h/b", "//u@h/b", "file:///b", "https://", "/a b"] {
        assert!(matches!(to(bad), Err(RedirectError::Url(_))), "{bad}");
    }
    let mut fetch = endpoint.fetch(Redirects::Followed);
    assert_eq!(fetch.redirect([]), Err(RedirectError::NoLocation));
    assert_eq!(fetch.redirect(["/a", "/b"]), Err(RedirectError::Ambiguous));
    for _ in 0..MAX_REDIRECTS {
        fetch.redirect(["/b"]).unwrap();
    }
    assert_eq!(fetch.redirect(["/b"]), Err(RedirectError::TooMany));
    assert_eq!(endpoint.fetch(Redirects::Refused).redirect(["/b"]), Err(RedirectError::Refused));
    assert_eq!(fetch.endpoint().fetch(Redirects::Followed).url(), endpoint.url(), "the next begins anew");
    assert_eq!([301, 302, 303, 307, 308].map(Fetch::is_redirect), [true; 5]);
    assert_eq!([200, 300, 304, 305, 404].map(Fetch::is_redirect), [false; 5]);
}

#[test]
fn an_answer_is_a_bundle_of_the_trust_domain_that_was_configured() {
    // §4, §5.2.1.3
    let endpoint = endpoint("b.org", None);
    let text = full().to_spiffe_json();
    let read = endpoint.read(200, text.as_bytes()).unwrap();
    assert_eq!(read.bundle.trust_domain().as_str(), "b.org");
    assert_eq!(endpoint.read(404, text.as_bytes()), Err(ResponseError::Status(404)));
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).chain([0xff]).collect();
    assert_eq!(endpoint.read(200, &utf16), Err(ResponseError::Utf8));
    for bad in ["<html></html>", "\u{feff}{\"keys\":[]}", ""] {
        assert!(matches!(endpoint.read(200, bad.as_bytes()), Err(ResponseError::Document(_))), "{bad}");
    }
}

#[test]
fn a_self_serving_endpoint_is_authenticated_by_the_latest_bundle() {
    // §5.2.2.4
    let endpoint = endpoint("example.org", Some("spiffe://example.org/server"));
    let (issuer, bootstrap) = root();
    let (_, rotated) = root();
    let leaf = |path: &str| {
        let template = LeafTemplate::new(id(path), key().public().clone(), now() - HOUR, now() + HOUR);
        X509Svid::of(issuer.chain_for(template.issue(&issuer).unwrap())).unwrap()
    };
    let (none, latest) = (BundleSet::default(), BundleSet::from_iter([Arc::new(rotated.clone())]));
    let peer = |set, bootstrap| endpoint.peer(endpoint.url(), set, bootstrap);
    let first = peer(&none, Some(&bootstrap)).unwrap();
    let Peer::Spiffe { bundle, .. } = first else { panic!("{first:?}") };
    assert!(first.is(&leaf("/server").verify(bundle, now()).unwrap()));
    assert!(!first.is(&leaf("/other").verify(bundle, now()).unwrap()), "exactly the configured ID");
    let later = peer(&latest, Some(&bootstrap)).unwrap();
    let Peer::Spiffe { bundle, .. } = later else { panic!("{later:?}") };
    assert_eq!(bundle, &rotated);
    assert!(leaf("/server").verify(bundle, now()).is_err(), "the bootstrap bundle is not used again");
    let empty = BundleSet::from_iter([Arc::new(Bundle::new(td()))]);
    assert!(
        matches!(peer(&empty, Some(&bootstrap)), Ok(Peer::Spiffe { bundle, .. }) if *bundle == Bundle::new(td()))
    );
    assert_eq!(peer(&none, None), Err(EndpointError::NoBundle(td())));
}

#[test]
fn an_endpoint_of_elsewhere_is_authenticated_by_the_bundle_of_its_trust_domain() {
    let endpoint = endpoint("b.org", Some("spiffe://example.org/server"));
    let (_, own) = root();
    let none = BundleSet::default();
    assert!(!endpoint.is_self_serving());
    assert_eq!(endpoint.peer(endpoint.url(), &none, Some(&own)), Err(EndpointError::NoBundle(td())));
    let set = BundleSet::from_iter([Arc::new(own.clone())]);
    let expected = SpiffeId::parse("spiffe://example.org/server").unwrap();
    assert_eq!(endpoint.peer(endpoint.url(), &set, None), Ok(Peer::Spiffe { id: &expected, bundle: &own }));
    let web = self::endpoint("b.org", None);
    assert_eq!(web.peer(web.url(), &set, None), Ok(Peer::Web { host: "h" }));
}

#[test]
fn a_circle_of_endpoints_needs_a_bundle_to_begin_with() {
    // §5.2.2.2
    let (a, b) = (endpoint("a.org", Some("spiffe://b.org/s")), endpoint("b.org", Some("spiffe://a.org/s")));
    let domain = |name: &str| TrustDomain::parse(name).unwrap();
    let without = |_: &TrustDomain| false;
    let circle = check_anchored(&[a.clone(), b.clone()], without).unwrap_err();
    assert_eq!(
        (circle.trust_domain, circle.needs),
        (domain("a.org"), vec![domain("b.org"), domain("a.org")])
    );
    assert_eq!(check_anchored(&[a.clone(), b.clone()], |td| *td == domain("b.org")), Ok(()));
    assert_eq!(check_anchored(&[a.clone(), endpoint("b.org", None)], without), Ok(()));
    assert!(check_anchored(&[a], without).is_err(), "nothing is known of b.org");
    let own = endpoint("a.org", Some("spiffe://a.org/s"));
    assert_eq!(check_anchored(std::slice::from_ref(&own), without).unwrap_err().needs, [domain("a.org")]);
    assert_eq!(check_anchored(&[own], |td| *td == domain("a.org")), Ok(()));
    assert_eq!(check_anchored(&[], without), Ok(()));
}

proptest! {
    #[test]
    fn an_endpoint_prints_as_it_is_read(text in "(unix:/{1,4}|tcp://)[a-z0-9%.:/\\[\\]?#@ ]{0,20}") {
        if let Ok(endpoint) = WorkloadEndpoint::parse(&text) {
            prop_assert_eq!(WorkloadEndpoint::parse(&endpoint.to_string()), Ok(endpoint));
        }
    }

    #[test]
    fn a_redirect_never_leaves_https(location in "\\PC{0,30}") {
        let url = BundleUrl::parse("https://h/a/b").unwrap();
        if let Ok(joined) = url.join(&location) {
            prop_assert!(joined.as_str().to_ascii_lowercase().starts_with("https://"));
            prop_assert!(!joined.host().is_empty());
        }
    }
}
