//! Names of new keys, of JWT-SVIDs and of WIT-SVIDs alike.

use super::error::AuthorityError;

/// 32 random letters and digits (SPIRE 1.16).
pub(super) fn key_id() -> Result<String, AuthorityError> {
    const LETTERS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut id = String::with_capacity(32);
    while id.len() < 32 {
        let mut bytes = [0u8; 64];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| AuthorityError::Random)?;
        // Six bits choose among 64; the two that name no letter are drawn again, so that all are equally likely.
        let drawn =
            bytes.iter().filter_map(|byte| LETTERS.get(usize::from(byte & 63))).map(|b| char::from(*b));
        id.extend(drawn.take(32 - id.len()));
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_ids_are_letters_and_digits_and_differ() {
        let (one, other) = (key_id().unwrap(), key_id().unwrap());
        assert!(one.len() == 32 && one.bytes().all(|b| b.is_ascii_alphanumeric()), "{one}");
        assert_ne!(one, other);
    }
}
