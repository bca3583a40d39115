//! Client certificates that prove nothing.

use std::error::Error as _;
use std::time::{SystemTime, UNIX_EPOCH};

use conformance::forge::certificate::{Certificate, key_id};
use conformance::forge::extension::uris;
use conformance::forge::key::Key;
use conformance::forge::keys::key;
use spiffe::key::PrivateKey;

use super::callers::{Callers, authority, id_of};
use super::wire::{Shown, call, over_tls, reachable};

const HOUR: i64 = 3600;
const OPEN: &str = "/spire.api.server.bundle.v1.Bundle/GetBundle";

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed()
}

/// A leaf for `id` that would be believed if the right authority signed it.
fn leaf(id: &str) -> Certificate {
    Certificate::leaf(id, key("ec256-leaf")).valid(now() - HOUR, now() + HOUR)
}

fn shown(chain: Vec<Vec<u8>>) -> Shown {
    Shown { chain, key: key("ec256-leaf").pkcs8() }
}

fn forge_key(key: &PrivateKey) -> Key {
    Key::from_jwk(&spiffe::jwk::to_private_jwk(key, None).unwrap()).unwrap()
}

/// Not even an open method can be called with one.
pub(crate) async fn are_turned_away(callers: &Callers) {
    let domain = callers.domain();
    let (authority, private) = authority(domain);
    let (name, private) = (authority.subject_der().to_vec(), forge_key(&private));
    let sign = |leaf: &Certificate| leaf.sign(&name, &private, Some(&key_id(&private)));
    let (admin, other) = ("spiffe://example.org/admin", "spiffe://example.org/workload");

    // The forge is good: the same certificate under the real authority is let in.
    let good = over_tls(callers.port(), Some(shown(vec![sign(&leaf(admin))])));
    call(&good, OPEN).await.unwrap();
    call(&good, "/spire.api.server.agent.v1.Agent/ListAgents").await.unwrap();

    let twin = Certificate::authority("twin", "example.org", key("ec256-other-root"))
        .valid(now() - HOUR, now() + HOUR)
        .named(name.clone());
    let agent_key = forge_key(&PrivateKey::from_pkcs8(&callers.agent.key).unwrap());
    let agent = spiffe::x509::Certificate::parse(callers.agent.chain[0].clone()).unwrap();
    assert!(id_of(&callers.agent).contains("/spire/agent/"));
    let by_leaf = leaf(admin).sign(agent.subject_der(), &agent_key, Some(&key_id(&agent_key)));
    let without_uri = leaf(admin).without("2.5.29.17");
    let cases: [(&str, Vec<Vec<u8>>); 10] = [
        ("signed by itself", vec![leaf(admin).self_signed()]),
        (
            "signed by another authority of the same name",
            vec![leaf(admin).signed_by(&twin), twin.self_signed()],
        ),
        ("signed by a leaf", vec![by_leaf, callers.agent.chain[0].clone()]),
        ("ended", vec![sign(&leaf(admin).valid(now() - 2 * HOUR, now() - HOUR))]),
        ("not begun", vec![sign(&leaf(admin).valid(now() + HOUR, now() + 2 * HOUR))]),
        ("of two IDs", vec![sign(&leaf(admin).extended([uris(&[admin, other])]))]),
        ("of no ID", vec![sign(&without_uri)]),
        ("of something that is no SPIFFE ID", vec![sign(&leaf("https://example.org/admin"))]),
        ("of an unknown trust domain", vec![sign(&leaf("spiffe://unknown.test/admin"))]),
        ("of the foreign trust domain, signed here", vec![sign(&leaf("spiffe://foreign.test/admin"))]),
    ];
    for (what, chain) in cases {
        turned_away(callers, what, shown(chain)).await;
    }
    turned_away(callers, "of a foreign trust domain's ordinary member", callers.foreigner.clone()).await;
    assert!(reachable(&domain.peek_server().socket()).await);
    call(&over_tls(callers.port(), None), OPEN).await.unwrap();
}

async fn turned_away(callers: &Callers, what: &str, shown: Shown) {
    let status = call(&over_tls(callers.port(), Some(shown)), OPEN).await;
    let status = status.expect_err(what);
    // The connection broke: no answer of the server's is behind it.
    let broken = status.source().is_some() || status.message().contains("transport error");
    assert!(broken, "a certificate {what}: {status:?}");
}
