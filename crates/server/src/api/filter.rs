//! The filters of lists and counts, parsed once and then asked of each row.

use model::{Agent, Entry, Match, Selectors, UnixTime};
use proto::spire::api::server::{agent::v1 as agentv1, entry::v1 as entryv1};
use proto::spire::api::types;
use spiffe::{SpiffeId, TrustDomain};
use tonic::Status;

use super::convert;
use super::failure::invalid;

/// The filter of entries.
#[derive(Default)]
pub(crate) struct EntryFilter {
    spiffe_id: Option<SpiffeId>,
    parent_id: Option<SpiffeId>,
    selectors: Option<(Selectors, Match)>,
    federates_with: Option<(Vec<TrustDomain>, Match)>,
    hint: Option<String>,
    downstream: bool,
}

/// The two generated filters have the same fields.
macro_rules! entry_filter {
    ($td:expr, $filter:expr) => {{
        let f = $filter;
        EntryFilter {
            hint: f.by_hint.filter(|h| !h.is_empty()),
            parent_id: f
                .by_parent_id
                .map(|id| {
                    convert::member($td, Some(&id)).map_err(|e| invalid("malformed parent ID filter", e))
                })
                .transpose()?,
            spiffe_id: f
                .by_spiffe_id
                .map(|id| {
                    convert::workload($td, Some(&id)).map_err(|e| invalid("malformed SPIFFE ID filter", e))
                })
                .transpose()?,
            selectors: f
                .by_selectors
                .map(|m| selector_match(&m, "malformed selectors filter", true))
                .transpose()?,
            federates_with: f.by_federates_with.map(|m| federates_match(&m)).transpose()?,
            // SPIRE's commands always send the flag, and its server takes `false` for no filter.
            downstream: f.by_downstream == Some(true),
        }
    }};
}

impl EntryFilter {
    pub(crate) fn of_list(
        td: &TrustDomain,
        f: Option<entryv1::list_entries_request::Filter>,
    ) -> Result<Self, Status> {
        Ok(match f {
            Some(f) => entry_filter!(td, f),
            None => Self::default(),
        })
    }

    pub(crate) fn of_count(
        td: &TrustDomain,
        f: Option<entryv1::count_entries_request::Filter>,
    ) -> Result<Self, Status> {
        Ok(match f {
            Some(f) => entry_filter!(td, f),
            None => Self::default(),
        })
    }

    /// The identity asked for, by which an index finds the candidates.
    pub(crate) fn spiffe_id(&self) -> Option<&SpiffeId> {
        self.spiffe_id.as_ref()
    }

    /// The parent asked for, by which an index finds the candidates.
    pub(crate) fn parent_id(&self) -> Option<&SpiffeId> {
        self.parent_id.as_ref()
    }

    pub(crate) fn admits(&self, entry: &Entry) -> bool {
        self.spiffe_id.as_ref().is_none_or(|id| *id == entry.spiffe_id)
            && self.parent_id.as_ref().is_none_or(|id| *id == entry.parent_id)
            && self.hint.as_ref().is_none_or(|hint| *hint == entry.hint)
            && (!self.downstream || entry.downstream)
            && self.selectors.as_ref().is_none_or(|(asked, how)| entry.selectors.matches(asked, *how))
            && self
                .federates_with
                .as_ref()
                .is_none_or(|(asked, how)| federates(&entry.federates_with, asked, *how))
    }
}

fn federates(has: &[TrustDomain], asked: &[TrustDomain], how: Match) -> bool {
    let covers = |a: &[TrustDomain], b: &[TrustDomain]| b.iter().all(|td| a.contains(td));
    match how {
        Match::Exact => covers(has, asked) && covers(asked, has),
        Match::Subset => !has.is_empty() && covers(asked, has),
        Match::Superset => covers(has, asked),
        Match::Any => asked.iter().any(|td| has.contains(td)),
    }
}

/// The filter of agents.
#[derive(Default)]
pub(crate) struct AgentFilter {
    attestation_type: Option<String>,
    selectors: Option<(Selectors, Match)>,
    banned: Option<bool>,
    can_reattest: Option<bool>,
    expires_before: Option<UnixTime>,
}

macro_rules! agent_filter {
    ($filter:expr) => {{
        let f = $filter;
        AgentFilter {
            attestation_type: Some(f.by_attestation_type).filter(|t| !t.is_empty()),
            selectors: f
                .by_selector_match
                .map(|m| selector_match(&m, "failed to parse selectors", false))
                .transpose()?,
            banned: f.by_banned,
            can_reattest: f.by_can_reattest,
            expires_before: match f.by_expires_before.as_str() {
                "" => None,
                text => Some(expiry(text)?),
            },
        }
    }};
}

impl AgentFilter {
    pub(crate) fn of_list(f: Option<agentv1::list_agents_request::Filter>) -> Result<Self, Status> {
        Ok(match f {
            Some(f) => agent_filter!(f),
            None => Self::default(),
        })
    }

    pub(crate) fn of_count(f: Option<agentv1::count_agents_request::Filter>) -> Result<Self, Status> {
        Ok(match f {
            Some(f) => agent_filter!(f),
            None => Self::default(),
        })
    }

    pub(crate) fn admits(&self, agent: &Agent) -> bool {
        self.attestation_type.as_ref().is_none_or(|t| *t == agent.attestation_type)
            && self.banned.is_none_or(|flag| flag == agent.is_banned())
            && self.can_reattest.is_none_or(|flag| flag == agent.can_reattest)
            && self.expires_before.is_none_or(|end| agent.expires_at < end)
            && self.selectors.as_ref().is_none_or(|(asked, how)| agent.selectors.matches(asked, *how))
    }
}

fn selector_match(m: &types::SelectorMatch, what: &str, must: bool) -> Result<(Selectors, Match), Status> {
    let all = convert::selectors(&m.selectors).map_err(|e| invalid(what, e))?;
    if must && all.is_empty() {
        return Err(invalid(what, "empty selector set"));
    }
    Ok((all, convert::match_of(m.r#match).map_err(|e| invalid(what, e))?))
}

fn federates_match(m: &types::FederatesWithMatch) -> Result<(Vec<TrustDomain>, Match), Status> {
    let what = "malformed federates with filter";
    let all = convert::trust_domains(&m.trust_domains).map_err(|e| invalid(what, e))?;
    if all.is_empty() {
        return Err(invalid(what, "empty trust domain set"));
    }
    Ok((all, convert::match_of(m.r#match).map_err(|e| invalid(what, e))?))
}

/// `2006-01-02 15:04:05 -0700 -07`, which is how SPIRE's commands print the moment.
fn expiry(text: &str) -> Result<UnixTime, Status> {
    let format = time::macros::format_description!(
        "[year]-[month]-[day] [hour]:[minute]:[second] [offset_hour sign:mandatory][offset_minute]"
    );
    // The abbreviation at the end repeats the offset.
    let moment = text.rsplit_once(' ').map_or(text, |(moment, _)| moment);
    time::OffsetDateTime::parse(moment, &format).map(|at| UnixTime(at.unix_timestamp())).map_err(|_| {
        invalid(
            "malformed expiration filter",
            format!("\"{text}\" is not of the form 2006-01-02 15:04:05 -0700 -07"),
        )
    })
}
