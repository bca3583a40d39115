//! WIT-SVID §5, §7 and the drafts of the WIMSE group that it builds on: Workload Proof Tokens.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use spiffe::bundle::Bundle;
use spiffe::jwk;
use spiffe::key::{KeyType, PrivateKey, SigAlg, Signer};
use spiffe::proof::http::{Channel, HeaderError, Request};
use spiffe::proof::wpt::{WptBinding, WptProver, WptVerifier};
use spiffe::proof::{
    Answer, Audiences, DangerAcceptReplays, HeldError, HeldWit, ProofError, ProofVerifier, ProvenWit, Prover,
    ReplayError, ReplayMemory, authenticate,
};
use spiffe::wit::{ConfirmationKey, Lifespan, WitClaims, WitError, WitIssuer};

use super::forge::*;

const TARGET: &str = "/orders?all";
const AUDIENCE: &str = "https://shop.example.org/orders";

/// A client with its WIT-SVID, and who believes it.
struct World {
    key: Arc<PrivateKey>,
    wit: String,
    bundle: Bundle,
}

impl World {
    fn new() -> Self {
        Self::on(KeyType::EcP256, None)
    }

    fn on(key_type: KeyType, alg: Option<SigAlg>) -> Self {
        let key = match key_type {
            KeyType::Rsa2048 => Arc::new(PrivateKey::from_pkcs8(&rsa().to_pkcs8()).unwrap()),
            other => Arc::new(PrivateKey::generate(other).unwrap()),
        };
        let issuer = WitIssuer::new(td(), Arc::new(authority_key())).unwrap();
        let mut bundle = Bundle::new(td());
        bundle.push_wit(issuer.authority()).unwrap();
        let public = key.public().clone();
        let confirmation = match alg {
            Some(alg) => ConfirmationKey::new(public, alg),
            None => ConfirmationKey::usual(public),
        };
        let claims = WitClaims {
            subject: id("/web"),
            confirmation: confirmation.unwrap(),
            expires_at: now() + HOUR,
            not_before: None,
            issued_at: None,
            issuer: None,
            jti: None,
        };
        Self { wit: issuer.issue(&claims).unwrap(), key, bundle }
    }

    fn held(&self) -> HeldWit {
        HeldWit::new(&self.wit, self.key.clone()).unwrap()
    }

    fn verifier(binding: WptBinding) -> WptVerifier {
        let audiences = Audiences::default().origin("https://shop.example.org").unwrap();
        WptVerifier::new(binding, audiences, Arc::new(DangerAcceptReplays))
    }

    fn judged(&self, binding: WptBinding, fields: &[(&str, &str)]) -> Result<ProvenWit, ProofError> {
        let verifier = Self::verifier(binding);
        authenticate(&get(fields), &self.bundle, Lifespan::AsIssued, &verifier, now())
    }

    /// A proof of any kind, well signed, in a request with those fields.
    fn proof_judged(&self, claims: &Value, more: &[(&str, &str)]) -> Result<ProvenWit, ProofError> {
        let proof = self.proof(&json!({ "alg": "ES256", "typ": "wpt+jwt" }), claims);
        let fields =
            [&[("workload-identity-token", &*self.wit), ("workload-proof-token", &*proof)], more].concat();
        self.judged(WptBinding::ProofTokenField, &fields)
    }

    fn proof(&self, header: &Value, claims: &Value) -> String {
        jws(header, claims, &self.key)
    }

    fn claims(&self) -> Value {
        json!({ "aud": AUDIENCE, "exp": 1_800_000_060, "jti": "once", "wth": hash(&self.wit) })
    }
}

fn authority_key() -> PrivateKey {
    key()
}

fn get<'a>(fields: &'a [(&'a str, &'a str)]) -> Request<'a> {
    Request { method: "GET", target: TARGET, fields, body: b"", channel: Channel::Tls }
}

fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes()))
}

