//! Rows to write.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::{
    AdditionalAttributes, Agent, Entry, EntryId, JoinToken, Journal, Relationship, Selector, Selectors,
    UnixTime, Write,
};
use spiffe::bundle::{Bundle, JwtAuthority, WitAuthority, X509Authority};
use spiffe::endpoint::{BundleUrl, EndpointProfile};
use spiffe::key::{KeyType, PrivateKey, Signer};
use spiffe::x509::{CaSubject, CaTemplate};
use spiffe::{SpiffeId, TrustDomain};

pub(super) fn td(name: &str) -> TrustDomain {
    TrustDomain::parse(name).expect("a trust domain name")
}

pub(super) fn id(path: &str) -> SpiffeId {
    SpiffeId::new(&td("example.org"), path).expect("a path")
}

pub(super) fn entry_id(name: &str) -> EntryId {
    EntryId::parse(name).expect("an entry id")
}

pub(super) fn selectors(all: &[&str]) -> Selectors {
    all.iter().map(|text| Selector::parse(text).expect("a selector")).collect()
}

/// An entry whose SPIFFE ID is its name.
pub(super) fn entry(name: &str) -> Entry {
    Entry {
        id: entry_id(name),
        ord: 0,
        spiffe_id: id(&format!("/{name}")),
        parent_id: id("/spire/agent/x509pop/node"),
        selectors: selectors(&["unix:uid:1000"]),
        x509_svid_ttl: 0,
        jwt_svid_ttl: 0,
        federates_with: Vec::new(),
        admin: false,
        downstream: false,
        expires_at: None,
        dns_names: Vec::new(),
        revision: 0,
        store_svid: false,
        hint: String::new(),
        created_at: UnixTime(1_700_000_000),
        additional: None,
    }
}

/// An entry in which no field is as a new message has it. It federates with `one.test` and `two.test`.
pub(super) fn full_entry(name: &str) -> Entry {
    Entry {
        selectors: selectors(&["unix:uid:1000", "k8s:ns:über", "docker:label:a:b=c"]),
        x509_svid_ttl: 300,
        jwt_svid_ttl: i32::MAX,
        federates_with: vec![td("two.test"), td("one.test")],
        admin: true,
        downstream: true,
        expires_at: Some(UnixTime(1_900_000_000)),
        dns_names: vec!["db.example.org".to_owned(), "a.example.org".to_owned()],
        store_svid: true,
        hint: "internal".to_owned(),
        additional: Some(AdditionalAttributes {
            disable_x509_svid_prefetch: true,
            jwt_svid_include_jti: true,
        }),
        ..entry(name)
    }
}

pub(super) fn agent(name: &str) -> Agent {
    Agent {
        id: id(&format!("/spire/agent/x509pop/{name}")),
        ord: 0,
        attestation_type: "x509pop".to_owned(),
        serial: "1234567890123456789012345678901234567890".to_owned(),
        expires_at: UnixTime(1_800_000_000),
        new_serial: String::new(),
        new_expires_at: None,
        selectors: selectors(&["x509pop:subject:cn:node", "x509pop:ca:fingerprint:00"]),
        can_reattest: true,
        version: "1.16.0".to_owned(),
        revision: 0,
    }
}

pub(super) fn bundle(name: &str) -> Bundle {
    Bundle::new(td(name))
}

/// A bundle in which no field is as a new one has it.
pub(super) fn full_bundle(name: &str) -> Bundle {
    let mut bundle = bundle(name);
    for tainted in [false, true] {
        let key = PrivateKey::generate(KeyType::EcP256).expect("a key");
        let template =
            CaTemplate::new(td(name), CaSubject::default(), moment(1_700_000_000), moment(1_800_000_000));
        let certificate = template.self_sign(&key).expect("a certificate");
        bundle.push_x509(X509Authority { certificate, tainted }).expect("an authority");
        let jwt = JwtAuthority {
            key_id: format!("key {tainted}"),
            public_key: key.public().clone(),
            expires_at: tainted.then(|| moment(1_800_000_000)),
            tainted,
        };
        bundle.push_jwt(jwt).expect("an authority");
        let wit = WitAuthority {
            key_id: format!("wit {tainted}"),
            public_key: key.public().clone(),
            expires_at: tainted.then(|| moment(1_800_000_000)),
            tainted,
        };
        bundle.push_wit(wit).expect("an authority");
    }
    bundle.sequence = 7;
    bundle.refresh_hint = Some(Duration::from_secs(3600));
    bundle
}

fn moment(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

pub(super) fn token(value: &str, expires_at: i64) -> JoinToken {
    JoinToken { value: value.to_owned().into(), expires_at: UnixTime(expires_at) }
}

pub(super) fn spend(value: &str, now: i64) -> Write {
    Write::SpendToken { value: value.to_owned().into(), now: UnixTime(now) }
}

pub(super) fn journal(name: &str, data: &[u8]) -> Journal {
    Journal { id: name.to_owned(), data: data.to_vec() }
}

/// A relationship with an endpoint of the web.
pub(super) fn relationship(name: &str) -> Relationship {
    Relationship {
        trust_domain: td(name),
        ord: 0,
        endpoint_url: BundleUrl::parse(&format!("https://{name}/bundle")).expect("a URL"),
        profile: EndpointProfile::HttpsWeb,
        revision: 0,
    }
}

/// A relationship with an endpoint that shows an SVID.
pub(super) fn spiffe_relationship(name: &str) -> Relationship {
    let profile = EndpointProfile::HttpsSpiffe { endpoint_id: id("/endpoint") };
    Relationship { profile, ..relationship(name) }
}

/// Writes of all kinds, which must all be done in this order, several to the same rows.
pub(super) fn history() -> Vec<Write> {
    use model::{DissociateMode, Expect};
    let put = |agent: Agent| Write::PutAgent { agent, expect: Expect::Any };
    let store = |bundle: Bundle| Write::PutBundle { bundle, expect: Expect::Any };
    let updated = Entry { hint: "now".to_owned(), ..entry("one") };
    vec![
        store(full_bundle("one.test")),
        store(bundle("two.test")),
        store(bundle("example.org")),
        Write::CreateEntry(entry("one")),
        Write::CreateEntry(entry("two")),
        Write::CreateEntry(full_entry("three")),
        put(agent("a")),
        put(agent("b")),
        Write::UpdateEntry { entry: updated, was: 0 },
        Write::DeleteEntry(entry_id("two")),
        put(Agent { serial: String::new(), ..agent("a") }),
        Write::DeleteAgent(agent("b").id),
        Write::DeleteBundle { trust_domain: td("two.test"), mode: DissociateMode::Dissociate },
        Write::CreateToken(token("secret", 10)),
        spend("secret", 10),
        Write::PutJournal(journal("server", b"stages")),
        Write::PutJournal(journal("other", b"")),
        Write::DeleteJournal("other".to_owned()),
        Write::PutRelationship { relationship: relationship("one.test"), expect: Expect::Any },
        Write::PutRelationship { relationship: spiffe_relationship("one.test"), expect: Expect::Any },
        Write::PutRelationship { relationship: relationship("two.test"), expect: Expect::Any },
        Write::DeleteRelationship(td("two.test")),
        Write::CreateEntry(entry("two")),
    ]
}
