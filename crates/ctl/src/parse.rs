//! Values of flags, turned into messages.

use proto::spire::api::types::{FederatesWithMatch, Selector, SelectorMatch, Spiffeid};
use proto::spire::api::types::{federates_with_match, selector_match};
use spiffe::{SpiffeId, TrustDomain};

use crate::fault::Fault;

/// The words for how a filter's list is compared, the default first.
pub(crate) const MATCHES: &[&str] = &["superset", "exact", "any", "subset"];

/// A SPIFFE ID.
pub(crate) fn id(what: &'static str, text: &str) -> Result<SpiffeId, Fault> {
    SpiffeId::parse(text).map_err(|e| Fault::Invalid { what, value: text.to_owned(), cause: e.to_string() })
}

/// A SPIFFE ID that may be left out.
pub(crate) fn maybe_id(what: &'static str, text: Option<&str>) -> Result<Option<Spiffeid>, Fault> {
    text.map(|text| id(what, text).map(|id| message(&id))).transpose()
}

/// A SPIFFE ID as it travels.
pub(crate) fn message(id: &SpiffeId) -> Spiffeid {
    Spiffeid { trust_domain: id.trust_domain().as_str().to_owned(), path: id.path().to_owned() }
}

/// A trust domain, by its name or by its SPIFFE ID.
pub(crate) fn trust_domain(text: &str) -> Result<TrustDomain, Fault> {
    let invalid = |cause: String| Fault::Invalid { what: "trust domain", value: text.to_owned(), cause };
    if text.starts_with("spiffe://") {
        return SpiffeId::parse(text).map(|id| id.trust_domain()).map_err(|e| invalid(e.to_string()));
    }
    TrustDomain::parse(text).map_err(|e| invalid(e.to_string()))
}

/// `type:value`; the value may hold further colons.
pub(crate) fn selector(text: &str) -> Result<Selector, Fault> {
    let (kind, value) = text.split_once(':').ok_or_else(|| Fault::Invalid {
        what: "selector",
        value: text.to_owned(),
        cause: "it must be formatted as type:value, as in unix:uid:1000".to_owned(),
    })?;
    Ok(Selector { r#type: kind.to_owned(), value: value.to_owned() })
}

/// Several selectors.
pub(crate) fn selectors(texts: &[String]) -> Result<Vec<Selector>, Fault> {
    texts.iter().map(|text| selector(text)).collect()
}

/// A filter by selectors, where there are any.
pub(crate) fn selector_filter(texts: &[String], behaviour: &str) -> Result<Option<SelectorMatch>, Fault> {
    use selector_match::MatchBehavior::{MatchAny, MatchExact, MatchSubset, MatchSuperset};
    let r#match = match behaviour {
        "exact" => MatchExact,
        "any" => MatchAny,
        "subset" => MatchSubset,
        _ => MatchSuperset,
    };
    let selectors = selectors(texts)?;
    Ok((!selectors.is_empty()).then_some(SelectorMatch { selectors, r#match: r#match.into() }))
}

/// A filter by federated trust domains, where there are any.
pub(crate) fn federation_filter(trust_domains: &[String], behaviour: &str) -> Option<FederatesWithMatch> {
    use federates_with_match::MatchBehavior::{MatchAny, MatchExact, MatchSubset, MatchSuperset};
    let r#match = match behaviour {
        "exact" => MatchExact,
        "any" => MatchAny,
        "subset" => MatchSubset,
        _ => MatchSuperset,
    };
    let trust_domains = trust_domains.to_vec();
    (!trust_domains.is_empty()).then_some(FederatesWithMatch { trust_domains, r#match: r#match.into() })
}

/// A number of seconds for a message.
pub(crate) fn seconds(what: &'static str, number: i64) -> Result<i32, Fault> {
    i32::try_from(number).map_err(|_| Fault::Invalid {
        what,
        value: number.to_string(),
        cause: "it must lie between 0 and 2147483647 seconds".to_owned(),
    })
}

/// A duration in whole seconds for a message, rounded up.
pub(crate) fn whole_seconds(what: &'static str, duration: std::time::Duration) -> Result<i32, Fault> {
    let seconds_up = duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0));
    seconds(what, i64::try_from(seconds_up).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_selector_is_cut_at_its_first_colon() {
        let selector = selector("k8s:ns:a").unwrap();
        assert_eq!((selector.r#type.as_str(), selector.value.as_str()), ("k8s", "ns:a"));
    }

    #[test]
    fn a_selector_without_colon_is_explained() {
        let fault = selector("unix").unwrap_err();
        assert_eq!(
            fault.to_string(),
            "selector \"unix\" is not valid: it must be formatted as type:value, as in unix:uid:1000"
        );
    }

    #[test]
    fn a_trust_domain_is_a_name_or_an_id() {
        assert_eq!(trust_domain("example.org").unwrap().as_str(), "example.org");
        assert_eq!(trust_domain("spiffe://example.org").unwrap().as_str(), "example.org");
        assert!(trust_domain("https://example.org").is_err());
    }

    #[test]
    fn seconds_are_rounded_up_and_bounded() {
        assert_eq!(whole_seconds("TTL", Duration::from_millis(1500)).unwrap(), 2);
        assert_eq!(whole_seconds("TTL", Duration::from_secs(3600)).unwrap(), 3600);
        assert!(whole_seconds("TTL", Duration::from_secs(1 << 40)).is_err());
        assert!(seconds("TTL", 1 << 31).is_err());
    }
}
