//! What the URIs in a certificate say.

use std::collections::BTreeMap;

/// The selectors in URIs of the form `x509pop://<trust domain>/<key>/<value>`: `value` by `key`. Of two with one key
/// the later counts (SPIRE 1.16).
pub(super) fn selectors<'a>(
    uris: impl Iterator<Item = &'a str>,
    trust_domain: &str,
) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for uri in uris {
        let Some(path) = path_below(uri, trust_domain) else { continue };
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let parts = percent_decoded(path);
        match parts.as_deref().map(|path| path.trim_matches('/')).and_then(|path| path.split_once('/')) {
            Some((key, value)) => {
                found.insert(key.to_owned(), value.to_owned());
            }
            None => tracing::warn!(uri, "Cannot extract x509pop san selectors from a URI"),
        }
    }
    found
}

fn path_below<'a>(uri: &'a str, trust_domain: &str) -> Option<&'a str> {
    let (scheme, rest) = uri.split_once("://")?;
    let rest = scheme.eq_ignore_ascii_case("x509pop").then_some(rest)?;
    rest.strip_prefix(trust_domain).filter(|path| path.starts_with('/'))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                bytes.push(u8::try_from(high * 16 + low).ok()?);
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(uris: &[&str]) -> Vec<(String, String)> {
        selectors(uris.iter().copied(), "example.org").into_iter().collect()
    }

    fn pair(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn the_first_segment_is_the_key_and_the_rest_the_value() {
        assert_eq!(
            found(&["x509pop://example.org/rack/7/b/", "X509POP://example.org/env/pr%6fd?x#y"]),
            [pair("env", "prod"), pair("rack", "7/b")]
        );
    }

    #[test]
    fn others_are_passed_over() {
        let others = [
            "x509pop://example.org/alone",
            "x509pop://example.org",
            "x509pop://example.organic/a/b",
            "spiffe://example.org/a/b",
            "x509pop://other.org/a/b",
            "x509pop://example.org/a/%zz",
        ];
        assert_eq!(found(&others), []);
    }

    #[test]
    fn of_two_values_the_later_counts() {
        assert_eq!(found(&["x509pop://example.org/a/1", "x509pop://example.org/a/2"]), [pair("a", "2")]);
    }
}
