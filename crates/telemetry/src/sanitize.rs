//! Characters that every monitoring system takes (SPIRE 1.16).

/// Runs of other characters than ASCII letters, digits and `_`, with an `_` that follows them, become one `_`.
pub(crate) fn sanitize(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if plain(letter) {
            out.push(letter);
            continue;
        }
        while letters.next_if(|next| !plain(*next)).is_some() {}
        let _ = letters.next_if_eq(&'_');
        out.push('_');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_plain_becomes_one_underscore() {
        for (given, wanted) in [
            ("example.org", "example_org"),
            ("spiffe://a/b", "spiffe_a_b"),
            ("a.__b", "a__b"),
            ("a._b", "a_b"),
            ("ä", "_"),
            ("", ""),
            ("already_fine_1", "already_fine_1"),
        ] {
            assert_eq!(sanitize(given), wanted, "{given}");
        }
    }
}
