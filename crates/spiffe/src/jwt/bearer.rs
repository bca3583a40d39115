//! A JWT-SVID in the header field `Authorization` of HTTP, or the metadata of that name in gRPC (JWT-SVID §5.2, §5.3).

use super::JwtError;
use crate::jws::MAX_TOKEN;
use crate::proof::http::Channel;

/// The value of `Authorization` that carries a token.
///
/// # Errors
///
/// If whoever is on the way could read it (JWT-SVID §7.3).
pub fn authorization(token: &str, channel: Channel) -> Result<String, JwtError> {
    match channel {
        Channel::Tls | Channel::Local => Ok(format!("Bearer {token}")),
        Channel::Cleartext => Err(JwtError::Cleartext),
    }
}

/// The token that a value of `Authorization` carries; the scheme may be in any case (RFC 9110 §11.1).
///
/// # Errors
///
/// If it has another scheme, or not one token behind it.
pub fn from_authorization(value: &str) -> Result<&str, JwtError> {
    let (scheme, rest) = value.split_once(' ').ok_or(JwtError::NotBearer)?;
    let token = rest.trim_matches(' ');
    let one = !token.is_empty() && token.len() <= MAX_TOKEN && token.bytes().all(|b| b.is_ascii_graphic());
    match scheme.eq_ignore_ascii_case("bearer") && one {
        true => Ok(token),
        false => Err(JwtError::NotBearer),
    }
}
