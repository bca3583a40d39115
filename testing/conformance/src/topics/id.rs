//! SPIFFE-ID.md.

use serde_json::json;

use super::scene::*;
use crate::forge::extension::uris;
use crate::format::{Check, Only};
use crate::kinds::same_id::ids;
use crate::kinds::spiffe_id::{bytes, text};
use crate::kinds::trust_domain::name;
use crate::kinds::x509_svid;

/// The checks of this topic.
pub(super) fn checks() -> Vec<Check> {
    vec![
        scheme(),
        trust_domain_is_there(),
        no_query(),
        no_fragment(),
        no_userinfo(),
        no_port(),
        lowercase_host(),
        host_characters(),
        no_percent_in_host(),
        addresses(),
        no_special_names(),
        no_percent_in_path(),
        no_empty_segment(),
        no_dot_segment(),
        no_trailing_slash(),
        path_characters(),
        paths(),
        length(),
        issued_length(),
        name_length(),
        host_case(),
        path_case(),
        own_authority(),
        authority_is_an_svid(),
        authority_has_no_path(),
        authority_is_self_signed(),
        id_is_signed(),
        known_documents(),
    ]
}

/// A check on the form of IDs: what is one, and what is none, with the reason.
fn form(check: &str, source: &str, requirement: &str, good: &[&str], bad: &[(&str, &str)]) -> Check {
    let mut made = Check::new(check, &format!("SPIFFE-ID.md {source}"), requirement);
    for id in good {
        let (name, rest) = split(id);
        let expect = json!({ "id": id, "trust_domain": name, "path": rest });
        made = made.yields(&shown(id), text(id), expect, "it is a SPIFFE ID");
    }
    for (id, why) in bad {
        made = made.refuses(&shown(id), text(id), why);
    }
    made
}

/// The trust domain and the path of a proper ID.
fn split(id: &str) -> (&str, &str) {
    let rest = id.strip_prefix("spiffe://").unwrap_or_default();
    rest.split_at(rest.find('/').unwrap_or(rest.len()))
}

/// An ID as a name of a vector: control characters escaped, short.
fn shown(id: &str) -> String {
    match id {
        "" => "nothing".to_owned(),
        long if long.len() > 100 => format!("{} bytes", long.len()),
        short => short.escape_debug().to_string(),
    }
}

fn scheme() -> Check {
    let why = "it does not start with spiffe://";
    let bad = [
        "https://example.org/a",
        "spiffe:example.org/a",
        "spiffe:/example.org",
        "//example.org/a",
        "",
        " spiffe://example.org/a",
        "spiffe//example.org",
        "example.org/a",
    ];
    form(
        "ID-01",
        "§2",
        "the scheme is \"spiffe\", followed by \"://\"",
        &["spiffe://example.org/a"],
        &bad.map(|id| (id, why)),
    )
    .refuses("no text", bytes(&[0xff, 0xfe]), "it is no URI at all")
    .accepts("in a certificate", directly(&leaf()), "its URI is a SPIFFE ID")
    .refuses(
        "another scheme in a certificate",
        directly(&leaf_of("https://example.org/workload")),
        "its URI is no SPIFFE ID",
    )
    .refuses(
        "another scheme in a token",
        token(HEADER, &claims("https://example.org/a")),
        "its subject is no SPIFFE ID",
    )
    .accepts("asked of an issuer", issue(&[ID]).into(), "it is a SPIFFE ID")
    .refuses(
        "another scheme asked of an issuer",
        issue(&["https://example.org/a"]).into(),
        "it is no SPIFFE ID",
    )
}

fn trust_domain_is_there() -> Check {
    let why = "there is no trust domain";
    form(
        "ID-02",
        "§2, §2.1",
        "the trust domain is not empty",
        &["spiffe://a"],
        &[("spiffe://", why), ("spiffe:///a", why), ("spiffe:///", why)],
    )
    .accepts("one letter as a name", name("a"), "one character is a name")
    .refuses("an empty name", name(""), why)
    .refuses("in a certificate", directly(&leaf_of("spiffe:///workload")), why)
    .refuses("in a token", token(HEADER, &claims("spiffe:///workload")), why)
}

fn no_query() -> Check {
    let why = "there is a query";
    form(
        "ID-03",
        "§2",
        "there is no query, not even an empty one",
        &["spiffe://td/a"],
        &[("spiffe://td/a?x=1", why), ("spiffe://td/a?", why), ("spiffe://td?x", why), ("spiffe://td?", why)],
    )
    .refuses("in a certificate", directly(&leaf_of("spiffe://example.org/workload?x=1")), why)
    .refuses("empty, in a certificate", directly(&leaf_of("spiffe://example.org/workload?")), why)
    .refuses("empty, in a token", token(HEADER, &claims("spiffe://example.org/workload?")), why)
}

