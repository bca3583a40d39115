use proto::spire::api::types::{Selector, Spiffeid, entry::AdditionalAttributes};

use super::*;

fn id(path: &str) -> Option<Spiffeid> {
    Some(Spiffeid { trust_domain: "example.org".to_owned(), path: path.to_owned() })
}

fn selector(kind: &str, value: &str) -> Selector {
    Selector { r#type: kind.to_owned(), value: value.to_owned() }
}

fn printed(entry: &Entry) -> String {
    let mut out = Vec::new();
    print(&mut out, entry).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_plain_entry_shows_what_it_always_has() {
    let entry = Entry {
        id: "5cd04ca0".to_owned(),
        spiffe_id: id("/web"),
        parent_id: id("/spire/agent/x"),
        selectors: vec![selector("unix", "uid:1000")],
        ..Entry::default()
    };
    assert_eq!(
        printed(&entry),
        "\
Entry ID                : 5cd04ca0
SPIFFE ID               : spiffe://example.org/web
Parent ID               : spiffe://example.org/spire/agent/x
Revision                : 0
X509-SVID TTL           : default
JWT-SVID TTL            : default
Selector                : unix:uid:1000

"
    );
}

#[test]
fn a_full_entry_shows_everything_in_order() {
    let entry = Entry {
        id: String::new(),
        spiffe_id: id("/web"),
        parent_id: id("/p"),
        selectors: vec![selector("a", "1"), selector("b", "2")],
        x509_svid_ttl: 3600,
        jwt_svid_ttl: 300,
        federates_with: vec!["other.org".to_owned()],
        admin: true,
        downstream: true,
        expires_at: 1_136_214_245,
        dns_names: vec!["web.example.org".to_owned()],
        revision_number: 7,
        store_svid: true,
        hint: "external".to_owned(),
        created_at: 5,
        additional_attributes: Some(AdditionalAttributes {
            disable_x509_svid_prefetch: true,
            jwt_svid_include_jti: true,
        }),
    };
    assert_eq!(
        printed(&entry),
        "\
Entry ID                : (none)
SPIFFE ID               : spiffe://example.org/web
Parent ID               : spiffe://example.org/p
Revision                : 7
Downstream              : true
X509-SVID TTL           : 3600
JWT-SVID TTL            : 300
Expiration time         : 2006-01-02 15:04:05 +0000 UTC
Selector                : a:1
Selector                : b:2
FederatesWith           : other.org
DNS name                : web.example.org
Admin                   : true
StoreSvid               : true
Hint                    : external
DisableX509SvidPrefetch : true
JwtSvidIncludeJti       : true

"
    );
}

#[test]
fn entries_found_are_counted() {
    let mut out = Vec::new();
    print_found(&mut out, &[]).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "Found 0 entries\n");
}

#[test]
fn entries_are_shown_in_the_order_of_their_ids() {
    let entry = |path, ttl, selectors| Entry {
        spiffe_id: id(path),
        x509_svid_ttl: ttl,
        selectors,
        ..Entry::default()
    };
    let mut entries = vec![
        entry("/b", 0, vec![]),
        entry("/a", 2, vec![]),
        entry("/a", 1, vec![selector("z", "1"), selector("y", "1")]),
        entry("/a", 1, vec![selector("zz", "1")]),
    ];
    sort(&mut entries);
    let order: Vec<_> = entries
        .iter()
        .map(|e| (text::id(e.spiffe_id.as_ref()), e.x509_svid_ttl, e.selectors.len()))
        .collect();
    assert_eq!(
        order,
        [
            ("spiffe://example.org/a".to_owned(), 1, 1),
            ("spiffe://example.org/a".to_owned(), 1, 2),
            ("spiffe://example.org/a".to_owned(), 2, 0),
            ("spiffe://example.org/b".to_owned(), 0, 0),
        ]
    );
    assert_eq!(entries[1].selectors[0].r#type, "y");
}
