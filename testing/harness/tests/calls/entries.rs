//! The entry service's rules, case by case: what each value is answered, and what a list, a filter and a mask give.

use std::collections::BTreeMap;

use proto::spire::api::server::entry::v1::entry_client::EntryClient;
use proto::spire::api::server::entry::v1::{
    BatchCreateEntryRequest, BatchDeleteEntryRequest, BatchUpdateEntryRequest, CountEntriesRequest,
    GetEntryRequest, ListEntriesRequest, count_entries_request, list_entries_request,
};
use proto::spire::api::types::entry::AdditionalAttributes;
use proto::spire::api::types::{
    Entry, EntryMask, FederatesWithMatch, Selector, SelectorMatch, Spiffeid, Status as Item,
};
use tonic::Status;
use tonic::transport::Channel;

/// The lines that each case is answered.
pub(crate) type Told = BTreeMap<String, Vec<String>>;

struct Teller {
    client: EntryClient<Channel>,
    told: Told,
}

fn id(td: &str, path: &str) -> Option<Spiffeid> {
    Some(Spiffeid { trust_domain: td.to_owned(), path: path.to_owned() })
}

fn own(path: &str) -> Option<Spiffeid> {
    id("example.org", path)
}

fn selector(text: &str) -> Selector {
    let (kind, value) = text.split_once('=').unwrap();
    Selector { r#type: kind.to_owned(), value: value.to_owned() }
}

fn selectors(all: &[&str]) -> Vec<Selector> {
    all.iter().map(|text| selector(text)).collect()
}

fn good(name: &str) -> Entry {
    Entry {
        id: name.to_owned(),
        spiffe_id: own(&format!("/{name}")),
        parent_id: own("/parent"),
        selectors: selectors(&["unix=uid:1"]),
        ..Entry::default()
    }
}

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|text| (*text).to_owned()).collect()
}

fn shown(entry: &Entry) -> String {
    // What the server chooses differs from run to run.
    let chosen = if entry.id.len() == 36 { String::new() } else { entry.id.clone() };
    format!("{:?}", Entry { id: chosen, created_at: entry.created_at.min(1), ..entry.clone() })
}

fn item(status: Option<&Item>, entry: Option<&Entry>) -> String {
    let status = status.cloned().unwrap_or_default();
    let entry = entry.map(shown).unwrap_or_default();
    format!("{:?}: {} {entry}", tonic::Code::from(status.code), status.message)
}

fn refused(status: &Status) -> Vec<String> {
    vec![format!("{:?}: {}", status.code(), status.message())]
}

impl Teller {
    fn tell(&mut self, case: &str, lines: Vec<String>) {
        assert!(self.told.insert(case.to_owned(), lines).is_none(), "{case} twice");
    }

    async fn create(&mut self, case: &str, entries: Vec<Entry>) {
        self.create_masked(case, entries, None).await;
    }

    async fn create_masked(&mut self, case: &str, entries: Vec<Entry>, output_mask: Option<EntryMask>) {
        let answer = self.client.batch_create_entry(BatchCreateEntryRequest { entries, output_mask }).await;
        let lines = match answer {
            Ok(answer) => {
                let results = answer.into_inner().results;
                results.iter().map(|r| item(r.status.as_ref(), r.entry.as_ref())).collect()
            }
            Err(status) => refused(&status),
        };
        self.tell(case, lines);
    }

    async fn update(&mut self, case: &str, entry: Entry, input_mask: Option<EntryMask>) {
        let request = BatchUpdateEntryRequest { entries: vec![entry], input_mask, output_mask: None };
        let lines = match self.client.batch_update_entry(request).await {
            Ok(answer) => {
                let results = answer.into_inner().results;
                results.iter().map(|r| item(r.status.as_ref(), r.entry.as_ref())).collect()
            }
            Err(status) => refused(&status),
        };
        self.tell(case, lines);
    }

    async fn delete(&mut self, case: &str, ids: &[&str]) {
        let answer = self.client.batch_delete_entry(BatchDeleteEntryRequest { ids: texts(ids) }).await;
        let lines = match answer {
            Ok(answer) => {
                let results = answer.into_inner().results;
                results.iter().map(|r| format!("{:?} {}", r.id, item(r.status.as_ref(), None))).collect()
            }
            Err(status) => refused(&status),
        };
        self.tell(case, lines);
    }

    async fn get(&mut self, case: &str, id: &str) {
        let answer = self.client.get_entry(GetEntryRequest { id: id.to_owned(), output_mask: None }).await;
        let lines = match answer {
            Ok(entry) => vec![shown(entry.get_ref())],
            Err(status) => refused(&status),
        };
        self.tell(case, lines);
    }