fn no_fragment() -> Check {
    let why = "there is a fragment";
    form(
        "ID-04",
        "§2",
        "there is no fragment, not even an empty one",
        &["spiffe://td/a"],
        &[("spiffe://td/a#f", why), ("spiffe://td/a#", why), ("spiffe://td#f", why), ("spiffe://td#", why)],
    )
    .refuses("in a certificate", directly(&leaf_of("spiffe://example.org/workload#f")), why)
    .refuses("empty, in a certificate", directly(&leaf_of("spiffe://example.org/workload#")), why)
    .refuses("empty, in a token", token(HEADER, &claims("spiffe://example.org/workload#")), why)
}

fn no_userinfo() -> Check {
    let why = "there is userinfo";
    form(
        "ID-05",
        "§2.1",
        "there is no userinfo",
        &["spiffe://td/a"],
        &[("spiffe://u@td/a", why), ("spiffe://u:p@td/a", why), ("spiffe://@td/a", why)],
    )
    .refuses("in a certificate", directly(&leaf_of("spiffe://u@example.org/workload")), why)
}

fn no_port() -> Check {
    let why = "there is a port";
    form(
        "ID-06",
        "§2.1",
        "there is no port",
        &["spiffe://td/a"],
        &[("spiffe://td:443/a", why), ("spiffe://td:/a", why), ("spiffe://td:443", why)],
    )
    .refuses("in a certificate", directly(&leaf_of("spiffe://example.org:443/workload")), why)
}

fn lowercase_host() -> Check {
    let sources = Check::new("ID-07", "SPIFFE-ID.md §2.1", "an issuer writes the trust domain in lower case");
    sources
        .yields(
            "lower case",
            issue(&[ID]).into(),
            json!({ "uris": [ID] }),
            "it is issued as it was asked for",
        )
        .refuses(
            "upper case",
            issue(&["spiffe://Example.org/workload"]).into(),
            "what is asked for reaches no certificate unchanged",
        )
        .refuses(
            "upper case, of an authority",
            issue_authority("spiffe://Example.org").into(),
            "the same for authorities",
        )
}

fn host_characters() -> Check {
    let why = "a character that no trust domain has";
    let bad = [
        "spiffe://a~b/x",
        "spiffe://a+b/x",
        "spiffe://a b/x",
        "spiffe://a:b/x",
        "spiffe://tést/x",
        "spiffe://a\0b/x",
        "spiffe://A/x",
        "spiffe://a!b/x",
        "spiffe://a\u{7f}/x",
        "spiffe://a\n/x",
    ];
    let mut check = form(
        "ID-08",
        "§2.1",
        "a trust domain is made of a-z, 0-9, dot, dash and underscore",
        &["spiffe://a_b-c.1/x", "spiffe://abcdefghijklmnopqrstuvwxyz0123456789.-_"],
        &bad.map(|id| (id, why)),
    )
    .accepts("all characters as a name", name("abcdefghijklmnopqrstuvwxyz0123456789.-_"), "each is allowed")
    .refuses("bytes above 0x7f", bytes(b"spiffe://t\xe9st/x"), why);
    for bad in ["a~b", "a/b", "a b", "a:b", "tést", "A", "a\0b", "a%62"] {
        check = check.refuses(&format!("the name {}", bad.escape_debug()), name(bad), why);
    }
    check
}

fn no_percent_in_host() -> Check {
    let why = "there is percent-encoding, which is refused and not decoded";
    form(
        "ID-09",
        "§2.1",
        "the trust domain has no percent-encoding",
        &["spiffe://td/x"],
        &[("spiffe://t%64/x", why), ("spiffe://td%2e/x", why), ("spiffe://%/x", why)],
    )
    .refuses("in a certificate", directly(&leaf_of("spiffe://example%2eorg/workload")), why)
}

fn addresses() -> Check {
    let why = "brackets and colons are in no trust domain";
    form(
        "ID-10",
        "§2.1",
        "an IPv4 address in dots is a name, an IPv6 address is none",
        &["spiffe://10.0.0.1/x"],
        &[("spiffe://[::1]/x", why), ("spiffe://::1/x", why), ("spiffe://[10.0.0.1]/x", why)],
    )
}

