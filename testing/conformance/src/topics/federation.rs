//! SPIFFE_Federation.md: how bundle endpoints are configured and their answers taken. The rest binds running programs.

use serde_json::{Value, json};

use super::scene::*;
use crate::forge::bundle::{document, x509};
use crate::forge::certificate::Certificate;
use crate::forge::moment::{HOUR, NOW};
use crate::format::{Check, Input, Only};
use crate::kinds::federation::{Endpoint, Endpoints, Fetched, Hint, Redirected, Response, Server};
use crate::kinds::input::Bytes;

/// The checks of this topic.
pub(super) fn checks() -> Vec<Check> {
    vec![
        answer(),
        interval(),
        order(),
        never_merged(),
        profiles(),
        three_settings(),
        association(),
        url_of("FED-14", "§5.2.1.1", None),
        text(),
        redirect_target(),
        known_before(),
        redirects(),
        configured_url(),
        url_of("FED-26", "§5.2.2.1", Some(SERVER)),
        endpoint_id(),
        bootstrap(),
        anchored(),
        svid(),
        redirect_of_spiffe(),
        exact_id(),
        latest(),
        elsewhere(),
        same_id_after_redirect(),
        no_fallback(),
    ]
}

/// The endpoint's SPIFFE ID.
const SERVER: &str = "spiffe://example.org/server";

fn check(id: &str, section: &str, requirement: &str) -> Check {
    Check::new(id, &format!("SPIFFE_Federation.md {section}"), requirement)
}

/// An endpoint of `example.org`: of the web, or with a SPIFFE ID.
fn endpoint(url: &str, id: Option<&str>) -> Endpoint {
    Endpoint {
        trust_domain: Some("example.org".to_owned()),
        url: Some(url.to_owned()),
        profile: Some(if id.is_some() { "https_spiffe" } else { "https_web" }.to_owned()),
        endpoint_id: id.map(str::to_owned),
    }
}

fn usual(id: Option<&str>) -> Endpoint {
    endpoint("https://h.example/bundle", id)
}

fn response(status: u16, body: &[u8]) -> Input {
    Response { trust_domain: "example.org".to_owned(), status, body: Bytes(body.to_vec()) }.into()
}

fn fetch(follow: bool, answers: &[(u16, &[&str])]) -> Input {
    let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    let answers = answers.iter().map(|(status, values)| (*status, owned(values))).collect();
    Redirected { url: "https://h.example/bundle".to_owned(), follow, answers }.into()
}

fn to(location: &str) -> Input {
    fetch(true, &[(307, &[location])])
}

/// The bundle of the root.
fn rooted() -> String {
    document(&[x509(&root())])
}

/// A self-serving server with this leaf, by someone who holds the root.
fn server(chain: Vec<u8>) -> Server {
    Server {
        endpoint: usual(Some(SERVER)),
        latest: [("example.org".to_owned(), rooted())].into(),
        bootstrap: None,
        chain: vec![Bytes(chain)],
        now: NOW,
    }
}

fn presents(leaf: &Certificate) -> Input {
    server(leaf.signed_by(&root())).into()
}

fn good() -> Vec<u8> {
    leaf_of(SERVER).signed_by(&root())
}

fn answer() -> Check {
    check("FED-01", "§4", "a bundle is what GET answers")
        .accepts("a bundle", response(200, rooted().as_bytes()), "it is one")
        .refuses("a page", response(200, b"<html><body>ok</body></html>"), "it is no bundle")
        .refuses("an error", response(404, rooted().as_bytes()), "the status says that it is none")
        .refuses("no content", response(204, b""), "there is none")
}

fn interval() -> Check {
    let hint = |seconds: Option<u64>| Hint { refresh_hint: seconds }.into();
    check(
        "FED-05",
        "§4.1, §6.2",
        "a bundle is fetched as often as its hint says, every 300 seconds without one",
    )
    .yields("a minute", hint(Some(60)), json!({ "seconds": 60 }), "it is followed")
    .yields("a day", hint(Some(86_400)), json!({ "seconds": 86_400 }), "it is followed")
    .yields("none", hint(None), json!({ "seconds": 300 }), "the default")
    .yields("a second", hint(Some(1)), json!({ "seconds": 10 }), "nobody is made to spin")
    .only(Only::Accepted, "there is nothing to refuse in an interval")
}

fn numbered(sequence: u64) -> String {
    json!({ "keys": [x509(&root())], "spiffe_sequence": sequence }).to_string()
}

fn after(stored: u64, fetched: &[u64]) -> Input {
    let own = |sequence| ("example.org".to_owned(), numbered(sequence));
    Fetched { stored: own(stored), fetched: fetched.iter().map(|sequence| own(*sequence)).collect() }.into()
}

