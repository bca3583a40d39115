//! What the log may say of a caller.

use model::Selectors;

/// The selectors whose printed form is one of these prefixes or continues it after a colon; nothing without prefixes.
pub(super) fn loggable(selectors: &Selectors, prefixes: &[String]) -> Option<String> {
    let may = |text: &String| {
        prefixes.iter().any(|prefix| {
            text.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        })
    };
    let mut texts: Vec<String> = selectors.iter().map(ToString::to_string).filter(may).collect();
    texts.sort_unstable();
    (!texts.is_empty()).then(|| texts.join(","))
}

#[cfg(test)]
mod tests {
    use model::Selector;

    use super::*;

    #[test]
    fn only_selectors_that_are_named_are_logged() {
        let selectors: Selectors = ["unix:uid:1", "unix:uidx:1", "k8s:ns:a"]
            .map(|s| Selector::parse(s).unwrap())
            .into_iter()
            .collect();
        assert_eq!(loggable(&selectors, &[]), None);
        assert_eq!(
            loggable(&selectors, &["unix:uid".to_owned(), "k8s".to_owned()]).as_deref(),
            Some("k8s:ns:a,unix:uid:1")
        );
    }
}