/// A token on P-256 with any header and claims.
fn jws(header: &Value, claims: &Value, key: &PrivateKey) -> String {
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let pair = aws_lc_rs::signature::EcdsaKeyPair::from_pkcs8(
        &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        &key.to_pkcs8(),
    )
    .unwrap();
    let signature = pair.sign(&aws_lc_rs::rand::SystemRandom::new(), signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn borrowed<'a>(fields: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    fields.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[test]
fn a_proof_by_any_of_the_nine_algorithms_says_who_sent_a_request() {
    for name in ["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
        let alg = SigAlg::from_jws(name).unwrap();
        let key_type = match name {
            "ES256" => KeyType::EcP256,
            "ES384" => KeyType::EcP384,
            "ES512" => KeyType::EcP521,
            _ => KeyType::Rsa2048,
        };
        let world = World::on(key_type, Some(alg));
        for binding in [WptBinding::ProofTokenField, WptBinding::Authorization] {
            let added = WptProver::new(binding).present(&world.held(), &get(&[]), AUDIENCE, now()).unwrap();
            let proven = world.judged(binding, &borrowed(&added)).unwrap();
            assert_eq!(proven.id(), &id("/web"));
            assert_eq!(proven.proof_expires_at(), now() + Duration::from_secs(60));
        }
    }
}

#[test]
fn a_proof_stands_where_it_is_configured_to_and_nowhere_else() {
    let world = World::new();
    let proof = world.proof(&json!({ "alg": "ES256", "typ": "wpt+jwt" }), &world.claims());
    let wpt = format!("WPT {proof}");
    let wit = ("Workload-Identity-Token", &*world.wit);
    let (own, shared) = (("Workload-Proof-Token", &*proof), ("Authorization", &*wpt));
    world.judged(WptBinding::ProofTokenField, &[wit, own]).unwrap();
    world.judged(WptBinding::Authorization, &[wit, shared]).unwrap();
    world.judged(WptBinding::Authorization, &[wit, ("authorization", &format!("wpt {proof}"))]).unwrap();
    for (binding, fields) in [
        (WptBinding::ProofTokenField, vec![wit, shared]),
        (WptBinding::Authorization, vec![wit, own]),
        (WptBinding::ProofTokenField, vec![wit]),
        (WptBinding::Authorization, vec![wit]),
        (WptBinding::Authorization, vec![wit, ("Authorization", &*proof)]),
        (WptBinding::ProofTokenField, vec![wit, ("Workload-Proof-Token", &*wpt)]),
    ] {
        assert_eq!(world.judged(binding, &fields).err(), Some(ProofError::NoProof));
    }
    let twice = world.judged(WptBinding::ProofTokenField, &[wit, own, own]);
    assert!(matches!(twice, Err(ProofError::Header(HeaderError::Several(_)))));
    let twice = world.judged(WptBinding::Authorization, &[wit, shared, shared]);
    assert!(matches!(twice, Err(ProofError::Header(HeaderError::Several(_)))));
}

#[test]
fn the_wit_stands_alone_in_its_own_field() {
    let world = World::new();
    let proof = world.proof(&json!({ "alg": "ES256", "typ": "wpt+jwt" }), &world.claims());
    let own = ("Workload-Proof-Token", &*proof);
    let judged = |wits: &[&str]| {
        let wits = wits.iter().map(|wit| ("WORKLOAD-IDENTITY-TOKEN", *wit));
        world.judged(WptBinding::ProofTokenField, &wits.chain([own]).collect::<Vec<_>>())
    };
    judged(&[&world.wit]).unwrap();
    judged(&[&format!(" {}\t", world.wit)]).unwrap();
    assert_eq!(judged(&[]).err(), Some(ProofError::NoWit));
    for bad in [
        format!("Bearer {}", world.wit),
        format!("\"{}\"", world.wit),
        format!("{0}, {0}", world.wit),
        String::new(),
        "a.b".into(),
    ] {
        assert_eq!(judged(&[&bad]).err(), Some(ProofError::WitForm), "{bad}");
    }
    assert!(matches!(judged(&[&world.wit, &world.wit]), Err(ProofError::Header(_))));
    for scheme in ["Bearer ", "bearer ", "", "WPT ", "Bearer x, Bearer "] {
        let bearer = format!("{scheme}{}", world.wit);
        let fields = [("Workload-Identity-Token", &*world.wit), own, ("Authorization", &*bearer)];
        let refused = world.judged(WptBinding::ProofTokenField, &fields);
        assert_eq!(refused.err(), Some(ProofError::WitInAuthorization), "{scheme}");
        let prover = WptProver::new(WptBinding::ProofTokenField);
        let refused = prover.present(&world.held(), &get(&fields[2..]), AUDIENCE, now());
        assert_eq!(refused.err(), Some(ProofError::WitInAuthorization));
    }
}

#[test]
fn neither_side_uses_a_channel_that_others_can_read() {
    let world = World::new();
    let prover = WptProver::new(WptBinding::ProofTokenField);
    let open = Request { channel: Channel::Cleartext, ..get(&[]) };
    assert_eq!(prover.present(&world.held(), &open, AUDIENCE, now()), Err(ProofError::Cleartext));
    let added = prover.present(&world.held(), &get(&[]), AUDIENCE, now()).unwrap();
    let fields = borrowed(&added);
    for (channel, accepted) in [(Channel::Tls, true), (Channel::Local, true), (Channel::Cleartext, false)] {
        let request = Request { channel, ..get(&fields) };
        let verifier = World::verifier(WptBinding::ProofTokenField);
        let judged = authenticate(&request, &world.bundle, Lifespan::AsIssued, &verifier, now());
        assert_eq!(judged.is_ok(), accepted);
    }
}

#[test]
fn a_proof_is_signed_with_the_key_and_by_the_algorithm_of_the_wit() {
    let world = World::new();
    let judged = |proof: &str| {
        let fields = [("Workload-Identity-Token", &*world.wit), ("Workload-Proof-Token", proof)];
        world.judged(WptBinding::ProofTokenField, &fields).err()
    };
    let header = json!({ "alg": "ES256", "typ": "wpt+jwt" });
    assert_eq!(judged(&world.proof(&header, &world.claims())), None);
    assert_eq!(judged(&jws(&header, &world.claims(), &key())), Some(ProofError::Signature));
    for typ in [json!("JWT"), json!("WPT+JWT"), json!("wit+jwt"), json!(7), Value::Null] {
        let other = world.proof(&json!({ "alg": "ES256", "typ": typ }), &world.claims());
        assert_eq!(judged(&other), Some(ProofError::Type), "{typ}");
    }
    let critical = world.proof(&json!({ "alg": "ES256", "typ": "wpt+jwt", "crit": ["x"] }), &world.claims());
    assert!(matches!(judged(&critical), Some(ProofError::ProofForm(_))));
    // A WIT whose key is for RS256, and a proof by PS256 that would hold.
    let rsa_world = World::on(KeyType::Rsa2048, Some(SigAlg::RsaPkcs1Sha256));
    let other = World::on(KeyType::Rsa2048, Some(SigAlg::RsaPssSha256));
    let added = WptProver::new(WptBinding::ProofTokenField)
        .present(&other.held(), &get(&[]), AUDIENCE, now())
        .unwrap();
    let mixed = [("Workload-Identity-Token", &*rsa_world.wit), ("Workload-Proof-Token", &*added[1].1)];
    let refused = rsa_world.judged(WptBinding::ProofTokenField, &mixed);
    assert_eq!(refused.err(), Some(ProofError::Algorithm { proof: "PS256", wit: "RS256" }));
}

#[test]
fn a_proof_is_for_one_wit_by_the_hash_of_what_was_sent() {
    let world = World::new();
    let with = |wth: Value| {
        let mut claims = world.claims();
        claims["wth"] = wth;
        world.proof_judged(&claims, &[]).err()
    };
    assert_eq!(with(hash(&world.wit).into()), None);
    let digest = URL_SAFE_NO_PAD.decode(hash(&world.wit)).unwrap();
    let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
    let body = URL_SAFE_NO_PAD.decode(world.wit.split('.').nth(1).unwrap()).unwrap();
    for other in [
        hex,
        URL_SAFE.encode(&digest),
        hash(&String::from_utf8(body).unwrap()),
        hash(&World::new().wit),
        String::new(),
    ] {
        assert_eq!(with(other.clone().into()), Some(ProofError::OtherWit), "{other}");
    }
    assert_eq!(with(7.into()), Some(ProofError::Claim("wth")));
}

#[test]
fn a_proof_has_what_it_must() {
    let world = World::new();
    for name in ["aud", "exp", "jti", "wth"] {
        let mut claims = world.claims();
        claims.as_object_mut().unwrap().remove(name);
        assert_eq!(world.proof_judged(&claims, &[]).err(), Some(ProofError::Claim(name)));
        claims[name] = Value::Null;
        assert_eq!(world.proof_judged(&claims, &[]).err(), Some(ProofError::Claim(name)));
    }
    for bad in [json!(""), json!("x".repeat(257)), json!(7)] {
        let mut claims = world.claims();
        claims["jti"] = bad;
        assert_eq!(world.proof_judged(&claims, &[]).err(), Some(ProofError::Claim("jti")));
    }
    let mut more = world.claims();
    more["https://example.org/x"] = json!([1]);
    world.proof_judged(&more, &[]).unwrap();
}

#[test]
fn a_proof_is_for_this_service_whatever_the_request_says() {
    let world = World::new();
    let with = |aud: Value, more: &[(&str, &str)]| {
        let mut claims = world.claims();
        claims["aud"] = aud;
        world.proof_judged(&claims, more).err()
    };
    for good in
        [json!(AUDIENCE), json!(format!("{AUDIENCE}?other#x")), json!(["https://other.example/", AUDIENCE])]
    {
        assert_eq!(with(good, &[]), None);
    }
    let evil = "https://evil.example/orders";
    for more in [&[][..], &[("Host", "evil.example")], &[("X-Forwarded-Host", "evil.example")]] {
        assert_eq!(with(evil.into(), more), Some(ProofError::Audience(evil.into())));
    }
    for bad in ["https://shop.example.org/other", "https://shop.example.org", "", "/orders"] {
        assert_eq!(with(bad.into(), &[]), Some(ProofError::Audience(bad.into())));
    }
    for bad in [json!([]), json!(7), json!([AUDIENCE, 7]), json!(vec![AUDIENCE; 17])] {
        assert_eq!(with(bad, &[]), Some(ProofError::Claim("aud")));
    }
}

#[test]
fn a_proof_is_short_lived() {
    let world = World::new();
    let with = |exp: Value| {
        let mut claims = world.claims();
        claims["exp"] = exp;
        world.proof_judged(&claims, &[]).err()
    };
    assert_eq!(with(json!(1_800_000_300)), None);
    assert_eq!(with(json!(1_800_000_000.5)), None);
    for passed in [json!(1_800_000_000), json!(1_799_999_999)] {
        assert_eq!(with(passed), Some(ProofError::Expired));
    }
    for far in [1_800_000_301_u64, 1_800_086_400] {
        assert!(matches!(with(far.into()), Some(ProofError::TooLong(_))));
    }
    assert_eq!(with(json!("1800000060")), Some(ProofError::Claim("exp")));
    let mut later = world.claims();
    later["nbf"] = 1_800_000_300.into();
    assert_eq!(world.proof_judged(&later, &[]).err(), Some(ProofError::NotYet));
}

#[test]
fn a_proof_holds_once_and_the_wit_many_times() {
    let world = World::new();
    let audiences = Audiences::default().origin("https://shop.example.org").unwrap();
    let verifier = WptVerifier::new(WptBinding::ProofTokenField, audiences, Arc::new(ReplayMemory::new(100)));
    let judged = |fields: &[(&str, &str)]| {
        authenticate(&get(fields), &world.bundle, Lifespan::AsIssued, &verifier, now()).map(|_| ())
    };
    let prover = WptProver::new(WptBinding::ProofTokenField);
    for _ in 0..100 {
        let added = prover.present(&world.held(), &get(&[]), AUDIENCE, now()).unwrap();
        judged(&borrowed(&added)).unwrap();
        assert_eq!(judged(&borrowed(&added)), Err(ProofError::Replay(ReplayError::Seen)));
    }
    let one_more = prover.present(&world.held(), &get(&[]), AUDIENCE, now()).unwrap();
    let full = judged(&borrowed(&one_more)).unwrap_err();
    assert_eq!(full, ProofError::Replay(ReplayError::Full));
    assert_eq!(verifier.answer(&full).status, 503);
}

#[test]
fn tokens_that_say_for_whom_a_request_is_made_are_bound() {
    let world = World::new();
    let with = |name: &str, value: Value| {
        let mut claims = world.claims();
        claims[name] = value;
        claims
    };
    let (bearer, txn) = (("Authorization", "Bearer abc"), ("Txn-Token", "t.t.t"));
    let unbound = |field: &str| Some(ProofError::Unbound(field.into()));
    let other = |field: &str| Some(ProofError::OtherToken(field.into()));
    assert_eq!(world.proof_judged(&world.claims(), &[bearer]).err(), unbound("Authorization"));
    let proven = world.proof_judged(&with("ath", hash("abc").into()), &[bearer]).unwrap();
    assert!(proven.binds("authorization") && !proven.binds("txn-token"));
    assert_eq!(world.proof_judged(&with("ath", hash("xyz").into()), &[bearer]).err(), other("Authorization"));
    assert_eq!(world.proof_judged(&with("ath", hash("abc").into()), &[]).err(), other("Authorization"));
    // Credentials of another kind are no access token.
    world.proof_judged(&world.claims(), &[("Authorization", "Basic YTpi")]).unwrap();
    assert_eq!(world.proof_judged(&world.claims(), &[txn]).err(), unbound("Txn-Token"));
    assert!(world.proof_judged(&with("tth", hash("t.t.t").into()), &[txn]).unwrap().binds("Txn-Token"));
    assert_eq!(world.proof_judged(&with("tth", hash("x").into()), &[txn]).err(), other("Txn-Token"));
    assert_eq!(world.proof_judged(&with("tth", 7.into()), &[txn]).err(), other("Txn-Token"));
    assert!(world.proof_judged(&with("tth", hash("t.t.t").into()), &[txn, txn]).is_err());
}

#[test]
fn other_tokens_are_bound_where_both_sides_know_of_them() {
    let world = World::new();
    let field = ("X-User", "u.u.u");
    let verifier = World::verifier(WptBinding::ProofTokenField).context_field("X-User");
    let judged = |oth: Option<Value>, more: &[(&str, &str)]| {
        let mut claims = world.claims();
        if let Some(oth) = oth {
            claims["oth"] = oth;
        }
        let proof = world.proof(&json!({ "alg": "ES256", "typ": "wpt+jwt" }), &claims);
        let fields =
            [&[("Workload-Identity-Token", &*world.wit), ("Workload-Proof-Token", &*proof)], more].concat();
        authenticate(&get(&fields), &world.bundle, Lifespan::AsIssued, &verifier, now())
    };
    let bound = json!({ "x-user": hash("u.u.u") });
    assert!(judged(Some(bound.clone()), &[field]).unwrap().binds("X-User"));
    assert!(!judged(None, &[]).unwrap().binds("X-User"));
    assert_eq!(judged(None, &[field]).err(), Some(ProofError::Unbound("x-user".into())));
    assert_eq!(judged(Some(bound.clone()), &[]).err(), Some(ProofError::OtherToken("x-user".into())));
    assert!(judged(Some(bound.clone()), &[field, field]).is_err());
    assert_eq!(judged(Some(json!([])), &[]).err(), Some(ProofError::Claim("oth")));
    let unknown = json!({ "x-user": hash("u.u.u"), "x-other": hash("o") });
    assert_eq!(
        judged(Some(unknown), &[field, ("X-Other", "o")]).err(),
        Some(ProofError::NotUnderstood("x-other".into()))
    );
    // A verifier that knows of no such fields understands none.
    let mut claims = world.claims();
    claims["oth"] = bound;
    assert_eq!(world.proof_judged(&claims, &[field]).err(), Some(ProofError::NotUnderstood("x-user".into())));

    let prover = WptProver::new(WptBinding::ProofTokenField).context_field("X-User");
    let sent = [field, ("Txn-Token", "t.t.t"), ("Authorization", "Bearer abc")];
    let added = prover.present(&world.held(), &get(&sent), AUDIENCE, now()).unwrap();
    let fields = [&borrowed(&added)[..], &sent].concat();
    let proven = authenticate(&get(&fields), &world.bundle, Lifespan::AsIssued, &verifier, now()).unwrap();
    assert!(sent.iter().all(|(name, _)| proven.binds(name)));
}

#[test]
fn a_client_presents_what_is_its_own_and_holds() {
    let world = World::new();
    assert!(matches!(HeldWit::new(&world.wit, Arc::new(key())), Err(HeldError::OtherKey)));
    let text = jwk::to_private_jwk(&world.key, None).unwrap();
    let held = HeldWit::from_jwk(&world.wit, &text).unwrap();
    assert_eq!((held.id(), held.expires_at()), (&id("/web"), now() + HOUR));
    assert_eq!(format!("{held:?}"), "HeldWit(spiffe://example.org/web)");
    let prover = WptProver::new(WptBinding::Authorization);
    let late = prover.present(&held, &get(&[]), AUDIENCE, now() + HOUR);
    assert_eq!(late.err(), Some(ProofError::Held(HeldError::Expired)));
    let taken = prover.present(&held, &get(&[("Authorization", "Bearer x")]), AUDIENCE, now());
    assert_eq!(taken.err(), Some(ProofError::AuthorizationTaken));
    assert_eq!(prover.present(&held, &get(&[]), "", now()).err(), Some(ProofError::Claim("aud")));
    let endless = WptProver::new(WptBinding::Authorization).lifetime(Duration::MAX);
    assert_eq!(endless.present(&held, &get(&[]), AUDIENCE, now()).err(), Some(ProofError::Claim("exp")));
}

#[test]
fn refusals_are_answered_as_the_draft_says() {
    let bad_request = Answer { status: 400, authenticate: None };
    let old = World::verifier(WptBinding::ProofTokenField);
    let new = World::verifier(WptBinding::Authorization);
    for why in [ProofError::NoWit, ProofError::WitForm, ProofError::Wit(WitError::Expired)] {
        assert_eq!((old.answer(&why), new.answer(&why)), (bad_request, bad_request));
    }
    for why in [ProofError::NoProof, ProofError::Signature, ProofError::Expired] {
        assert_eq!(old.answer(&why), bad_request);
        assert_eq!(new.answer(&why), Answer { status: 401, authenticate: Some("WPT") });
    }
}

#[test]
fn a_header_without_end_is_not_looked_at() {
    let world = World::new();
    let many = vec![("a", "b"); 257];
    assert_eq!(
        world.judged(WptBinding::ProofTokenField, &many).err(),
        Some(ProofError::Header(HeaderError::TooMany))
    );
    let long = "a".repeat(300_000);
    let refused = world.judged(WptBinding::ProofTokenField, &[("a", &long)]);
    assert_eq!(refused.err(), Some(ProofError::Header(HeaderError::TooLarge)));
}
