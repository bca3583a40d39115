//! The flags that choose agents.

use kit::flags::{Flag, Values};
use proto::spire::api::types::SelectorMatch;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::fault::Fault;
use crate::parse;

pub(super) const FLAGS: &[Flag] = &[
    Flag::list("selector", "A selector that the agents have, as type:value; may stand several times"),
    Flag::choice(
        "matchSelectorsOn",
        parse::MATCHES,
        "How -selector is compared: exact, any, superset or subset",
    ),
    Flag::text("attestationType", "How the agents were attested, such as join_token or x509pop"),
    Flag::text("canReattest", "true: those that can attest again, false: those that cannot, else: all")
        .offering(&["true", "false"]),
    Flag::text("banned", "true: those that are banned, false: those that are not, else: all")
        .offering(&["true", "false"]),
    Flag::text(
        "expiresBefore",
        "When the agents' SVIDs expire at the latest, as in \"2006-01-02 15:04:05 -0700 -07\"",
    ),
];

/// What the flags choose.
#[derive(Debug, PartialEq)]
pub(super) struct Chosen {
    pub(super) by_attestation_type: String,
    pub(super) by_selector_match: Option<SelectorMatch>,
    pub(super) by_banned: Option<bool>,
    pub(super) by_can_reattest: Option<bool>,
    pub(super) by_expires_before: String,
}

pub(super) fn chosen(values: &Values) -> Result<Chosen, Fault> {
    Ok(Chosen {
        by_attestation_type: values.text("attestationType").to_owned(),
        by_selector_match: parse::selector_filter(values.list("selector"), values.text("matchSelectorsOn"))?,
        by_banned: tristate(values.text("banned")),
        by_can_reattest: tristate(values.text("canReattest")),
        by_expires_before: date(values.text("expiresBefore"))?,
    })
}

fn tristate(text: &str) -> Option<bool> {
    text.parse().ok()
}

/// Checks a date in the form that the API wants, and passes it on as it is.
fn date(text: &str) -> Result<String, Fault> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let invalid = |cause: String| Fault::Invalid { what: "date", value: text.to_owned(), cause };
    // The zone stands there twice, the second time in short: `-0700 -07`, or `+0000 +00`.
    let (stamp, short) = text
        .rsplit_once(' ')
        .ok_or_else(|| invalid("write it as in \"2006-01-02 15:04:05 -0700 -07\"".to_owned()))?;
    let form = format_description!(
        "[year]-[month]-[day] [hour]:[minute]:[second] [offset_hour sign:mandatory][offset_minute]"
    );
    let parsed = OffsetDateTime::parse(stamp, form)
        .map_err(|e| invalid(format!("{e}; write it as in \"2006-01-02 15:04:05 -0700 -07\"")))?;
    let hours = parsed.offset().whole_hours();
    if short != format!("{hours:+03}") {
        return Err(invalid(format!("the zone at its end must be {hours:+03}, as before")));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_checked_and_passed_on() {
        for text in [
            "2006-01-02 15:04:05 -0700 -07",
            "2030-12-31 00:00:00 +0000 +00",
            "2030-01-01 00:00:00 +0530 +05",
        ] {
            assert_eq!(date(text).unwrap(), text);
        }
        assert_eq!(date("").unwrap(), "");
    }

    #[test]
    fn a_wrong_date_is_explained() {
        for text in
            ["2001-13-05", "2001-13-05 00:00:00 +0000 +00", "2006-01-02 15:04:05 -0700 -08", "tomorrow"]
        {
            let fault = date(text).unwrap_err().to_string();
            assert!(fault.starts_with(&format!("date {text:?} is not valid: ")), "{fault}");
        }
    }

    #[test]
    fn anything_but_true_and_false_means_all() {
        assert_eq!(
            (tristate("true"), tristate("false"), tristate("perhaps")),
            (Some(true), Some(false), None)
        );
    }
}