fn no_special_names() -> Check {
    let good = [
        "spiffe://10.0.0.1/x",
        "spiffe://999.999.999.999/x",
        "spiffe://a..b/x",
        "spiffe://-x-/x",
        "spiffe://example.org./x",
        "spiffe://./x",
        "spiffe://xn--a/x",
    ];
    let looked_for = |sent: &str, held: &str| {
        let root = other_root(sent);
        let leaf = leaf_of(&format!("spiffe://{sent}/workload")).signed_by(&root);
        x509_svid::Members { bundles: roots(held, [root.self_signed()]), ..chain([leaf]) }
    };
    form(
        "ID-11",
        "§2.1",
        "a name that looks like an address or a DNS name is treated as any other",
        &good,
        &[],
    )
    .accepts(
        "an address finds its bundle",
        looked_for("10.0.0.1", "10.0.0.1").into(),
        "its bytes are the same",
    )
    .refuses(
        "zeros before",
        looked_for("010.0.0.1", "10.0.0.1").into(),
        "010.0.0.1 is another name than 10.0.0.1",
    )
    .refuses(
        "a dot behind",
        jwt_of("spiffe://example.org./workload"),
        "example.org. is another name than example.org, whose bundle is held",
    )
    .refuses("another address form", ids("spiffe://127.1/x", "spiffe://127.0.0.1/x"), "the bytes differ")
}

/// The usual token for another subject.
fn jwt_of(subject: &str) -> crate::format::Input {
    token(HEADER, &claims(subject))
}

fn no_percent_in_path() -> Check {
    let why = "there is percent-encoding, which is refused and not decoded";
    form(
        "ID-12",
        "§2.2",
        "the path has no percent-encoding",
        &["spiffe://td/a"],
        &[("spiffe://td/a%2Fb", why), ("spiffe://td/%41", why), ("spiffe://td/%", why)],
    )
    .refuses("in a certificate", directly(&leaf_of("spiffe://example.org/work%6coad")), why)
    .refuses("in a token", jwt_of("spiffe://example.org/work%6coad"), why)
    .refuses("asked of an issuer", issue(&["spiffe://example.org/work%6coad"]).into(), why)
}

fn no_empty_segment() -> Check {
    let why = "there is an empty segment";
    form(
        "ID-13",
        "§2.2",
        "no segment of the path is empty",
        &["spiffe://td/a/b"],
        &[("spiffe://td//a", why), ("spiffe://td/a//b", why), ("spiffe://td//", why)],
    )
    .refuses("in a certificate", directly(&leaf_of("spiffe://example.org//workload")), why)
}

fn no_dot_segment() -> Check {
    let why = "there is a segment of one or two dots, which is refused and not resolved";
    let bad =
        ["spiffe://td/.", "spiffe://td/..", "spiffe://td/a/../b", "spiffe://td/./a", "spiffe://td/a/.."];
    form(
        "ID-14",
        "§2.2",
        "no segment of the path is \".\" or \"..\"",
        &["spiffe://td/...", "spiffe://td/a..b", "spiffe://td/.a", "spiffe://td/a."],
        &bad.map(|id| (id, why)),
    )
    .refuses("in a certificate", directly(&leaf_of("spiffe://example.org/a/../workload")), why)
}

fn no_trailing_slash() -> Check {
    let why = "there is a slash at the end";
    form(
        "ID-15",
        "§2.2",
        "the path does not end with a slash",
        &["spiffe://td", "spiffe://td/a"],
        &[("spiffe://td/", why), ("spiffe://td/a/", why)],
    )
    .refuses("in a certificate", directly(&leaf_of("spiffe://example.org/workload/")), why)
    .refuses("no path but a slash, in a certificate", directly(&leaf_of("spiffe://example.org/")), why)
}

fn path_characters() -> Check {
    let why = "a character that no path has";
    let bad = [
        "spiffe://td/a:b",
        "spiffe://td/a@b",
        "spiffe://td/a~b",
        "spiffe://td/a+b",
        "spiffe://td/é",
        "spiffe://td/a b",
        "spiffe://td/a\0",
        "spiffe://td/a\\b",
        "spiffe://td/a;b",
        "spiffe://td/a*",
        "spiffe://td/a\n",
    ];
    form(
        "ID-16",
        "§2.2",
        "a segment is made of letters, digits, dot, dash and underscore",
        &[
            "spiffe://td/A/b_1-.x",
            "spiffe://td/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_",
        ],
        &bad.map(|id| (id, why)),
    )
    .refuses("bytes above 0x7f", bytes(b"spiffe://td/\xe9"), why)
    .refuses("in a certificate", directly(&leaf_of("spiffe://example.org/work:load")), why)
}

