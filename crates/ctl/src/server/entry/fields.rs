//! The flags that describe an entry.

use kit::flags::{Flag, Values};
use proto::spire::api::types::Entry;
use proto::spire::api::types::entry::AdditionalAttributes;

use crate::fault::Fault;
use crate::parse;

/// The flags that `entry create` and `entry update` share.
pub(super) const FLAGS: &[Flag] = &[
    Flag::text("parentID", "The SPIFFE ID of the entry's parent: an agent, or another entry"),
    Flag::text("spiffeID", "The SPIFFE ID that the entry gives"),
    Flag::list("selector", "A selector that a workload must have, as type:value; may stand several times"),
    Flag::integer(
        "x509SVIDTTL",
        "How long X.509-SVIDs of this entry live, in seconds; 0 for the server's default",
    ),
    Flag::integer(
        "jwtSVIDTTL",
        "How long JWT-SVIDs of this entry live, in seconds; 0 for the server's default",
    ),
    Flag::list("federatesWith", "A trust domain whose bundle the workload gets too; may stand several times"),
    Flag::list("dns", "A DNS name in the entry's X.509-SVIDs; may stand several times"),
    Flag::text("hint", "Tells entries with the same SPIFFE ID apart for the workload"),
    Flag::integer("entryExpiry", "When the entry is removed, in seconds since 1970; 0 for never"),
    Flag::switch("admin", "The identity may use the server's management APIs"),
    Flag::switch("downstream", "The identity is a downstream server, and may ask for a CA"),
    Flag::switch("storeSVID", "The SVID is put into a store by an SVIDStore plugin"),
    Flag::switch(
        "disableX509SVIDPrefetch",
        "The agent gets the X.509-SVID when it is first asked for, not before",
    ),
    Flag::switch("jwtSVIDIncludeJTI", "JWT-SVIDs have a unique jti claim and are not cached by the agent"),
    Flag::file("data", "A file with entries as JSON instead of the other flags; - for the standard input"),
];

/// The entry that the flags describe.
pub(super) fn entry(values: &Values) -> Result<Entry, Fault> {
    let selectors = values.list("selector");
    if selectors.is_empty() {
        return Err(usage("at least one selector is required; give it with -selector, as in unix:uid:1000"));
    }
    let spiffe_id = values
        .nonempty("spiffeID")
        .ok_or_else(|| usage("a SPIFFE ID is required; give it with -spiffeID"))?;
    let positive = |flag: &str, kind: &str| {
        if values.integer(flag) < 0 {
            return Err(Fault::Usage(format!(
                "a positive {kind} TTL is required, or 0 for the server's default"
            )));
        }
        Ok(values.integer(flag))
    };
    let x509_svid_ttl = positive("x509SVIDTTL", "x509-SVID")?;
    let jwt_svid_ttl = positive("jwtSVIDTTL", "JWT-SVID")?;

    Ok(Entry {
        id: values.text("entryID").to_owned(),
        spiffe_id: Some(parse::message(&parse::id("SPIFFE ID", spiffe_id)?)),
        parent_id: parse::maybe_id("parent ID", values.nonempty("parentID"))?,
        selectors: parse::selectors(selectors)?,
        x509_svid_ttl: parse::seconds("X.509-SVID TTL", x509_svid_ttl)?,
        federates_with: values.list("federatesWith").to_vec(),
        admin: values.switch("admin"),
        downstream: values.switch("downstream"),
        expires_at: values.integer("entryExpiry"),
        dns_names: values.list("dns").to_vec(),
        revision_number: 0,
        store_svid: values.switch("storeSVID"),
        jwt_svid_ttl: parse::seconds("JWT-SVID TTL", jwt_svid_ttl)?,
        hint: values.text("hint").to_owned(),
        created_at: 0,
        additional_attributes: None,
    })
}

/// The attributes that the flags name, over those that an entry has already.
pub(super) fn attributes(
    values: &Values,
    present: Option<AdditionalAttributes>,
) -> Option<AdditionalAttributes> {
    let prefetch = given(values, "disableX509SVIDPrefetch");
    let jti = given(values, "jwtSVIDIncludeJTI");
    if prefetch.is_none() && jti.is_none() {
        return present;
    }
    let mut attributes = present.unwrap_or_default();
    attributes.disable_x509_svid_prefetch = prefetch.unwrap_or(attributes.disable_x509_svid_prefetch);
    attributes.jwt_svid_include_jti = jti.unwrap_or(attributes.jwt_svid_include_jti);
    Some(attributes)
}

/// Whether any flag speaks of the attributes.
pub(super) fn speaks_of_attributes(values: &Values) -> bool {
    values.given("disableX509SVIDPrefetch") || values.given("jwtSVIDIncludeJTI")
}

fn given(values: &Values, flag: &str) -> Option<bool> {
    values.given(flag).then(|| values.switch(flag))
}

pub(super) fn usage(text: &str) -> Fault {
    Fault::Usage(text.to_owned())
}
