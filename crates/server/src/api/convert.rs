//! Between the wire's messages and the vocabulary. What comes in is parsed; nothing else is believed.

use std::fmt;

use model::{
    AdditionalAttributes, Agent, Entry, EntryId, Match, Selector, SelectorError, Selectors, UnixTime,
};
use proto::spire::api::types;
use spiffe::{SpiffeId, TrustDomain};

use super::{bundle_wire, dns};

/// Why an ID in a request is refused.
#[derive(Debug)]
pub(crate) enum IdFault {
    Missing,
    Malformed(spiffe::IdError),
    Foreign(String, TrustDomain),
    NoPath(String, &'static str, TrustDomain),
    NotAgent(String, TrustDomain),
    Reserved(String, TrustDomain),
}

impl fmt::Display for IdFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("request must specify SPIFFE ID"),
            Self::Malformed(cause) => write!(f, "{cause}"),
            Self::Foreign(id, td) => write!(f, "\"{id}\" is not a member of trust domain \"{td}\""),
            Self::NoPath(id, what, td) => {
                write!(f, "\"{id}\" is not {what} trust domain \"{td}\"; path is empty")
            }
            Self::NotAgent(id, td) => {
                write!(
                    f,
                    "\"{id}\" is not an agent in trust domain \"{td}\"; path is not in the agent namespace"
                )
            }
            Self::Reserved(id, td) => {
                write!(
                    f,
                    "\"{id}\" is not a workload in trust domain \"{td}\"; path is in the reserved namespace"
                )
            }
        }
    }
}

pub(crate) fn id(wire: Option<&types::Spiffeid>) -> Result<SpiffeId, IdFault> {
    let wire = wire.ok_or(IdFault::Missing)?;
    let td = TrustDomain::parse(&wire.trust_domain).map_err(IdFault::Malformed)?;
    if wire.path.is_empty() {
        return Ok(td.id());
    }
    SpiffeId::new(&td, &wire.path).map_err(IdFault::Malformed)
}

/// An ID of this trust domain, with a path.
pub(crate) fn member(td: &TrustDomain, wire: Option<&types::Spiffeid>) -> Result<SpiffeId, IdFault> {
    with_path(td, wire, "a member of")
}

/// An ID that a workload may have.
pub(crate) fn workload(td: &TrustDomain, wire: Option<&types::Spiffeid>) -> Result<SpiffeId, IdFault> {
    let id = with_path(td, wire, "a workload in")?;
    if id.path() == "/spire" || id.path().starts_with("/spire/") {
        return Err(IdFault::Reserved(id.to_string(), td.clone()));
    }
    Ok(id)
}

/// An ID of an agent.
pub(crate) fn agent_id(td: &TrustDomain, wire: Option<&types::Spiffeid>) -> Result<SpiffeId, IdFault> {
    let id = with_path(td, wire, "an agent in")?;
    if !id.path().starts_with("/spire/agent/") {
        return Err(IdFault::NotAgent(id.to_string(), td.clone()));
    }
    Ok(id)
}

fn with_path(
    td: &TrustDomain,
    wire: Option<&types::Spiffeid>,
    what: &'static str,
) -> Result<SpiffeId, IdFault> {
    let id = id(wire)?;
    if !id.member_of(td) {
        return Err(IdFault::Foreign(id.to_string(), td.clone()));
    }
    if id.path().is_empty() {
        return Err(IdFault::NoPath(id.to_string(), what, td.clone()));
    }
    Ok(id)
}

pub(crate) fn wire_id(id: &SpiffeId) -> types::Spiffeid {
    types::Spiffeid { trust_domain: id.trust_domain().as_str().to_owned(), path: id.path().to_owned() }
}

