//! SPIFFE_Workload_API.md: what a client makes of what it receives. The rest binds running programs.

use serde_json::json;

use super::scene::*;
use super::wit_scene::{WIT, authority, own, wit_claims};
use crate::forge::bundle::{base64, document, jwt, with, without, x509};
use crate::forge::der::{oid, sequence, tlv};
use crate::forge::jws;
use crate::forge::key::Key;
use crate::forge::keys::key;
use crate::forge::moment::NOW;
use crate::format::{Check, Input};
use crate::kinds::concatenated::{bundle, svid};
use crate::kinds::input::Bytes;
use crate::kinds::private_key::{alone, of};
use crate::kinds::svid_by_document::{Chain, Token};
use crate::kinds::{held_wit, jwt_bundle, x509_svid};

/// The checks of this topic.
pub(super) fn checks() -> Vec<Check> {
    vec![
        own_bundle(),
        x509_keys_for_x509(),
        chain_form(),
        key_form(),
        own_key(),
        bundle_form(),
        super::revocation::check(),
        keys_of_one_use(),
        jwt_keys_for_jwt(),
        bundle_of_the_subject(),
        wit_keys_for_wit(),
        key_of_the_wit(),
    ]
}

fn check(id: &str, section: &str, requirement: &str) -> Check {
    Check::new(id, &format!("SPIFFE_Workload_API.md {section}"), requirement)
}

/// Two trust domains' roots.
fn both() -> crate::kinds::input::Bundles {
    let mut both = roots("example.org", [root().self_signed()]);
    both.extend(roots("other.org", [other_root("other.org").self_signed()]));
    both
}

fn own_bundle() -> Check {
    let judged =
        |chain: Vec<u8>| x509_svid::Members { bundles: both(), ..crate::topics::scene::chain([chain]) };
    check("WAPI-14", "§4.6", "a peer is judged by the bundle of its own trust domain")
        .accepts(
            "by its own",
            judged(leaf_of("spiffe://other.org/x").signed_by(&other_root("other.org"))).into(),
            "its authority is in its bundle",
        )
        .refuses(
            "by another's",
            judged(leaf_of("spiffe://other.org/x").signed_by(&root())).into(),
            "its authority is in another bundle",
        )
        .refuses(
            "by none",
            judged(leaf_of("spiffe://third.org/x").signed_by(&root())).into(),
            "there is no bundle of its trust domain",
        )
}

fn by_x509_document(keys: &[serde_json::Value]) -> Input {
    let documents = [("example.org".to_owned(), document(keys))].into();
    Chain { chain: vec![Bytes(leaf().signed_by(&root()))], documents, now: NOW }.into()
}

fn by_jwt_document(keys: &[serde_json::Value]) -> Input {
    let documents = [("example.org".to_owned(), document(keys))].into();
    Token { token: signed(HEADER, &claims(ID)), audience: vec!["audience".to_owned()], documents, now: NOW }
        .into()
}

fn x509_keys_for_x509() -> Check {
    let named = with(x509(&root()), &[("kid", json!("k"))]);
    check("WAPI-15", "§5.2.1, §5.2.2", "X.509 bundles are for X.509-SVIDs alone")
        .accepts("an X.509-SVID", by_x509_document(&[x509(&root())]), "this is what they are for")
        .refuses("a token by the same key", by_jwt_document(&[named]), "the key is for certificates")
}

fn jwt_keys_for_jwt() -> Check {
    check("WAPI-39", "§6.2.2", "JWT bundles are for JWT-SVIDs alone")
        .accepts("a token", by_jwt_document(&[jwt("k", key("ec256-root"))]), "this is what they are for")
        .refuses(
            "a chain by the same key",
            by_x509_document(&[jwt("k", key("ec256-root"))]),
            "the key is for tokens",
        )
}

fn wit_keys_for_wit() -> Check {
    let wit = crate::forge::bundle::wit("k", key("ec256-root"));
    check("WAPI-53", "§7.2.2", "WIT bundles are for WIT-SVIDs alone")
        .yields(
            "a key for WIT-SVIDs",
            crate::kinds::bundle::document(&document(std::slice::from_ref(&wit))),
            json!({ "wit": ["k"], "jwt": [] }),
            "this is what it is for",
        )
        .refuses("a JWT-SVID by the same key", by_jwt_document(&[wit]), "the key is for WIT-SVIDs")
}

fn chain_form() -> Check {
    let chain = [leaf().signed_by(&intermediate()), intermediate().signed_by(&root())];
    let [leaf, between] = chain.clone();
    let gap = [leaf.clone(), vec![0], between.clone()];
    let pem = crate::forge::bundle::base64(&leaf).into_bytes();
    check("WAPI-18", "§5.1", "an SVID is DER certificates one after another, the leaf first")
        .yields(
            "a leaf",
            svid(std::slice::from_ref(&leaf)),
            json!({ "id": ID, "certificates": 1 }),
            "intermediates are optional",
        )
        .yields(
            "a leaf and an intermediate",
            svid(&chain),
            json!({ "id": ID, "certificates": 2 }),
            "the leaf comes first",
        )
        .accepts(
            "with the root",
            svid(&[leaf.clone(), between.clone(), root().self_signed()]),
            "the root does no harm",
        )
        .refuses("nothing", svid(&[]), "there is no leaf")
        .refuses("the authority first", svid(&[between, leaf.clone()]), "the first is no leaf")
        .refuses("a byte between", svid(&gap), "there is something between them")
        .refuses("a part", svid(&[leaf[..leaf.len() - 1].to_vec()]), "the last is not whole")
        .refuses("text", svid(&[pem]), "it is no DER")
}

