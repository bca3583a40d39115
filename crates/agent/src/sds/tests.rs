//! Which names lead where, and what differences say.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use prost_types::value::Kind;
use prost_types::{Struct, Value};
use proto::envoy::config::core::v3::node::UserAgentVersionType;
use proto::envoy::config::core::v3::{BuildVersion, Node};
use proto::envoy::service::discovery::v3::DeltaDiscoveryRequest;
use proto::envoy::r#type::v3::SemanticVersion;
use spiffe::TrustDomain;
use spiffe::bundle::Bundle;
use tonic::Code;

use super::SdsNames;
use super::delta::Tracked;
use super::node::Form;
use super::select::{Refusal, Selection};
use super::verdict::{Patience, Verdict, judge};
use crate::cache::testing::{Ca, entry};
use crate::cache::{Identity, Update};

const OWN: &str = "spiffe://example.org";
const OTHER: &str = "spiffe://a.other";

/// An update with identities `/a` and `/b`, and two trust domains that they federate with.
fn update(waiting: bool) -> Update {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let ca = Ca::new("one", now);
    let identity = |path: &str| {
        let entry = Arc::new(entry(path, path, &["u:1"]));
        let held = Arc::new(ca.issue(&entry.spiffe_id, now, Duration::from_secs(100)));
        Identity { entry, held }
    };
    let foreign = |name: &str| Arc::new(Bundle::new(TrustDomain::parse(name).unwrap()));
    let federated = vec![foreign("a.other"), foreign("z.other")];
    let identities = vec![identity("/a"), identity("/b")];
    let matching = identities.len() + usize::from(waiting);
    Update::new(identities, matching, waiting, Some(Arc::new(ca.bundle(false))), federated)
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The names of what is chosen, or of what is refused.
fn together(names: &[&str]) -> Result<Vec<String>, Refusal> {
    let (own, update) = (SdsNames::default(), update(false));
    let selection = Selection { names: &own, form: Form::Validator, update: &update };
    Ok(selection.together(&set(names))?.into_iter().map(|choice| choice.name).collect())
}

fn left(names: &[&str]) -> Result<Vec<String>, Refusal> {
    Err(Refusal::NotEntitled(set(names)))
}

fn chosen(names: &[&str]) -> Result<Vec<String>, Refusal> {
    Ok(names.iter().map(|name| (*name).to_owned()).collect())
}

#[test]
fn names_lead_where_spires_do() {
    let (a, b) = ("spiffe://example.org/a", "spiffe://example.org/b");
    assert_eq!(together(&[]), chosen(&[OWN, OTHER, "spiffe://z.other", a, b]));
    assert_eq!(together(&["default"]), chosen(&["default"]));
    assert_eq!(together(&["ROOTCA", "default"]), chosen(&["ROOTCA", "default"]));
    assert_eq!(together(&["ALL"]), chosen(&["ALL"]));
    assert_eq!(together(&[OTHER, b, OWN]), chosen(&[OWN, OTHER, b]));
    // One of the three names of our own authorities, the ID before ROOTCA before ALL.
    assert_eq!(together(&[OWN, "ROOTCA"]), left(&["ROOTCA"]));
    assert_eq!(together(&["ALL", "ROOTCA"]), left(&["ALL"]));
    // An identity answers to one name.
    assert_eq!(together(&["default", a]), left(&["default"]));
    assert_eq!(together(&["default", b]), chosen(&["default", b]));
    assert_eq!(together(&["spiffe://example.org/c", "x"]), left(&["spiffe://example.org/c", "x"]));
}

#[test]
fn a_refusal_is_in_spires_words() {
    let status = tonic::Status::from(&Refusal::NotEntitled(set(&["x", "a\"b"])));
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(
        status.message(),
        "workload is not authorized for the requested identities [\"a\\\"b\" \"x\"]"
    );
}

#[test]
fn without_the_validator_there_is_no_secret_of_all_authorities() {
    let (names, update) = (SdsNames::default(), update(false));
    let selection = Selection { names: &names, form: Form::Roots, update: &update };
    assert_eq!(selection.together(&set(&["ALL"])).unwrap_err(), Refusal::NoValidator);
    assert_eq!(selection.one("ALL").unwrap_err(), Refusal::NoValidator);
    assert_eq!(tonic::Status::from(&Refusal::NoValidator).code(), Code::Internal);
    assert!(selection.together(&set(&["ROOTCA"])).is_ok());
}

#[test]
fn the_form_follows_the_setting_the_metadata_and_the_version() {
    let node = |kind: Option<Kind>, version: Option<(u32, u32)>| Node {
        metadata: kind.map(|kind| Struct {
            fields: [("disable_spiffe_cert_validation".to_owned(), Value { kind: Some(kind) })].into(),
        }),
        user_agent_version_type: version.map(|(major_number, minor_number)| {
            let version = Some(SemanticVersion { major_number, minor_number, patch: 0 });
            UserAgentVersionType::UserAgentBuildVersion(BuildVersion { version })
        }),
        ..Node::default()
    };
    let form = |disabled, node: &Node| {
        let names = SdsNames { disable_spiffe_cert_validation: disabled, ..SdsNames::default() };
        Form::of(Some(node), &names)
    };
    let text = |text: &str| Some(Kind::StringValue(text.to_owned()));
    assert_eq!(Form::of(None, &SdsNames::default()), Form::Validator);
    assert_eq!(form(true, &node(None, None)), Form::Roots);
    for yes in [Some(Kind::BoolValue(true)), text("true"), text("1"), text("T")] {
        assert_eq!(form(false, &node(yes, None)), Form::Roots);
    }
    for no in [Some(Kind::BoolValue(false)), text("False"), text("0")] {
        assert_eq!(form(true, &node(no, None)), Form::Validator);
    }
    // What is neither says nothing.
    for nothing in [text("yes"), Some(Kind::NumberValue(1.0))] {
        assert_eq!(form(true, &node(nothing.clone(), None)), Form::Roots);
        assert_eq!(form(false, &node(nothing, None)), Form::Validator);
    }
    for (version, wanted) in [
        ((1, 17), Form::Roots),
        ((0, 99), Form::Roots),
        ((1, 18), Form::Validator),
        ((2, 0), Form::Validator),
    ] {
        assert_eq!(form(false, &node(None, Some(version))), wanted, "{version:?}");
    }
    let mut unknown = node(None, None);
    unknown.user_agent_version_type =
        Some(UserAgentVersionType::UserAgentBuildVersion(BuildVersion { version: None }));
    assert_eq!(form(false, &unknown), Form::Validator);
}

#[test]
fn the_first_answer_waits_for_identities_that_are_on_their_way_and_later_ones_do_not() {
    let names = SdsNames::default();
    let update = update(true);
    let verdict = |asked: &[&str], patience| {
        let selection = Selection { names: &names, form: Form::Validator, update: &update };
        judge(selection.together(&set(asked)), &update, asked.is_empty(), patience)
    };
    assert!(matches!(verdict(&["ROOTCA"], Patience::First), Verdict::Send(_)));
    assert!(matches!(verdict(&["default"], Patience::First), Verdict::Wait(_)));
    assert!(matches!(verdict(&[], Patience::First), Verdict::Wait(_)));
    assert!(matches!(verdict(&["default"], Patience::Later), Verdict::Send(_)));
    assert!(matches!(verdict(&["x"], Patience::Later), Verdict::Wait(_)));
    match verdict(&["x"], Patience::Over) {
        Verdict::Refuse(status) => assert_eq!(status.code(), Code::Unavailable),
        other => panic!("{other:?}"),
    }
}

fn delta(subscribe: &[&str], unsubscribe: &[&str], held: &[(&str, &str)]) -> DeltaDiscoveryRequest {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    DeltaDiscoveryRequest {
        resource_names_subscribe: owned(subscribe),
        resource_names_unsubscribe: owned(unsubscribe),
        initial_resource_versions: held.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        ..DeltaDiscoveryRequest::default()
    }
}

/// The names that are sent, and those that are removed.
fn told(tracked: &mut Tracked, update: &Update) -> (Vec<String>, Vec<String>) {
    let names = SdsNames::default();
    let changes = tracked.changes(&Selection { names: &names, form: Form::Validator, update }).unwrap();
    (changes.changed.into_iter().map(|(choice, _)| choice.name).collect(), changes.removed)
}

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_delta_tells_each_name_once_and_again_when_it_is_asked_for_again() {
    let update = update(false);
    let mut tracked = Tracked::begin(&delta(&["default", "ROOTCA", "nobody"], &[], &[])).unwrap();
    assert_eq!(told(&mut tracked, &update), (list(&["ROOTCA", "default"]), list(&["nobody"])));
    assert_eq!(told(&mut tracked, &update), (list(&[]), list(&[])));
    tracked.change(&delta(&["default", "spiffe://example.org/a"], &["ROOTCA"], &[])).unwrap();
    assert_eq!(told(&mut tracked, &update), (list(&["default", "spiffe://example.org/a"]), list(&[])));
    // Another SVID of the same name, and an identity less.
    let mut other = self::update(false);
    other.identities.remove(0);
    assert_eq!(told(&mut tracked, &other), (list(&["default"]), list(&["spiffe://example.org/a"])));
}

#[test]
fn a_delta_waits_for_what_is_on_its_way() {
    let mut tracked = Tracked::begin(&delta(&["default", "spiffe://example.org/late"], &[], &[])).unwrap();
    assert_eq!(told(&mut tracked, &update(true)), (list(&["default"]), list(&[])));
    let (sent, removed) = told(&mut tracked, &update(false));
    assert_eq!((sent, removed), (list(&["default"]), list(&["spiffe://example.org/late"])));
}

#[test]
fn a_delta_of_everything_follows_what_comes_and_goes() {
    let update = update(false);
    for first in [delta(&[], &[], &[]), delta(&["*"], &[], &[])] {
        let mut tracked = Tracked::begin(&first).unwrap();
        assert_eq!(told(&mut tracked, &update).0.len(), 5);
        let fewer = Update::new(
            update.identities.iter().take(1).cloned().collect(),
            1,
            false,
            update.bundle.clone(),
            vec![],
        );
        let gone = list(&[OTHER, "spiffe://example.org/b", "spiffe://z.other"]);
        assert_eq!(told(&mut tracked, &fewer), (list(&[]), gone));
        tracked.change(&delta(&["default"], &["*"], &[])).unwrap();
        assert_eq!(told(&mut tracked, &fewer).0, list(&["default"]));
    }
}

#[test]
fn who_comes_back_with_the_current_version_is_not_told_it_again() {
    let (names, update) = (SdsNames::default(), update(false));
    let selection = Selection { names: &names, form: Form::Validator, update: &update };
    let version = selection.one("default").unwrap().unwrap().version();
    let held = [("default", version.as_str()), ("ROOTCA", "older"), ("gone", "1")];
    let mut tracked = Tracked::begin(&delta(&["default", "ROOTCA", "gone"], &[], &held)).unwrap();
    assert_eq!(told(&mut tracked, &update), (list(&["ROOTCA"]), list(&["gone"])));
}

#[test]
fn a_stream_follows_a_thousand_names_and_no_more() {
    let many: Vec<String> = (0..1001).map(|n| format!("n{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let code = |request| Tracked::begin(&request).unwrap_err().code();
    assert_eq!(code(delta(&many, &[], &[])), Code::ResourceExhausted);
    let held: Vec<(&str, &str)> = many.iter().map(|name| (*name, "1")).collect();
    assert_eq!(code(delta(&[], &[], &held)), Code::ResourceExhausted);
    let mut tracked = Tracked::begin(&delta(&many[..600], &[], &[])).unwrap();
    assert_eq!(tracked.change(&delta(&many[600..], &[], &[])).unwrap_err().code(), Code::ResourceExhausted);
    assert_eq!(super::asked::names(vec!["x".repeat(2049)]).unwrap_err().code(), Code::InvalidArgument);
}
