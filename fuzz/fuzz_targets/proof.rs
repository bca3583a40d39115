//! Requests and responses with a WIT-SVID and a proof: a first line with method and target, or with a status, then a line
//! for each field, an empty one, and the body. A proof that was accepted is not accepted again.
#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use spiffe::bundle::{Bundle, WitAuthority};
use spiffe::key::Signer as _;
use spiffe::proof::http::{Channel, Request, Response};
use spiffe::proof::http_signature::{HttpSignatureVerifier, ResponseRule, SignedRequest};
use spiffe::proof::wpt::{WptBinding, WptVerifier};
use spiffe::proof::{Audiences, ProofVerifier, ReplayMemory, authenticate};
use spiffe::wit::Lifespan;
use spiffe::{TrustDomain, jwk};

/// Whom the vectors trust, so that what comes behind the WIT-SVID is reached.
static BUNDLE: LazyLock<Bundle> = LazyLock::new(|| {
    let text = include_str!("../../testing/vectors/keys/ec256-root.jwk");
    let (key, _) = jwk::from_private_jwk(text).expect("the key that is checked in can be read");
    let mut bundle = Bundle::new(TrustDomain::parse("example.org").expect("a name that is written down here"));
    let public_key = key.public().clone();
    let authority = WitAuthority { key_id: "w".to_owned(), public_key, expires_at: None, tainted: false };
    bundle.push_wit(authority).expect("the only key");
    bundle
});

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn verifiers() -> [Box<dyn ProofVerifier>; 3] {
    let audiences = Audiences::default().origin("https://shop.example.org").expect("it is an origin");
    let used = || Arc::new(ReplayMemory::new(10));
    [
        Box::new(WptVerifier::new(WptBinding::ProofTokenField, audiences.clone(), used()).context_field("X-User")),
        Box::new(WptVerifier::new(WptBinding::Authorization, audiences.clone(), used())),
        Box::new(HttpSignatureVerifier::new(audiences, used())),
    ]
}

libfuzzer_sys::fuzz_target!(|input: &str| {
    let (head, body) = input.split_once("\n\n").unwrap_or((input, ""));
    let mut lines = head.split('\n');
    let (first, second) = lines.next().and_then(|line| line.split_once(' ')).unwrap_or_default();
    let fields: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
    let (fields, body, channel) = (&*fields, body.as_bytes(), Channel::Tls);
    if let Ok(status) = second.parse() {
        let response = Response { status, fields, body, channel };
        let request = Request { method: "GET", target: "/orders?all", fields: &[], body: b"", channel };
        let signed = SignedRequest { fields: Vec::new(), nonce: "first".to_owned(), sign_response: true };
        let client = HttpSignatureVerifier::new(Audiences::default(), Arc::new(ReplayMemory::new(10)));
        let rule = ResponseRule::AsAsked;
        let judge = || {
            client.verify_response(&response, &request, &signed, rule, &*BUNDLE, Lifespan::AsIssued, now())
        };
        if judge().is_ok() {
            assert!(judge().is_err(), "it was accepted twice");
        }
        return;
    }
    let request = Request { method: first, target: second, fields, body, channel };
    for verifier in verifiers() {
        let judge = || authenticate(&request, &*BUNDLE, Lifespan::AsIssued, &*verifier, now());
        match judge() {
            Ok(peer) => {
                assert!(peer.id().member_of(BUNDLE.trust_domain()) && peer.proof_expires_at() > now());
                assert!(judge().is_err(), "it was accepted twice");
            }
            Err(why) => assert!(verifier.answer(&why).status >= 400),
        }
    }
});
