//! What the records of each method say. A method that is not named here has one record without further fields.

use prost::Message;
use proto::spire::api::server::agent::v1 as agent;
use proto::spire::api::server::bundle::v1 as bundle;
use proto::spire::api::server::entry::v1 as entry;
use proto::spire::api::server::localauthority::v1 as authority;
use proto::spire::api::server::logger::v1 as logger;
use proto::spire::api::server::svid::v1 as svid;
use proto::spire::api::server::trustdomain::v1 as domain;

use super::details::{self, Details, Outcome, hash, id, number, outcome, selectors, text};

/// One record a call, or one an item. What cannot be read is left out: it was refused as malformed.
pub(super) fn of(method: &str, request: &[u8], response: &[u8]) -> Vec<Details> {
    let (service, name) = method.rsplit_once('/').unwrap_or_default();
    let found = match service.rsplit('.').next().unwrap_or_default() {
        "Entry" => entries(name, request, response),
        "Agent" => agents(name, request, response),
        "Bundle" => bundles(name, request, response),
        "SVID" => svids(name, request, response),
        "TrustDomain" => relationships(name, request, response),
        "LocalAuthority" => authorities(name, request),
        "Logger" => levels(name, request),
        _ => None,
    };
    found.filter(|found| !found.is_empty()).unwrap_or_else(|| vec![Details::default()])
}

fn read<M: Message + Default>(bytes: &[u8]) -> Option<M> {
    M::decode(bytes).ok()
}

/// Items with the outcomes that belong to them. Without outcomes the call failed as a whole, and has one record.
fn with(items: impl Iterator<Item = Details>, outcomes: Vec<Outcome>) -> Vec<Details> {
    items.zip(outcomes).map(|(item, outcome)| Details { outcome, ..item }).collect()
}

fn one(details: Details) -> Option<Vec<Details>> {
    Some(vec![details])
}

fn entries(name: &str, request: &[u8], response: &[u8]) -> Option<Vec<Details>> {
    match name {
        "BatchCreateEntry" => {
            let asked: entry::BatchCreateEntryRequest = read(request)?;
            let told: entry::BatchCreateEntryResponse = read(response)?;
            let made = told.results.iter().map(|it| it.entry.as_ref().map(|entry| entry.id.clone()));
            let items = asked.entries.iter().zip(made).map(|(asked, made)| {
                let details = details::entry(asked);
                Details { entry_id: details.entry_id.or(made), ..details }
            });
            Some(with(items, told.results.iter().map(|it| outcome(it.status.as_ref())).collect()))
        }
        "BatchUpdateEntry" => {
            let asked: entry::BatchUpdateEntryRequest = read(request)?;
            let told: entry::BatchUpdateEntryResponse = read(response)?;
            let outcomes = told.results.iter().map(|it| outcome(it.status.as_ref())).collect();
            Some(with(asked.entries.iter().map(details::entry), outcomes))
        }
        "BatchDeleteEntry" => {
            let asked: entry::BatchDeleteEntryRequest = read(request)?;
            let told: entry::BatchDeleteEntryResponse = read(response)?;
            let items = asked.ids.iter().map(|id| Details { entry_id: text(id), ..Details::default() });
            Some(with(items, told.results.iter().map(|it| outcome(it.status.as_ref())).collect()))
        }
        "GetEntry" => {
            let asked: entry::GetEntryRequest = read(request)?;
            one(Details { entry_id: text(&asked.id), ..Details::default() })
        }
        "ListEntries" => {
            let filter = read::<entry::ListEntriesRequest>(request)?.filter.unwrap_or_default();
            one(Details {
                spiffe_id: id(filter.by_spiffe_id.as_ref()),
                parent_id: id(filter.by_parent_id.as_ref()),
                selectors: filter.by_selectors.as_ref().and_then(|by| selectors(&by.selectors)),
                hint: filter.by_hint.as_deref().and_then(text),
                ..Details::default()
            })
        }
        _ => None,
    }
}