    /// Lists and counts by a filter.
    async fn find(&mut self, case: &str, filter: list_entries_request::Filter) {
        let count = count_entries_request::Filter {
            by_spiffe_id: filter.by_spiffe_id.clone(),
            by_parent_id: filter.by_parent_id.clone(),
            by_selectors: filter.by_selectors.clone(),
            by_federates_with: filter.by_federates_with.clone(),
            by_hint: filter.by_hint.clone(),
            by_downstream: filter.by_downstream,
        };
        let request = ListEntriesRequest {
            filter: Some(filter),
            output_mask: Some(EntryMask::default()),
            page_size: 0,
            page_token: String::new(),
        };
        let mut lines = match self.client.list_entries(request).await {
            Ok(answer) => vec![names(&answer.into_inner().entries)],
            Err(status) => refused(&status),
        };
        match self.client.count_entries(CountEntriesRequest { filter: Some(count) }).await {
            Ok(answer) => lines.push(answer.into_inner().count.to_string()),
            Err(status) => lines.extend(refused(&status)),
        }
        self.tell(case, lines);
    }

    /// All pages of a size, each as a line; the tokens are not told.
    async fn pages(&mut self, case: &str, page_size: i32, first_token: &str) {
        let mut page_token = first_token.to_owned();
        let mut lines = Vec::new();
        for _ in 0..10 {
            let output_mask = Some(EntryMask::default());
            let request = ListEntriesRequest { filter: None, output_mask, page_size, page_token };
            match self.client.list_entries(request).await {
                Ok(answer) => {
                    let answer = answer.into_inner();
                    lines.push(names(&answer.entries));
                    page_token = answer.next_page_token;
                }
                Err(status) => {
                    lines.extend(refused(&status));
                    break;
                }
            }
            if page_token.is_empty() {
                break;
            }
        }
        self.tell(case, lines);
    }
}

fn names(entries: &[Entry]) -> String {
    let name = |entry: &Entry| if entry.id.len() == 36 { "?".to_owned() } else { entry.id.clone() };
    entries.iter().map(name).collect::<Vec<_>>().join(" ")
}

/// What a server whose trust domain is `example.org`, and which has the bundle of `foreign.test`, is made to tell.
pub(crate) async fn tell(socket: Channel) -> Told {
    let mut t = Teller { client: EntryClient::new(socket), told: Told::new() };
    values(&mut t).await;
    likeness(&mut t).await;
    updates(&mut t).await;
    lists(&mut t).await;
    t.delete("deleting one, one that is not there, and nothing", &["one", "nowhere", ""]).await;
    t.get("a deleted entry", "one").await;
    // Our server sweeps it away at once, and SPIRE's some minutes later.
    t.create("expires_at: negative", vec![Entry { expires_at: -1, ..good("ended") }]).await;
    t.told
}

