//! How a token travels.

use serde_json::json;

use super::check;
use crate::format::Check;
use crate::kinds::authorization::{received, sent};
use crate::kinds::http::Channel;
use crate::topics::scene::*;

pub(super) fn checks() -> Vec<Check> {
    vec![
        carried("JWT-20", "§5.2", "over HTTP, a token travels as Authorization: Bearer"),
        carried("JWT-21", "§5.3", "over gRPC, a token travels as metadata authorization: Bearer"),
        confidential(),
    ]
}

fn carried(id: &str, section: &str, requirement: &str) -> Check {
    let token = signed(HEADER, &claims(ID));
    let expect = json!({ "token": token });
    let mut made = check(id, section, requirement);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let value = received(&format!("{scheme} {token}"));
        made = made.yields(scheme, value, expect.clone(), "the scheme may be in any case");
    }
    made.yields(
        "sent",
        sent(&token, Channel::Tls),
        json!({ "value": format!("Bearer {token}") }),
        "it is the form in which it is sent",
    )
    .refuses("no scheme", received(&token), "the scheme must be there")
    .refuses("another scheme", received(&format!("Basic {token}")), "it is not Bearer")
    .refuses("no token", received("Bearer "), "the token must be there")
    .refuses("two tokens", received(&format!("Bearer {token} {token}")), "there must be one")
    .refuses("nothing", received(""), "there is nothing")
}

fn confidential() -> Check {
    let token = signed(HEADER, &claims(ID));
    check("JWT-27", "§7.3", "a token travels where others cannot read it, but for local links")
        .accepts("TLS", sent(&token, Channel::Tls), "nobody reads it on the way")
        .accepts("a Unix socket", sent(&token, Channel::Local), "it does not leave the machine")
        .refuses("cleartext", sent(&token, Channel::Cleartext), "whoever reads it can use it")
}