pub(crate) fn selectors(wire: &[types::Selector]) -> Result<Selectors, SelectorError> {
    wire.iter().map(|s| Selector::new(&s.r#type, &s.value)).collect()
}

pub(crate) fn wire_selectors(all: &Selectors) -> Vec<types::Selector> {
    all.iter().map(|s| types::Selector { r#type: s.kind().to_owned(), value: s.value().to_owned() }).collect()
}

/// SPIRE's match behaviours share their numbers between selectors and trust domains.
pub(crate) fn match_of(number: i32) -> Result<Match, String> {
    match number {
        0 => Ok(Match::Exact),
        1 => Ok(Match::Subset),
        2 => Ok(Match::Superset),
        3 => Ok(Match::Any),
        other => Err(format!(
            "unknown match behaviour {other}; use 0 (exact), 1 (subset), 2 (superset) or 3 (any)"
        )),
    }
}

/// All fields of an entry.
pub(crate) fn full_mask() -> types::EntryMask {
    types::EntryMask {
        spiffe_id: true,
        parent_id: true,
        selectors: true,
        x509_svid_ttl: true,
        federates_with: true,
        admin: true,
        downstream: true,
        expires_at: true,
        dns_names: true,
        revision_number: true,
        store_svid: true,
        jwt_svid_ttl: true,
        hint: true,
        created_at: true,
        additional_attributes: true,
    }
}

/// `base` with those fields replaced that `mask` names, each checked.
pub(crate) fn merge_entry(
    td: &TrustDomain,
    base: Entry,
    wire: &types::Entry,
    mask: &types::EntryMask,
) -> Result<Entry, String> {
    let mut entry = base;
    if mask.parent_id {
        entry.parent_id =
            member(td, wire.parent_id.as_ref()).map_err(|e| format!("invalid parent ID: {e}"))?;
    }
    if mask.spiffe_id {
        entry.spiffe_id =
            workload(td, wire.spiffe_id.as_ref()).map_err(|e| format!("invalid spiffe ID: {e}"))?;
    }
    if mask.dns_names {
        for name in &wire.dns_names {
            dns::check(name).map_err(|why| format!("invalid DNS name: \"{name}\": {why}"))?;
        }
        // The first is also the common name, so the order is the caller's; a repetition says nothing.
        entry.dns_names.clear();
        for name in wire.dns_names.iter() {
            if !entry.dns_names.contains(name) {
                entry.dns_names.push(name.clone());
            }
        }
    }
    if mask.federates_with {
        entry.federates_with = trust_domains(&wire.federates_with)
            .map_err(|e| format!("invalid federated trust domain: {e}"))?;
    }
    if mask.selectors {
        if wire.selectors.is_empty() {
            return Err("selector list is empty".to_owned());
        }
        entry.selectors = selectors(&wire.selectors).map_err(|e| e.to_string())?;
    }
    if mask.admin {
        entry.admin = wire.admin;
    }
    if mask.downstream {
        entry.downstream = wire.downstream;
    }
    if mask.expires_at {
        entry.expires_at = UnixTime::from_wire(wire.expires_at);
    }
    if mask.store_svid {
        entry.store_svid = wire.store_svid;
    }
    if mask.x509_svid_ttl {
        entry.x509_svid_ttl = wire.x509_svid_ttl;
    }
    if mask.jwt_svid_ttl {
        entry.jwt_svid_ttl = wire.jwt_svid_ttl;
    }
    if mask.hint {
        entry.hint = wire.hint.clone();
    }
    if mask.additional_attributes {
        entry.additional = wire.additional_attributes.as_ref().map(|a| AdditionalAttributes {
            disable_x509_svid_prefetch: a.disable_x509_svid_prefetch,
            jwt_svid_include_jti: a.jwt_svid_include_jti,
        });
    }
    entry.check(td).map_err(|e| e.to_string())?;
    Ok(entry)
}

/// A new entry from a request, with `id` if the request names none.
pub(crate) fn new_entry(
    td: &TrustDomain,
    wire: &types::Entry,
    id: impl FnOnce() -> String,
    now: UnixTime,
) -> Result<Entry, String> {
    let id = if wire.id.is_empty() { id() } else { wire.id.clone() };
    let nobody = td.id();
    let blank = Entry {
        id: EntryId::parse(&id).map_err(|e| e.to_string())?,
        ord: 0,
        spiffe_id: nobody.clone(),
        parent_id: nobody,
        selectors: Selectors::default(),
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
        created_at: now,
        additional: None,
    };
    merge_entry(td, blank, wire, &full_mask())
}

/// Trust domains, each by its name or by any ID in it, each once.
pub(crate) fn trust_domains(wire: &[String]) -> Result<Vec<TrustDomain>, spiffe::IdError> {
    let mut all: Vec<TrustDomain> = Vec::with_capacity(wire.len());
    for name in wire {
        let td = bundle_wire::trust_domain(name)?;
        if !all.contains(&td) {
            all.push(td);
        }
    }
    Ok(all)
}

/// An entry for the wire, with the fields that `mask` names, or all of them.
pub(crate) fn wire_entry(entry: &Entry, mask: Option<&types::EntryMask>) -> types::Entry {
    let full = full_mask();
    let mask = mask.unwrap_or(&full);
    types::Entry {
        id: entry.id.as_str().to_owned(),
        spiffe_id: mask.spiffe_id.then(|| wire_id(&entry.spiffe_id)),
        parent_id: mask.parent_id.then(|| wire_id(&entry.parent_id)),
        selectors: if mask.selectors { wire_selectors(&entry.selectors) } else { Vec::new() },
        x509_svid_ttl: if mask.x509_svid_ttl { entry.x509_svid_ttl } else { 0 },
        federates_with: match mask.federates_with {
            true => entry.federates_with.iter().map(|td| td.as_str().to_owned()).collect(),
            false => Vec::new(),
        },
        admin: mask.admin && entry.admin,
        downstream: mask.downstream && entry.downstream,
        expires_at: if mask.expires_at { entry.expires_at.map_or(0, |t| t.0) } else { 0 },
        dns_names: if mask.dns_names { entry.dns_names.clone() } else { Vec::new() },
        revision_number: if mask.revision_number { entry.revision } else { 0 },
        store_svid: mask.store_svid && entry.store_svid,
        jwt_svid_ttl: if mask.jwt_svid_ttl { entry.jwt_svid_ttl } else { 0 },
        hint: if mask.hint { entry.hint.clone() } else { String::new() },
        created_at: if mask.created_at { entry.created_at.0 } else { 0 },
        additional_attributes: entry.additional.filter(|_| mask.additional_attributes).map(|a| {
            types::entry::AdditionalAttributes {
                disable_x509_svid_prefetch: a.disable_x509_svid_prefetch,
                jwt_svid_include_jti: a.jwt_svid_include_jti,
            }
        }),
    }
}

/// An agent for the wire, with the fields that `mask` names, or all of them.
pub(crate) fn wire_agent(agent: &Agent, mask: Option<&types::AgentMask>) -> types::Agent {
    let all = types::AgentMask {
        attestation_type: true,
        x509svid_serial_number: true,
        x509svid_expires_at: true,
        selectors: true,
        banned: true,
        can_reattest: true,
        agent_version: true,
    };
    let mask = mask.unwrap_or(&all);
    types::Agent {
        id: Some(wire_id(&agent.id)),
        attestation_type: if mask.attestation_type { agent.attestation_type.clone() } else { String::new() },
        x509svid_serial_number: if mask.x509svid_serial_number {
            agent.serial.clone()
        } else {
            String::new()
        },
        x509svid_expires_at: if mask.x509svid_expires_at { agent.expires_at.0 } else { 0 },
        selectors: if mask.selectors { wire_selectors(&agent.selectors) } else { Vec::new() },
        banned: mask.banned && agent.is_banned(),
        can_reattest: mask.can_reattest && agent.can_reattest,
        agent_version: if mask.agent_version { agent.version.clone() } else { String::new() },
    }
}