fn paths() -> Check {
    form(
        "ID-17",
        "§2.2",
        "a path may be absent, or have many segments",
        &[
            "spiffe://td",
            "spiffe://td/a",
            "spiffe://td/a/b/c/d",
            "spiffe://td/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a",
        ],
        &[],
    )
    .only(Only::Accepted, "it allows, and forbids nothing")
}

/// An ID of `example.org` that is so many bytes long.
fn long(bytes: usize) -> String {
    let start = "spiffe://example.org/";
    format!("{start}{}", "a".repeat(bytes.saturating_sub(start.len())))
}

fn length() -> Check {
    let id = long(2048);
    Check::new("ID-18", "SPIFFE-ID.md §2.3", "IDs of up to 2048 bytes work everywhere")
        .yields("read", text(&id), json!({ "id": id }), "2048 bytes are allowed")
        .yields("in a certificate", directly(&leaf_of(&id)), json!({ "id": id }), "2048 bytes are allowed")
        .yields("in a token", jwt_of(&id), json!({ "id": id }), "2048 bytes are allowed")
        .yields("issued", issue(&[&id]).into(), json!({ "uris": [id] }), "2048 bytes are allowed")
        .refuses("cut off", ids(&id, &long(2047)), "it is not cut off")
}

fn issued_length() -> Check {
    Check::new("ID-19", "SPIFFE-ID.md §2.3", "an issuer makes no ID of more than 2048 bytes")
        .accepts("2048 bytes", issue(&[&long(2048)]).into(), "it is as long as IDs get")
        .refuses("2049 bytes", issue(&[&long(2049)]).into(), "it is one byte too long")
}

fn name_length() -> Check {
    let (good, bad) = ("a".repeat(255), "a".repeat(256));
    Check::new("ID-20", "SPIFFE-ID.md §2.3", "the name of a trust domain has at most 255 bytes")
        .accepts("255 bytes", name(&good), "it is as long as names get")
        .refuses("256 bytes", name(&bad), "it is one byte too long")
        .accepts("255 bytes in an ID", text(&format!("spiffe://{good}/x")), "it is as long as names get")
        .refuses("256 bytes in an ID", text(&format!("spiffe://{bad}/x")), "it is one byte too long")
}

fn host_case() -> Check {
    let why = "sections 2.1 and 2.4 contradict each other; refused, so that no second identity comes to be \
               (to read it as the same identity in lower case would do, too)";
    Check::new("ID-21", "SPIFFE-ID.md §2.4", "upper case in scheme or trust domain makes no second identity")
        .accepts(
            "the same",
            ids("spiffe://example.org/a", "spiffe://example.org/a"),
            "they are the same bytes",
        )
        .refuses("upper case read", text("SPIFFE://EXAMPLE.org/a"), why)
        .refuses("scheme in upper case read", text("SPIFFE://example.org/a"), why)
        .refuses("in a certificate", directly(&leaf_of("spiffe://EXAMPLE.org/workload")), why)
        .refuses(
            "scheme in upper case, in a certificate",
            directly(&leaf_of("SPIFFE://example.org/workload")),
            why,
        )
        .refuses("in a token", jwt_of("spiffe://EXAMPLE.org/workload"), why)
}

fn path_case() -> Check {
    Check::new("ID-22", "SPIFFE-ID.md §2.4", "upper and lower case differ in the path")
        .accepts("the same", ids("spiffe://td/Admin", "spiffe://td/Admin"), "they are the same bytes")
        .refuses("other case", ids("spiffe://td/Admin", "spiffe://td/admin"), "they name two workloads")
}

fn own_authority() -> Check {
    let both = || {
        let mut bundles = roots("example.org", [root().self_signed()]);
        bundles.extend(roots("other.org", [other_root("other.org").self_signed()]));
        bundles
    };
    let judged =
        |leaf: &str, root| x509_svid::Members { bundles: both(), ..chain([leaf_of(leaf).signed_by(&root)]) };
    Check::new(
        "ID-23",
        "SPIFFE-ID.md §3",
        "an SVID holds only if an authority of its own trust domain signed it",
    )
    .accepts("its own", judged(ID, root()).into(), "its own authority signed it")
    .accepts(
        "the other's own",
        judged("spiffe://other.org/x", other_root("other.org")).into(),
        "its own authority signed it",
    )
    .refuses(
        "a foreign one",
        judged("spiffe://other.org/x", root()).into(),
        "the authority of another trust domain signed it, which is known too",
    )
    .refuses(
        "no bundle",
        directly(&leaf_of("spiffe://unknown.org/x")),
        "no bundle of its trust domain is known",
    )
    .refuses("a foreign token", jwt_of("spiffe://other.org/x"), "the key is of another trust domain")
    .refuses(
        "asked of an issuer",
        issue(&["spiffe://other.org/x"]).into(),
        "it signs for its own trust domain alone",
    )
}

