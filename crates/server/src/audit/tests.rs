use prost::Message as _;
use proto::spire::api::server::entry::v1::batch_create_entry_response::Result as Made;
use proto::spire::api::server::entry::v1::{BatchCreateEntryRequest, BatchCreateEntryResponse};
use proto::spire::api::server::logger::v1::SetLogLevelRequest;
use proto::spire::api::types::{Entry, Selector, Spiffeid, Status};

use super::details::Details;
use super::items::of;

fn entry(path: &str) -> Entry {
    Entry {
        spiffe_id: Some(Spiffeid { trust_domain: "example.org".to_owned(), path: path.to_owned() }),
        selectors: vec![Selector { r#type: "unix".to_owned(), value: "uid:1".to_owned() }],
        x509_svid_ttl: 60,
        admin: true,
        ..Entry::default()
    }
}

#[test]
fn each_item_of_a_batch_has_a_record_with_what_came_of_it() {
    let asked = BatchCreateEntryRequest { entries: vec![entry("/a"), entry("/b")], output_mask: None };
    let made = Made {
        status: Some(Status::default()),
        entry: Some(Entry { id: "made".to_owned(), ..Entry::default() }),
    };
    let refused = Made { status: Some(Status { code: 3, message: "no".to_owned() }), entry: None };
    let told = BatchCreateEntryResponse { results: vec![made, refused] };
    let method = "/spire.api.server.entry.v1.Entry/BatchCreateEntry";
    let records = of(method, &asked.encode_to_vec(), &told.encode_to_vec());
    let expected = |path: &str, entry_id: Option<&str>, outcome| Details {
        spiffe_id: Some(format!("spiffe://example.org{path}")),
        selectors: Some("unix:uid:1".to_owned()),
        x509_svid_ttl: Some("60".to_owned()),
        admin: Some("true".to_owned()),
        entry_id: entry_id.map(str::to_owned),
        outcome: Some(outcome),
        ..Details::default()
    };
    assert_eq!(
        records,
        [expected("/a", Some("made"), (0, String::new())), expected("/b", None, (3, "no".to_owned()))]
    );
}

#[test]
fn a_call_that_failed_as_a_whole_has_one_record() {
    let asked = BatchCreateEntryRequest { entries: vec![entry("/a"), entry("/b")], output_mask: None };
    let records = of("/spire.api.server.entry.v1.Entry/BatchCreateEntry", &asked.encode_to_vec(), &[]);
    assert_eq!(records, [Details::default()]);
    assert_eq!(of("/spire.api.server.entry.v1.Entry/GetEntry", &[0xff], &[]), [Details::default()]);
}

#[test]
fn a_new_log_level_is_told() {
    let asked = SetLogLevelRequest { new_level: 6 }.encode_to_vec();
    let records = of("/spire.api.server.logger.v1.Logger/SetLogLevel", &asked, &[]);
    assert_eq!(records[0].new_log_level.as_deref(), Some("DEBUG"));
}