fn order() -> Check {
    let ends = |sequence: u64| json!({ "sequence": sequence });
    check("FED-07", "§4.2", "the greater sequence number is the newer bundle; without one the later fetch is")
        .yields("7, then 9", after(7, &[9]), ends(9), "it is greater")
        .yields("7, then 7", after(7, &[7]), ends(7), "it is the same")
        .yields("none, then 5", after(0, &[5]), ends(5), "the later fetch")
        .yields("5, then none", after(5, &[0]), ends(0), "the later fetch")
        .yields("the greatest", after(u64::MAX - 1, &[u64::MAX]), ends(u64::MAX), "64 bits are compared")
        .refuses("9, then 7", after(9, &[7]), "it is a late copy")
        .refuses("9, then 7 twice", after(9, &[7, 7]), "it may still be a late copy")
        .yields("9, then 7 three times", after(9, &[7, 7, 7]), ends(7), "the publisher began anew")
        .refuses("back and back", after(9, &[7, 6, 5]), "copies that go back are none to follow")
}

fn never_merged() -> Check {
    let then = |name: &str| {
        let stored = ("example.org".to_owned(), numbered(1));
        Fetched { stored, fetched: vec![(name.to_owned(), numbered(2))] }.into()
    };
    check("FED-09", "§4.2", "bundles of different trust domains never mix")
        .accepts("its own", then("example.org"), "it takes the other's place")
        .refuses("another's", then("other.org"), "it has nothing to do with it")
}

fn profiles() -> Check {
    let named = |name: &str| Endpoint { profile: Some(name.to_owned()), ..usual(None) }.into();
    check("FED-10", "§5", "a client knows both profiles")
        .accepts("of the web", usual(None).into(), "it is one")
        .accepts("by an SVID", usual(Some(SERVER)).into(), "it is one")
        .refuses("another", named("https"), "it is none")
        .refuses("in capitals", named("HTTPS_WEB"), "it is none")
}

fn three_settings() -> Check {
    check("FED-12", "§5.1, §7.2", "trust domain, URL and profile are configured, each by itself")
        .accepts("all three", usual(None).into(), "they are there")
        .refuses(
            "no trust domain",
            Endpoint { trust_domain: None, ..usual(None) }.into(),
            "it is not taken from the host",
        )
        .refuses("no URL", Endpoint { url: None, ..usual(None) }.into(), "there is no default")
        .refuses("no profile", Endpoint { profile: None, ..usual(None) }.into(), "there is no default")
}

fn association() -> Check {
    check("FED-13", "§5.1, §7.3", "a bundle stays with the name that was configured for it")
        .yields(
            "an answer",
            response(200, rooted().as_bytes()),
            json!({ "trust_domain": "example.org" }),
            "the answer has no say in it",
        )
        .only(Only::Accepted, "a bundle cannot be had without its name")
}

fn url_of(id: &str, section: &str, endpoint_id: Option<&str>) -> Check {
    let at = |url: &str| Input::from(endpoint(url, endpoint_id));
    let check = check(id, section, "the URL has the scheme https and no user information");
    let check =
        ["https://h.example:8443/b?x=1", "https://h.example", "https://[::1]/b", "HTTPS://h.example/b"]
            .into_iter()
            .fold(check, |check, url| check.accepts(url, at(url), "the rest is free"));
    [
        ("http://h.example/b", "the scheme is another"),
        ("https://u@h.example/b", "it has user information"),
        ("https://u:p@h.example/b", "it has user information"),
        ("https://@h.example/b", "it has user information, though empty"),
        ("https:///b", "it has no host"),
        ("h.example/b", "it is no URL"),
        ("https://h.example:0/b", "no server has this port"),
    ]
    .into_iter()
    .fold(check, |check, (url, why)| check.refuses(url, at(url), why))
}

fn text() -> Check {
    let utf16: Vec<u8> = rooted().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xef\xbb\xbf", rooted().as_bytes()].concat();
    check("FED-19", "§5.2.1.3", "the answer is in UTF-8")
        .accepts("UTF-8", response(200, rooted().as_bytes()), "it is")
        .refuses("UTF-16", response(200, &utf16), "it is not")
        .refuses("a byte order mark", response(200, &marked), "it is no JSON (RFC 8259 §8.1)")
        .refuses("no text", response(200, b"{\"keys\":[],\"foo\":\"\xff\"}"), "it is not")
}

