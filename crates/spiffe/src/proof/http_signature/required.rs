//! What a signature must cover (draft-ietf-wimse-http-signature §3).

use super::CONTENT_DIGEST;
use super::component::Component;
use crate::proof::WIT_FIELD;
use crate::proof::http::Fields;

/// Of a request: the method, the target, and these fields where they are.
pub(super) fn of_request(fields: Fields<'_>) -> Vec<Component> {
    let names = ["Content-Type", CONTENT_DIGEST, "Authorization", "Txn-Token", WIT_FIELD];
    let fields = names.into_iter().filter(|name| fields.has(name));
    ["@method", "@request-target"].into_iter().chain(fields).map(Component::own).collect()
}

/// Of a response: the status, method and target of its request, the token, and what says how to read the body.
pub(super) fn of_response(fields: Fields<'_>) -> Vec<Component> {
    let mut all = vec![
        Component::own("@status"),
        Component::of_request("@method"),
        Component::of_request("@request-target"),
    ];
    let names = ["Content-Type", CONTENT_DIGEST].into_iter().filter(|name| fields.has(name));
    all.extend(names.map(Component::own));
    all.push(Component::own(WIT_FIELD));
    all
}