fn key_form() -> Check {
    let pkcs8 = key("ec256-leaf").pkcs8();
    let parsed = json!({ "public": Bytes(key("ec256-leaf").spki()) });
    let (sec1, pkcs1) = (key("ec256-leaf").bare(), key("rsa2048-other").bare());
    let encrypted =
        sequence(&[&sequence(&[&oid("1.2.840.113549.1.5.13"), &sequence(&[])]), &tlv(4, &[&pkcs8])]);
    let text = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        crate::forge::bundle::base64(&pkcs8)
    );
    check("WAPI-19", "§5.1", "the private key is unencrypted PKCS#8 in DER")
        .yields("P-256", alone(pkcs8.clone()), parsed, "it is")
        .accepts("P-384", alone(key("ec384-leaf").pkcs8()), "it is")
        .accepts("RSA", alone(key("rsa2048-other").pkcs8()), "it is")
        .accepts("P-521", alone(key("ec521-leaf").pkcs8()), "it is")
        .refuses("SEC 1", alone(sec1), "it is the form of EC keys alone")
        .refuses("PKCS#1", alone(pkcs1), "it is the form of RSA keys alone")
        .refuses("encrypted", alone(encrypted), "it is encrypted")
        .refuses("PEM", alone(text.into_bytes()), "it is text")
        .refuses("a byte behind", alone([&pkcs8[..], &[0]].concat()), "DER has nothing behind")
        .refuses("nothing", alone(Vec::new()), "there is none")
}

fn own_key() -> Check {
    let chain = || [leaf().signed_by(&root())];
    check("WAPI-20", "§5.1", "the private key is the leaf's")
        .accepts("its own", of(key("ec256-leaf").pkcs8(), chain()), "the public halves are the same")
        .refuses("another", of(key("ec256-other").pkcs8(), chain()), "the public halves differ")
        .refuses("of another kind", of(key("rsa2048-other").pkcs8(), chain()), "the public halves differ")
}

fn bundle_form() -> Check {
    let two = [root().self_signed(), other_root("example.org").self_signed()];
    check("WAPI-22", "§5.1", "a bundle is DER certificates one after another")
        .yields("one", bundle(&two[..1]), json!({ "certificates": 1 }), "it is one")
        .yields("two", bundle(&two), json!({ "certificates": 2 }), "they are two")
        .refuses("a byte behind", bundle(&[two[0].clone(), vec![0]]), "there is something behind")
        .refuses("a part", bundle(&[two[0][..100].to_vec()]), "it is not whole")
}

fn keys_of_one_use() -> Check {
    let keys = |keys: &[serde_json::Value]| jwt_bundle::document(&json!({ "keys": keys }).to_string());
    let own = || jwt("k", key("ec256-root"));
    check("WAPI-38", "§6.2.2", "a JWT bundle is a JWK Set of keys for JWT-SVIDs, and of no others")
        .yields("keys for JWT-SVIDs", keys(&[own()]), json!({ "jwt": ["k"] }), "this is what it holds")
        .yields(
            "without a use",
            keys(&[without(own(), "use")]),
            json!({ "jwt": ["k"] }),
            "what it is for is said by where it is; SPIRE writes none",
        )
        .yields(
            "beside others",
            keys(&[
                own(),
                with(x509(&root()), &[("kid", json!("x"))]),
                crate::forge::bundle::wit("w", key("ec256-other")),
            ]),
            json!({ "jwt": ["k"], "x509": 0 }),
            "those of another use are passed over",
        )
        .refuses("no set", jwt_bundle::document("{}"), "it has no keys (RFC 7517 §5)")
        .refuses("a key alone", jwt_bundle::document(&own().to_string()), "it is no set")
        .refuses("no JSON", jwt_bundle::document("keys"), "it is no JSON")
}

fn bundle_of_the_subject() -> Check {
    let foreign = crate::kinds::jwt_svid::Members {
        token: signed(HEADER, &claims("spiffe://other.org/x")),
        audience: vec!["audience".to_owned()],
        bundles: {
            let mut both = jwt_keys("example.org", &[("k", key("ec256-root"))]);
            both.extend(jwt_keys("other.org", &[("other", key("ec256-other-root"))]));
            both
        },
        now: NOW,
    };
    check("WAPI-45", "§6.3", "the bundle is the one of the token's subject")
        .accepts("its own", token(HEADER, &claims(ID)), "the key is in its bundle")
        .refuses("another's", foreign.into(), "the key is in another bundle")
        .refuses(
            "none",
            token(HEADER, &claims("spiffe://other.org/x")),
            "there is no bundle of its trust domain",
        )
}

fn key_of_the_wit() -> Check {
    let wit = jws::token(WIT, &wit_claims().to_string(), authority());
    let text = |key: &Key| with(key.private_jwk(), &[("alg", json!("ES256"))]);
    let held = |jwk: &str| held_wit::of(&wit, jwk);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", base64(&own().pkcs8()));
    check("WAPI-49", "§7.1", "the key beside a WIT-SVID is one private JWK, and the one that it confirms")
        .accepts("its own", held(&text(own()).to_string()), "its public half is in the token")
        .refuses(
            "another",
            held(&text(key("ec256-other")).to_string()),
            "its public half is not in the token",
        )
        .refuses(
            "of another kind",
            held(&text(key("rsa2048-other")).to_string()),
            "its public half is not in the token",
        )
        .refuses("the public half", held(&own().jwk().to_string()), "nothing can be signed with it")
        .refuses("a set", held(&json!({ "keys": [text(own())] }).to_string()), "it is no key")
        .refuses("PEM", held(&pem), "it is no JWK")
        .refuses("PKCS#8", held(&base64(&own().pkcs8())), "it is no JWK")
        .refuses("nothing", held(""), "there is none")
}