fn agents(name: &str, request: &[u8], response: &[u8]) -> Option<Vec<Details>> {
    let named = |agent_id: Option<String>| one(Details { spiffe_id: agent_id, ..Details::default() });
    match name {
        "GetAgent" => named(id(read::<agent::GetAgentRequest>(request)?.id.as_ref())),
        "DeleteAgent" => named(id(read::<agent::DeleteAgentRequest>(request)?.id.as_ref())),
        "BanAgent" => named(id(read::<agent::BanAgentRequest>(request)?.id.as_ref())),
        "ListAgents" => {
            let filter = read::<agent::ListAgentsRequest>(request)?.filter.unwrap_or_default();
            one(Details {
                node_attestor_type: text(&filter.by_attestation_type),
                selectors: filter.by_selector_match.as_ref().and_then(|by| selectors(&by.selectors)),
                by_banned: filter.by_banned.map(|by| by.to_string()),
                by_can_reattest: filter.by_can_reattest.map(|by| by.to_string()),
                ..Details::default()
            })
        }
        "AttestAgent" => {
            let asked: agent::AttestAgentRequest = read(request)?;
            let Some(agent::attest_agent_request::Step::Params(params)) = asked.step else { return None };
            let told = read::<agent::AttestAgentResponse>(response).and_then(|told| told.step);
            let attested = match told {
                Some(agent::attest_agent_response::Step::Result(result)) => {
                    result.svid.and_then(|svid| id(svid.id.as_ref()))
                }
                _ => None,
            };
            one(Details {
                node_attestor_type: params.data.and_then(|data| text(&data.r#type)),
                csr: params.params.and_then(|params| hash(&params.csr)),
                agent_id: attested,
                ..Details::default()
            })
        }
        "RenewAgent" => {
            let params = read::<agent::RenewAgentRequest>(request)?.params;
            one(Details { csr: params.and_then(|params| hash(&params.csr)), ..Details::default() })
        }
        "CreateJoinToken" => {
            let asked: agent::CreateJoinTokenRequest = read(request)?;
            one(Details {
                spiffe_id: id(asked.agent_id.as_ref()),
                ttl: number(asked.ttl),
                ..Details::default()
            })
        }
        "PostStatus" => {
            let asked: agent::PostStatusRequest = read(request)?;
            one(Details { agent_version: text(&asked.agent_version), ..Details::default() })
        }
        _ => None,
    }
}

fn bundles(name: &str, request: &[u8], response: &[u8]) -> Option<Vec<Details>> {
    let domain = |name: &str| Details { trust_domain_id: text(name), ..Details::default() };
    let outcomes = |told: Vec<Option<proto::spire::api::types::Status>>| -> Vec<Outcome> {
        told.iter().map(|status| outcome(status.as_ref())).collect()
    };
    match name {
        "GetFederatedBundle" => {
            one(domain(&read::<bundle::GetFederatedBundleRequest>(request)?.trust_domain))
        }
        "BatchCreateFederatedBundle" => {
            let asked: bundle::BatchCreateFederatedBundleRequest = read(request)?;
            let told: bundle::BatchCreateFederatedBundleResponse = read(response)?;
            let told = outcomes(told.results.into_iter().map(|it| it.status).collect());
            Some(with(asked.bundle.iter().map(|bundle| domain(&bundle.trust_domain)), told))
        }
        "BatchUpdateFederatedBundle" => {
            let asked: bundle::BatchUpdateFederatedBundleRequest = read(request)?;
            let told: bundle::BatchUpdateFederatedBundleResponse = read(response)?;
            let told = outcomes(told.results.into_iter().map(|it| it.status).collect());
            Some(with(asked.bundle.iter().map(|bundle| domain(&bundle.trust_domain)), told))
        }
        "BatchSetFederatedBundle" => {
            let asked: bundle::BatchSetFederatedBundleRequest = read(request)?;
            let told: bundle::BatchSetFederatedBundleResponse = read(response)?;
            let told = outcomes(told.results.into_iter().map(|it| it.status).collect());
            Some(with(asked.bundle.iter().map(|bundle| domain(&bundle.trust_domain)), told))
        }
        "BatchDeleteFederatedBundle" => {
            let asked: bundle::BatchDeleteFederatedBundleRequest = read(request)?;
            let told: bundle::BatchDeleteFederatedBundleResponse = read(response)?;
            let mode = asked.mode().as_str_name().to_owned();
            let told = outcomes(told.results.into_iter().map(|it| it.status).collect());
            let items =
                asked.trust_domains.iter().map(|td| Details { mode: Some(mode.clone()), ..domain(td) });
            Some(with(items, told))
        }
        "PublishJWTAuthority" => {
            let asked: bundle::PublishJwtAuthorityRequest = read(request)?;
            let key = asked.jwt_authority.and_then(|key| text(&key.key_id));
            one(Details { jwt_authority_key_id: key, ..Details::default() })
        }
        _ => None,
    }
}

fn svids(name: &str, request: &[u8], response: &[u8]) -> Option<Vec<Details>> {
    match name {
        "MintX509SVID" => {
            let asked: svid::MintX509svidRequest = read(request)?;
            let made = read::<svid::MintX509svidResponse>(response).and_then(|told| told.svid);
            one(Details {
                csr: hash(&asked.csr),
                ttl: number(asked.ttl),
                spiffe_id: made.and_then(|svid| id(svid.id.as_ref())),
                ..Details::default()
            })
        }
        "MintJWTSVID" => {
            let asked: svid::MintJwtsvidRequest = read(request)?;
            one(Details {
                spiffe_id: id(asked.id.as_ref()),
                audience: text(&asked.audience.join(",")),
                ttl: number(asked.ttl),
                ..Details::default()
            })
        }
        "MintWITSVID" => {
            let asked: svid::MintWitsvidRequest = read(request)?;
            one(Details { spiffe_id: id(asked.id.as_ref()), ttl: number(asked.ttl), ..Details::default() })
        }
        "BatchNewWITSVID" => {
            let asked: svid::BatchNewWitsvidRequest = read(request)?;
            let told: svid::BatchNewWitsvidResponse = read(response)?;
            let items = asked.params.iter().zip(&told.results).map(|(asked, told)| Details {
                entry_id: text(&asked.entry_id),
                spiffe_id: told.svid.as_ref().and_then(|svid| id(svid.id.as_ref())),
                ..Details::default()
            });
            Some(with(items, told.results.iter().map(|it| outcome(it.status.as_ref())).collect()))
        }
        "BatchNewX509SVID" => {
            let asked: svid::BatchNewX509svidRequest = read(request)?;
            let told: svid::BatchNewX509svidResponse = read(response)?;
            let items = asked.params.iter().zip(&told.results).map(|(asked, told)| Details {
                entry_id: text(&asked.entry_id),
                csr: hash(&asked.csr),
                spiffe_id: told.svid.as_ref().and_then(|svid| id(svid.id.as_ref())),
                ..Details::default()
            });
            Some(with(items, told.results.iter().map(|it| outcome(it.status.as_ref())).collect()))
        }
        "NewJWTSVID" => {
            let asked: svid::NewJwtsvidRequest = read(request)?;
            one(Details {
                entry_id: text(&asked.entry_id),
                audience: text(&asked.audience.join(",")),
                ..Details::default()
            })
        }
        "NewDownstreamX509CA" => {
            let asked: svid::NewDownstreamX509caRequest = read(request)?;
            one(Details { csr: hash(&asked.csr), ..Details::default() })
        }
        _ => None,
    }
}

fn relationships(name: &str, request: &[u8], response: &[u8]) -> Option<Vec<Details>> {
    let domain = |name: &str| Details { trust_domain_id: text(name), ..Details::default() };
    match name {
        "GetFederationRelationship" => {
            one(domain(&read::<domain::GetFederationRelationshipRequest>(request)?.trust_domain))
        }
        "RefreshBundle" => one(domain(&read::<domain::RefreshBundleRequest>(request)?.trust_domain)),
        "BatchCreateFederationRelationship" => {
            let asked: domain::BatchCreateFederationRelationshipRequest = read(request)?;
            let told: domain::BatchCreateFederationRelationshipResponse = read(response)?;
            let outcomes = told.results.iter().map(|it| outcome(it.status.as_ref())).collect();
            Some(with(asked.federation_relationships.iter().map(details::relationship), outcomes))
        }
        "BatchUpdateFederationRelationship" => {
            let asked: domain::BatchUpdateFederationRelationshipRequest = read(request)?;
            let told: domain::BatchUpdateFederationRelationshipResponse = read(response)?;
            let outcomes = told.results.iter().map(|it| outcome(it.status.as_ref())).collect();
            Some(with(asked.federation_relationships.iter().map(details::relationship), outcomes))
        }
        "BatchDeleteFederationRelationship" => {
            let asked: domain::BatchDeleteFederationRelationshipRequest = read(request)?;
            let told: domain::BatchDeleteFederationRelationshipResponse = read(response)?;
            let outcomes = told.results.iter().map(|it| outcome(it.status.as_ref())).collect();
            Some(with(asked.trust_domains.iter().map(|td| domain(td)), outcomes))
        }
        _ => None,
    }
}

fn authorities(name: &str, request: &[u8]) -> Option<Vec<Details>> {
    // All of these have the one field, with the same number.
    let named: authority::TaintX509AuthorityRequest = read(request)?;
    let named = text(&named.authority_id);
    one(match name.contains("Upstream") {
        true => Details { subject_key_id: named, ..Details::default() },
        false => Details { local_authority_id: named, ..Details::default() },
    })
}

fn levels(name: &str, request: &[u8]) -> Option<Vec<Details>> {
    match name {
        "SetLogLevel" => {
            let asked: logger::SetLogLevelRequest = read(request)?;
            one(Details {
                new_log_level: Some(asked.new_level().as_str_name().to_owned()),
                ..Details::default()
            })
        }
        _ => None,
    }
}