async fn values(t: &mut Teller) {
    for (case, parent) in [
        ("parent: none", None),
        ("parent: another trust domain's", id("foreign.test", "/parent")),
        ("parent: without path", own("")),
        ("parent: path without slash", own("parent")),
        ("parent: path with an empty segment", own("/a//b")),
        ("parent: malformed trust domain", id("No", "/a")),
        ("parent: the server", own("/spire/server")),
    ] {
        t.create(case, vec![Entry { parent_id: parent, id: String::new(), ..good("parents") }]).await;
    }
    for (case, spiffe_id) in [
        ("id: none", None),
        ("id: another trust domain's", id("foreign.test", "/a")),
        ("id: without path", own("")),
        ("id: reserved", own("/spire/agent/a")),
        ("id: below spire", own("/spire")),
        ("id: near the reserved", own("/spireful")),
        ("id: a dot segment", own("/a/../b")),
        ("id: a trailing slash", own("/a/")),
        ("id: a foreign character", own("/ä")),
    ] {
        t.create(case, vec![Entry { spiffe_id, id: String::new(), ..good("ids") }]).await;
    }
    for (case, all) in [
        ("selectors: none", vec![]),
        ("selectors: without type", vec!["=uid:1"]),
        ("selectors: type with a colon", vec!["a:b=c"]),
        ("selectors: without value", vec!["unix="]),
        ("selectors: out of order", vec!["b=a", "a=b", "a=a"]),
    ] {
        let spiffe_id = own(&format!("/selectors/{}", all.len()));
        t.create(case, vec![Entry { selectors: selectors(&all), spiffe_id, id: String::new(), ..good("x") }])
            .await;
    }
    for (at, name) in
        ["", "a..b", "-a", "*.a.test", "a_b", "192.0.2.1", "A.Test", "a.", &"a".repeat(64), "*", "ä.test"]
            .iter()
            .enumerate()
    {
        let entry = Entry {
            dns_names: texts(&[name]),
            spiffe_id: own(&format!("/dns/{at}")),
            id: String::new(),
            ..good("x")
        };
        t.create(&format!("dns name: {name:?}"), vec![entry]).await;
    }
    let two = Entry { dns_names: texts(&["a.test", "a.test"]), ..good("dns-twice") };
    t.create("dns names: one twice", vec![two]).await;
    let twice = Entry { selectors: selectors(&["a=b", "a=b"]), ..good("selector-twice") };
    t.create("selectors: one twice", vec![twice]).await;
    t.delete("deleting what had something twice", &["dns-twice", "selector-twice"]).await;
    let covered =
        Entry { dns_names: texts(&["*.a.test", "b.a.test"]), id: String::new(), ..good("dns-covered") };
    t.create("dns names: one under a wildcard", vec![covered]).await;
    for (at, td) in [
        "foreign.test",
        "spiffe://foreign.test",
        "unknown.test",
        "example.org",
        "No",
        "",
        "spiffe://foreign.test/a",
    ]
    .iter()
    .enumerate()
    {
        let entry = Entry {
            federates_with: texts(&[td]),
            spiffe_id: own(&format!("/fed/{at}")),
            id: String::new(),
            ..good("x")
        };
        t.create(&format!("federates with: {td:?}"), vec![entry]).await;
    }
    let twice = Entry { federates_with: texts(&["foreign.test", "foreign.test"]), ..good("fed-twice") };
    t.create("federates with: one twice", vec![twice]).await;
    for (case, id) in [
        ("entry ID: of 255 bytes", "a".repeat(255)),
        ("entry ID: of 256 bytes", "a".repeat(256)),
        ("entry ID: with a slash", "a/b".to_owned()),
        ("entry ID: with a space", "a b".to_owned()),
        ("entry ID: of all that is allowed", "aZ09-._".to_owned()),
    ] {
        t.create(case, vec![Entry { spiffe_id: own(&format!("/entry-id/{}", id.len())), id, ..good("x") }])
            .await;
    }
    for (case, hint) in [("hint: of 1024 bytes", "h".repeat(1024)), ("hint: of 1025 bytes", "h".repeat(1025))]
    {
        t.create(
            case,
            vec![Entry {
                spiffe_id: own(&format!("/hint/{}", hint.len())),
                id: String::new(),
                hint,
                ..good("x")
            }],
        )
        .await;
    }
    type Spoil = fn(&mut Entry);
    let spoilt: [(&str, Spoil); 7] = [
        ("x509_svid_ttl: negative", |e| e.x509_svid_ttl = -1),
        ("jwt_svid_ttl: negative", |e| e.jwt_svid_ttl = -1),
        ("expires_at: in the far future", |e| e.expires_at = 32_503_680_000),
        ("revision and creation: given", |e| (e.revision_number, e.created_at) = (7, 7)),
        ("store_svid: selectors of one type", |e| e.store_svid = true),
        ("store_svid: selectors of two types", |e| {
            e.store_svid = true;
            e.selectors = selectors(&["a=b", "c=d"]);
        }),
        ("store_svid: without prefetch", |e| {
            e.store_svid = true;
            e.additional_attributes =
                Some(AdditionalAttributes { disable_x509_svid_prefetch: true, jwt_svid_include_jti: false });
        }),
    ];
    for (at, (case, spoil)) in spoilt.into_iter().enumerate() {
        let mut entry = Entry { spiffe_id: own(&format!("/value/{at}")), id: String::new(), ..good("x") };
        spoil(&mut entry);
        t.create(case, vec![entry]).await;
    }
    let attributes = AdditionalAttributes { disable_x509_svid_prefetch: true, jwt_svid_include_jti: true };
    let full = Entry {
        x509_svid_ttl: 60,
        jwt_svid_ttl: 30,
        admin: true,
        downstream: true,
        dns_names: texts(&["b.test", "a.test"]),
        hint: "hint".to_owned(),
        additional_attributes: Some(attributes),
        ..good("full")
    };
    t.create("all fields", vec![full]).await;
    let mask = EntryMask { spiffe_id: true, hint: true, ..EntryMask::default() };
    t.create_masked("an output mask", vec![Entry { hint: "h".to_owned(), ..good("masked") }], Some(mask))
        .await;
    t.create("nothing", vec![]).await;
}

async fn likeness(t: &mut Teller) {
    t.create("the first of its kind", vec![good("one")]).await;
    t.create("the same once more", vec![good("one")]).await;
    let again = Entry { id: "other".to_owned(), hint: "other".to_owned(), ..good("one") };
    t.create("the same by another ID", vec![again]).await;
    let taken = Entry { spiffe_id: own("/else"), ..good("one") };
    t.create("another by a taken ID", vec![taken]).await;
    let two = good("two");
    let bad = Entry { selectors: vec![], ..good("bad") };
    let same = Entry { id: "three".to_owned(), ..two.clone() };
    t.create("a batch of good and bad", vec![two, bad, same, good("four")]).await;
}