fn authority_is_an_svid() -> Check {
    let no_uri = root().without("2.5.29.17");
    let with = |authority| crate::kinds::issue_x509_leaf::Members { authority, ..issue(&[ID]) };
    Check::new("ID-24", "SPIFFE-ID.md §3.1", "a signing authority carries an SVID of its trust domain")
        .yields(
            "made",
            issue_authority("spiffe://example.org").into(),
            json!({ "uris": ["spiffe://example.org"], "ca": true }),
            "it has the URI of its trust domain",
        )
        .accepts("issues with it", with(issuer()).into(), "the authority has a SPIFFE ID")
        .refuses(
            "issues without",
            with(held(&no_uri)).into(),
            "an authority without a SPIFFE ID does not issue",
        )
}

fn authority_has_no_path() -> Check {
    let path = root().extended([uris(&["spiffe://example.org/ca"])]);
    let foreign = root().extended([uris(&["spiffe://other.org"])]);
    let with = |authority| crate::kinds::issue_x509_leaf::Members { authority, ..issue(&[ID]) };
    Check::new("ID-25", "SPIFFE-ID.md §3.1", "an authority's ID is its trust domain's, without a path")
        .accepts("made", issue_authority("spiffe://example.org").into(), "it has no path")
        .refuses("made with a path", issue_authority("spiffe://example.org/ca").into(), "it has a path")
        .refuses("issues with a path", with(held(&path)).into(), "the authority has a path")
        .refuses("issues for others", with(held(&foreign)).into(), "the authority is of another trust domain")
}

fn authority_is_self_signed() -> Check {
    let below = crate::kinds::issue_x509_authority::Members {
        below: Some(issuer()),
        ..issue_authority("spiffe://example.org")
    };
    let foreign = crate::kinds::issue_x509_authority::Members {
        below: Some(held(&other_root("other.org"))),
        ..issue_authority("spiffe://example.org")
    };
    Check::new("ID-26", "SPIFFE-ID.md §3.1", "an authority that is below no other signs itself")
        .yields(
            "a root",
            issue_authority("spiffe://example.org").into(),
            json!({ "self_issued": true }),
            "it signs itself",
        )
        .yields(
            "below another",
            below.into(),
            json!({ "self_issued": false }),
            "the authority above signs it",
        )
        .refuses(
            "below a foreign one",
            foreign.into(),
            "the authority above signs for its own trust domain alone",
        )
}

fn id_is_signed() -> Check {
    let compact = signed(HEADER, &claims(ID));
    let parts: Vec<&str> = compact.split('.').collect();
    let flattened =
        json!({ "protected": parts[0], "payload": parts[1], "header": { "sub": ID }, "signature": parts[2] });
    let mut changed = leaf().signed_by(&root());
    replace(&mut changed, b"workload", b"worklord");
    let anonymous = format!(r#"{{"aud":["audience"],"exp":{}}}"#, crate::forge::moment::NOW + 300);
    Check::new("ID-27", "SPIFFE-ID.md §3.2", "the ID and the key are in the part that is signed")
        .yields(
            "in a certificate",
            directly(&leaf()),
            json!({ "id": ID }),
            "the ID is the one that was signed",
        )
        .yields("in a token", jwt_of(ID), json!({ "id": ID }), "the ID is the one that was signed")
        .refuses("changed in a certificate", chain([changed]).into(), "the ID is not the one that was signed")
        .refuses(
            "beside the signed part",
            presented(&flattened.to_string()),
            "an unprotected header names nobody",
        )
        .refuses("nowhere in a token", token(HEADER, &anonymous), "the signed part names nobody")
        .refuses(
            "nowhere in a certificate",
            directly(&leaf().without("2.5.29.17")),
            "the signed part names nobody",
        )
}

fn known_documents() -> Check {
    let saml = format!("<Assertion><Subject><NameID>{ID}</NameID></Subject></Assertion>");
    Check::new("ID-28", "SPIFFE-ID.md §3.3", "only documents with a specification of their own are SVIDs")
        .accepts("an X.509-SVID", directly(&leaf()), "it is one")
        .accepts("a JWT-SVID", jwt_of(ID), "it is one")
        .refuses("an assertion", presented(&saml), "it is a document of another kind")
        .refuses("an ID alone", presented(ID), "it is an ID and no document")
        .refuses(
            "an opaque token",
            presented("c3BpZmZlOi8vZXhhbXBsZS5vcmcvd29ya2xvYWQ"),
            "it is a document of another kind",
        )
}