fn redirect_target() -> Check {
    let check = check("FED-21", "§5.2.1.3", "a redirect leads to a URL of a bundle endpoint");
    [302, 303, 307]
        .into_iter()
        .fold(check, |check, status| {
            let input = fetch(true, &[(status, &["https://cdn.example/b"])]);
            check.accepts(&format!("{status}"), input, "it is temporary")
        })
        .yields("a path", to("/b?x"), json!({ "url": "https://h.example/b?x" }), "it is of the same server")
        .refuses("http", to("http://h.example/b"), "the scheme is another")
        .refuses(
            "no redirect",
            fetch(true, &[(304, &["https://cdn.example/b"])]),
            "the status is none of one",
        )
}

fn known_before() -> Check {
    check("FED-23", "§5.2.1.4", "the trust domain is known before anything is fetched")
        .accepts("known", usual(None).into(), "it is configured")
        .refuses("not known", Endpoint { trust_domain: None, ..usual(None) }.into(), "it is not")
}

fn redirects() -> Check {
    let place: &[&str] = &["https://h.example/b"];
    let to_b = &[(302, place); 6];
    check("FED-24", "§5.2.1.4", "a redirect is followed only to a URL of a bundle endpoint")
        .accepts("https", to("https://cdn.example/b"), "it is one")
        .accepts("five times", fetch(true, &to_b[..5]), "it ends")
        .refuses("six times", fetch(true, to_b), "it is a loop")
        .refuses("http", to("http://cdn.example/b"), "the scheme is another")
        .refuses("user information", to("https://u:p@cdn.example/b"), "it has user information")
        .refuses("user information without a scheme", to("//u@cdn.example/b"), "it has user information")
        .refuses("nowhere", fetch(true, &[(302, &[])]), "it names no place")
        .refuses("two places", fetch(true, &[(302, &["/a", "/b"])]), "it names more than one")
}

fn configured_url() -> Check {
    let moved: &[(u16, &[&str])] = &[(301, &["https://new.example/b"]), (308, &["https://newer.example/b"])];
    check(
        "FED-25",
        "§5.2.1.4, §7.5.1",
        "each fetch begins at the configured URL, and redirects can be switched off",
    )
    .yields(
        "moved for good",
        fetch(true, moved),
        json!({ "url": "https://newer.example/b", "next": "https://h.example/bundle" }),
        "it is not remembered",
    )
    .refuses("switched off", fetch(false, &moved[..1]), "none is followed")
}

fn endpoint_id() -> Check {
    let nothing_known = Server { latest: [].into(), ..server(good()) };
    check(
        "FED-27",
        "§5.2.2.2",
        "an endpoint with an SVID is configured with its SPIFFE ID and a bundle to judge it by",
    )
    .accepts("with both", server(good()).into(), "they are there")
    .refuses("no ID", Endpoint { endpoint_id: None, ..usual(Some(SERVER)) }.into(), "it is needed")
    .refuses("no SPIFFE ID", usual(Some("server")).into(), "it is none")
    .refuses("the ID of a trust domain", usual(Some("spiffe://example.org")).into(), "no workload has it")
    .refuses("no bundle", nothing_known.into(), "nothing could be judged")
}

fn bootstrap() -> Check {
    let begun =
        |document: Option<String>| Server { latest: [].into(), bootstrap: document, ..server(good()) };
    check("FED-28", "§5.2.2.2", "a self-serving endpoint begins with a bundle that is given as a document")
        .accepts("given", begun(Some(rooted())).into(), "the root is in it")
        .refuses("none", begun(None).into(), "nothing is known")
        .refuses("an empty one", begun(Some(document(&[]))).into(), "it has no authority")
        .refuses("no document", begun(Some("nonsense".to_owned())).into(), "it cannot be read")
}

fn anchored() -> Check {
    let of = |name: &str, id: Option<&str>| Endpoint { trust_domain: Some(name.to_owned()), ..usual(id) };
    let all = |endpoints: &[Endpoint], bundles: &[&str]| {
        let bundles = bundles.iter().map(|name| (*name).to_owned()).collect();
        Input::from(Endpoints { endpoints: endpoints.to_vec(), bundles })
    };
    let (a, b) = (of("a.org", Some("spiffe://b.org/s")), of("b.org", Some("spiffe://a.org/s")));
    let own = of("a.org", Some("spiffe://a.org/s"));
    check(
        "FED-29",
        "§5.2.2.2",
        "the trust domain of an endpoint that is not self-serving is had in another way",
    )
    .accepts(
        "from an endpoint of the web",
        all(&[a.clone(), of("b.org", None)], &[]),
        "the chain begins there",
    )
    .accepts("from a bundle", all(&[a.clone(), b.clone()], &["b.org"]), "the circle begins with it")
    .accepts("self-serving with a bundle", all(std::slice::from_ref(&own), &["a.org"]), "it begins with it")
    .refuses("a circle", all(&[a.clone(), b], &[]), "nothing begins it")
    .refuses("from nowhere", all(&[a], &[]), "nothing is known of it")
    .refuses("self-serving without a bundle", all(&[own], &[]), "nothing begins it")
}