async fn updates(t: &mut Teller) {
    t.update("updating what is not there", good("nowhere"), None).await;
    t.update("updating without ID", Entry { id: String::new(), ..good("one") }, None).await;
    let new = Entry {
        spiffe_id: own("/moved"),
        selectors: selectors(&["c=d"]),
        hint: "new".to_owned(),
        ..good("one")
    };
    let mask = EntryMask { hint: true, ..EntryMask::default() };
    t.update("updating by a mask", new.clone(), Some(mask)).await;
    t.update("updating by an empty mask", new.clone(), Some(EntryMask::default())).await;
    t.update("updating all", new, None).await;
    let nothing = Entry { selectors: vec![], ..good("one") };
    let mask = EntryMask { selectors: true, ..EntryMask::default() };
    t.update("updating to no selectors", nothing, Some(mask)).await;
    let federates = Entry { federates_with: texts(&["unknown.test"]), ..good("one") };
    t.update("updating to an unknown trust domain", federates, None).await;
    let attributes = AdditionalAttributes { disable_x509_svid_prefetch: false, jwt_svid_include_jti: true };
    let mask = EntryMask { additional_attributes: true, ..EntryMask::default() };
    let with = Entry { additional_attributes: Some(attributes), ..good("one") };
    t.update("updating the attributes", with, Some(mask)).await;
    t.update("updating to no attributes", good("one"), Some(mask)).await;
    t.get("what an update left", "one").await;
    t.get("what is not there", "nowhere").await;
    t.create("for an update", vec![good("alike")]).await;
    t.update("updating to what another is", Entry { id: "alike".to_owned(), ..good("two") }, None).await;
    t.delete("deleting what was made alike", &["alike"]).await;
}

async fn lists(t: &mut Teller) {
    use list_entries_request::Filter;
    for name in ["l1", "l2", "l3"] {
        let entry = Entry {
            parent_id: own("/lists"),
            selectors: selectors(&["a=1", "b=2", "c=3"])
                .into_iter()
                .take(name.len() + usize::from(name == "l3") - 1)
                .collect(),
            ..good(name)
        };
        t.create(&format!("for lists: {name}"), vec![entry]).await;
    }
    let only = |filter: Filter| filter;
    t.find("by parent", only(Filter { by_parent_id: own("/lists"), ..Filter::default() })).await;
    t.find("by foreign parent", Filter { by_parent_id: id("foreign.test", "/a"), ..Filter::default() }).await;
    t.find("by SPIFFE ID", Filter { by_spiffe_id: own("/l2"), ..Filter::default() }).await;
    t.find("by malformed SPIFFE ID", Filter { by_spiffe_id: own("l2"), ..Filter::default() }).await;
    t.find("by foreign SPIFFE ID", Filter { by_spiffe_id: id("foreign.test", "/a"), ..Filter::default() })
        .await;
    t.find("by hint", Filter { by_hint: Some("hint".to_owned()), ..Filter::default() }).await;
    t.find(
        "by no hint",
        Filter { by_hint: Some(String::new()), by_parent_id: own("/lists"), ..Filter::default() },
    )
    .await;
    t.find("by downstream", Filter { by_downstream: Some(true), ..Filter::default() }).await;
    let not = Filter { by_downstream: Some(false), by_parent_id: own("/lists"), ..Filter::default() };
    t.find("by not downstream", not).await;
    for (how, number) in [("exact", 0), ("subset", 1), ("superset", 2), ("any", 3), ("unknown", 9)] {
        for asked in [&["a=1"][..], &["a=1", "b=2"], &["c=3"], &[], &["="]] {
            let by_selectors = Some(SelectorMatch { selectors: selectors(asked), r#match: number });
            let filter = Filter { by_selectors, by_parent_id: own("/lists"), ..Filter::default() };
            t.find(&format!("by selectors {asked:?}, {how}"), filter).await;
        }
        for asked in [&["foreign.test"][..], &["unknown.test", "foreign.test"], &[], &["No"]] {
            let by_federates_with = Some(FederatesWithMatch { trust_domains: texts(asked), r#match: number });
            let filter = Filter { by_federates_with, ..Filter::default() };
            t.find(&format!("by federation with {asked:?}, {how}"), filter).await;
        }
    }
    t.pages("pages of all", 0, "").await;
    t.pages("pages of nine", 9, "").await;
    t.pages("pages of all with a token", 0, "nonsense").await;
    t.pages("pages of two from nonsense", 2, "nonsense").await;
    t.pages("pages of a negative size", -1, "").await;
}
