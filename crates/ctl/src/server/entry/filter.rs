//! The flags that choose entries.

use kit::flags::{Flag, Values};
use proto::spire::api::types::{FederatesWithMatch, SelectorMatch, Spiffeid};

use crate::fault::Fault;
use crate::parse;

pub(super) const FLAGS: &[Flag] = &[
    Flag::text("parentID", "The SPIFFE ID of the entries' parent"),
    Flag::text("spiffeID", "The SPIFFE ID that the entries give"),
    Flag::switch("downstream", "Only entries of downstream servers"),
    Flag::list("selector", "A selector of the entries, as type:value; may stand several times"),
    Flag::choice(
        "matchSelectorsOn",
        parse::MATCHES,
        "How -selector is compared: exact, any, superset or subset",
    ),
    Flag::list("federatesWith", "A trust domain that the entries federate with; may stand several times"),
    Flag::choice(
        "matchFederatesWithOn",
        parse::MATCHES,
        "How -federatesWith is compared: exact, any, superset or subset",
    ),
    Flag::text("hint", "The hint of the entries"),
];

/// What the flags choose.
pub(super) struct Chosen {
    pub(super) by_spiffe_id: Option<Spiffeid>,
    pub(super) by_parent_id: Option<Spiffeid>,
    pub(super) by_selectors: Option<SelectorMatch>,
    pub(super) by_federates_with: Option<FederatesWithMatch>,
    pub(super) by_hint: Option<String>,
    pub(super) by_downstream: Option<bool>,
}

/// SPIRE's command always sends `-downstream`, and its server takes `false` for no filter; here a flag that is absent is
/// not sent.
pub(super) fn chosen(values: &Values) -> Result<Chosen, Fault> {
    let behaviour = values.text("matchFederatesWithOn");
    Ok(Chosen {
        by_spiffe_id: parse::maybe_id("SPIFFE ID", values.nonempty("spiffeID"))?,
        by_parent_id: parse::maybe_id("parent ID", values.nonempty("parentID"))?,
        by_selectors: parse::selector_filter(values.list("selector"), values.text("matchSelectorsOn"))?,
        by_federates_with: parse::federation_filter(values.list("federatesWith"), behaviour),
        by_hint: values.nonempty("hint").map(str::to_owned),
        by_downstream: values.given("downstream").then(|| values.switch("downstream")),
    })
}