fn svid() -> Check {
    let expired = leaf_of(SERVER).valid(NOW - 2 * HOUR, NOW - HOUR);
    check("FED-30", "§5.2.2.3", "the server's certificate is a valid X.509-SVID")
        .accepts("valid", presents(&leaf_of(SERVER)), "it is")
        .refuses("expired", presents(&expired), "it is no longer")
        .refuses("a signing certificate", server(root().self_signed()).into(), "it is no leaf")
        .refuses("without an ID", presents(&leaf_of("https://h.example/")), "it names no workload")
}

fn redirect_of_spiffe() -> Check {
    check("FED-33", "§5.2.2.3", "a redirect leads to a URL of a bundle endpoint with the same SPIFFE ID")
        .accepts("https", to("https://other.example/b"), "it is one")
        .accepts("the same ID there", server(good()).into(), "whoever is connected to is judged the same")
        .refuses("http", to("http://other.example/b"), "the scheme is another")
        .refuses("another ID there", presents(&leaf_of("spiffe://example.org/cdn")), "it is another workload")
}

fn exact_id() -> Check {
    let foreign = leaf_of(SERVER).signed_by(&other_root("example.org"));
    check("FED-34", "§5.2.2.4", "the server's certificate is an X.509-SVID of exactly the configured ID")
        .accepts("this ID", presents(&leaf_of(SERVER)), "it is, and names of hosts do not matter")
        .refuses("another", presents(&leaf_of("spiffe://example.org/other")), "it is another workload")
        .refuses("longer", presents(&leaf_of("spiffe://example.org/server/x")), "it is another workload")
        .refuses("in capitals", presents(&leaf_of("spiffe://example.org/Server")), "it is another workload")
        .refuses("of another authority", server(foreign).into(), "it is not in the bundle")
}

fn latest() -> Check {
    let other = other_root("example.org");
    let rotated = document(&[x509(&other)]);
    let held = |latest: Option<String>, chain: Vec<u8>| {
        let latest = latest.into_iter().map(|text| ("example.org".to_owned(), text)).collect();
        Input::from(Server { latest, bootstrap: Some(rooted()), ..server(chain) })
    };
    let new = leaf_of(SERVER).signed_by(&other);
    check(
        "FED-35",
        "§5.2.2.4",
        "the bundle to begin with is for the first connection, the latest one for all others",
    )
    .accepts("the first", held(None, good()), "nothing is stored yet")
    .accepts("a later one", held(Some(rotated.clone()), new.clone()), "the latest bundle has its root")
    .refuses("the old root later", held(Some(rotated), good()), "it was taken out")
    .refuses("an empty bundle", held(Some(document(&[])), good()), "all were taken out")
    .refuses("the new root first", held(None, new), "it is not known yet")
}

fn elsewhere() -> Check {
    let other = Endpoint { trust_domain: Some("other.org".to_owned()), ..usual(Some(SERVER)) };
    let of = |latest: Option<String>, bootstrap: Option<String>| {
        let latest = latest.into_iter().map(|text| ("example.org".to_owned(), text)).collect();
        Input::from(Server { endpoint: other.clone(), latest, bootstrap, ..server(good()) })
    };
    let rotated = document(&[x509(&other_root("example.org"))]);
    check(
        "FED-36",
        "§5.2.2.4",
        "an endpoint that is not self-serving is judged by the latest bundle of its ID's trust domain",
    )
    .accepts("by the latest", of(Some(rooted()), None), "the root is in it")
    .refuses("taken out", of(Some(rotated), None), "the root is not in it")
    .refuses("by the bundle it serves", of(None, Some(rooted())), "that is another trust domain's")
}

fn same_id_after_redirect() -> Check {
    let web = Certificate::leaf("https://cdn.example/", leaf_of(SERVER).key);
    check("FED-38", "§5.2.2.4", "a redirect is followed only to whoever has the same SPIFFE ID")
        .accepts("the same", server(good()).into(), "it is the same workload")
        .refuses("another", presents(&leaf_of("spiffe://example.org/cdn")), "it is another workload")
        .refuses("a server of the web", presents(&web), "it has no SPIFFE ID")
}

fn no_fallback() -> Check {
    let web = Server { endpoint: usual(None), ..server(good()) };
    let unknown = Server { latest: [].into(), ..server(good()) };
    let yields: Value = json!({ "id": SERVER });
    check("FED-43", "§7.2", "no profile stands in for the other")
        .yields("by an SVID", server(good()).into(), yields, "its profile is https_spiffe")
        .refuses("an SVID for the web", web.into(), "its profile is https_web")
        .refuses("the web for an SVID", unknown.into(), "without a bundle it fails")
}
