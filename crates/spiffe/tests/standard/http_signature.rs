//! WIT-SVID §5, §7 and the drafts of the WIMSE group that it builds on: HTTP message signatures.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use spiffe::bundle::Bundle;
use spiffe::key::{KeyType, PrivateKey, SigAlg, Signer};
use spiffe::proof::http::{Channel, Request, Response};
use spiffe::proof::http_signature::{
    HttpSignatureProver, HttpSignatureVerifier, ResponseRule, SignatureError, SignedRequest,
    may_answer_unsigned,
};
use spiffe::proof::wpt::{WptBinding, WptProver, WptVerifier};
use spiffe::proof::{
    Answer, Audiences, DangerAcceptReplays, HeldError, HeldWit, ProofError, ProofVerifier, ProvenWit, Prover,
    ReplayError, ReplayMemory, authenticate,
};
use spiffe::wit::{ConfirmationKey, Lifespan, WitClaims, WitIssuer};

use super::forge::*;

const AUDIENCE: &str = "https://shop.example.org/orders";
const BODY: &[u8] = br#"{"item":7}"#;
const TAG: &str = "wimse-workload-to-workload";

type Fields = Vec<(&'static str, String)>;

/// A client and a server of one trust domain.
struct World {
    client: HeldWit,
    client_key: Arc<PrivateKey>,
    wit: String,
    server: HeldWit,
    bundle: Bundle,
}

impl World {
    fn new() -> Self {
        Self::on(Arc::new(key()), SigAlg::EcdsaP256Sha256)
    }

    fn on(client_key: Arc<PrivateKey>, alg: SigAlg) -> Self {
        let issuer = WitIssuer::new(td(), Arc::new(key())).unwrap();
        let mut bundle = Bundle::new(td());
        bundle.push_wit(issuer.authority()).unwrap();
        let issue = |path: &str, key: &Arc<PrivateKey>, alg| {
            let claims = WitClaims {
                subject: id(path),
                confirmation: ConfirmationKey::new(key.public().clone(), alg).unwrap(),
                expires_at: now() + HOUR,
                not_before: None,
                issued_at: None,
                issuer: None,
                jti: None,
            };
            issuer.issue(&claims).unwrap()
        };
        let server_key = Arc::new(key());
        let server = issue("/shop", &server_key, SigAlg::EcdsaP256Sha256);
        let wit = issue("/web", &client_key, alg);
        Self {
            client: HeldWit::new(&wit, client_key.clone()).unwrap(),
            client_key,
            wit,
            server: HeldWit::new(&server, server_key).unwrap(),
            bundle,
        }
    }

    fn judged(&self, request: &Request<'_>) -> Result<ProvenWit, ProofError> {
        authenticate(request, &self.bundle, Lifespan::AsIssued, &verifier(), now())
    }

    /// The fields of a request whose signature has any list and parameters, well made over the lines that are given.
    fn forged(&self, list: &str, lines: &[&str], more: &[(&'static str, &str)]) -> Fields {
        let base = format!("{}\n\"@signature-params\": {list}", lines.join("\n"));
        let pair = aws_lc_rs::signature::EcdsaKeyPair::from_pkcs8(
            &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            &self.client_key.to_pkcs8(),
        )
        .unwrap();
        let signature = pair.sign(&aws_lc_rs::rand::SystemRandom::new(), base.as_bytes()).unwrap();
        let mut fields: Fields = vec![
            ("Workload-Identity-Token", self.wit.clone()),
            ("Signature-Input", format!("wimse={list}")),
            ("Signature", format!("wimse=:{}:", STANDARD.encode(signature))),
        ];
        fields.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        fields
    }

    /// A GET whose signature covers what it must, with those parameters.
    fn with_parameters(&self, parameters: &str) -> Result<ProvenWit, ProofError> {
        let list = format!("(\"@method\" \"@request-target\" \"workload-identity-token\"){parameters}");
        let token = format!("\"workload-identity-token\": {}", self.wit);
        let fields =
            self.forged(&list, &["\"@method\": GET", "\"@request-target\": /orders?all", &token], &[]);
        self.judged(&get(&borrowed(&fields)))
    }
}

fn verifier() -> HttpSignatureVerifier {
    let audiences = Audiences::default().origin("https://shop.example.org").unwrap();
    HttpSignatureVerifier::new(audiences, Arc::new(DangerAcceptReplays))
}

fn get<'a>(fields: &'a [(&'a str, &'a str)]) -> Request<'a> {
    Request { method: "GET", target: "/orders?all", fields, body: b"", channel: Channel::Tls }
}

fn post<'a>(fields: &'a [(&'a str, &'a str)]) -> Request<'a> {
    Request { method: "POST", target: "/orders", fields, body: BODY, channel: Channel::Tls }
}

fn borrowed(fields: &Fields) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

fn good() -> String {
    format!(";created=1800000000;expires=1800000060;nonce=\"n\";tag=\"{TAG}\";wimse-aud=\"{AUDIENCE}\"")
}

#[test]
fn a_signature_by_any_of_the_nine_algorithms_says_who_sent_a_request() {
    for name in ["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
        let key = match name {
            "ES256" => key(),
            "ES384" => PrivateKey::generate(KeyType::EcP384).unwrap(),
            "ES512" => PrivateKey::generate(KeyType::EcP521).unwrap(),
            _ => PrivateKey::from_pkcs8(&rsa().to_pkcs8()).unwrap(),
        };
        let world = World::on(Arc::new(key), SigAlg::from_jws(name).unwrap());
        let sent = [("content-type", "application/json"), ("Txn-Token", "t"), ("X-Unsigned", "x")];
        let prover = HttpSignatureProver::default();
        let added = prover.present(&world.client, &post(&sent), AUDIENCE, now()).unwrap();
        let fields = [&sent[..], &borrowed(&added)].concat();
        let proven = world.judged(&post(&fields)).unwrap();
        assert_eq!(proven.id(), &id("/web"));
        assert_eq!(proven.proof_expires_at(), now() + Duration::from_secs(60));
        for field in ["Content-Type", "Content-Digest", "Txn-Token", "Workload-Identity-Token"] {
            assert!(proven.binds(field), "{field}");
        }
        assert!(!proven.binds("X-Unsigned"));
    }
}

#[test]
fn what_was_signed_cannot_be_changed() {
    let world = World::new();
    let sent = [("Content-Type", "application/json"), ("Authorization", "Bearer abc"), ("Txn-Token", "t")];
    let prover = HttpSignatureProver::default().also("X-Signed");
    let sent = [&sent[..], &[("X-Signed", "a"), ("x-signed", " b ")]].concat();
    let added = prover.present(&world.client, &post(&sent), AUDIENCE, now()).unwrap();
    let fields = [&sent[..], &borrowed(&added)].concat();
    world.judged(&post(&fields)).unwrap();
    assert!(world.judged(&Request { method: "PUT", ..post(&fields) }).is_err());
    assert!(world.judged(&Request { target: "/orders?x", ..post(&fields) }).is_err());
    let other_body = world.judged(&Request { body: b"other", ..post(&fields) });
    assert_eq!(other_body.err(), Some(ProofError::HttpSignature(SignatureError::OtherBody)));
    let no_body = world.judged(&Request { body: b"", ..post(&fields) });
    assert_eq!(no_body.err(), Some(ProofError::HttpSignature(SignatureError::OtherBody)));
    for index in 0..fields.len() {
        let mut changed = fields.clone();
        let value = format!("{}x", changed[index].1);
        changed[index].1 = &value;
        assert!(world.judged(&post(&changed)).is_err(), "{}", fields[index].0);
        let mut without = fields.clone();
        without.remove(index);
        assert!(world.judged(&post(&without)).is_err(), "{}", fields[index].0);
    }
    let cleartext = Request { channel: Channel::Cleartext, ..post(&fields) };
    assert_eq!(world.judged(&cleartext).err(), Some(ProofError::Cleartext));
}

#[test]
fn a_signature_covers_what_the_profile_wants() {
    let world = World::new();
    let token = format!("\"workload-identity-token\": {}", world.wit);
    let (method, target) = ("\"@method\": GET", "\"@request-target\": /orders?all");
    let judged = |list: &str, lines: &[&str], more: &[(&'static str, &str)]| {
        let fields = world.forged(&format!("({list}){}", good()), lines, more);
        world.judged(&get(&borrowed(&fields))).err()
    };
    let whole = r#""@method" "@request-target" "workload-identity-token""#;
    let lines = [method, target, &token];
    assert_eq!(judged(whole, &lines, &[]), None);
    let uncovered =
        |name: &str| Some(ProofError::HttpSignature(SignatureError::Uncovered(format!("\"{name}\""))));
    assert_eq!(
        judged(r#""@request-target" "workload-identity-token""#, &lines[1..], &[]),
        uncovered("@method")
    );
    assert_eq!(
        judged(r#""@method" "workload-identity-token""#, &[method, &token], &[]),
        uncovered("@request-target")
    );
    assert_eq!(
        judged(r#""@method" "@request-target""#, &lines[..2], &[]),
        uncovered("workload-identity-token")
    );
    for (field, name) in [
        (("Content-Type", "text/plain"), "content-type"),
        (("Authorization", "Bearer x"), "authorization"),
        (("Txn-Token", "t"), "txn-token"),
        (("Content-Digest", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"), "content-digest"),
    ] {
        assert_eq!(judged(whole, &lines, &[field]), uncovered(name));
        let more = format!("\"{name}\": {}", field.1);
        let with = format!("{whole} \"{name}\"");
        assert_eq!(judged(&with, &[&lines[..], &[&more]].concat(), &[field]), None, "{name}");
    }
    let twice = judged(&format!("{whole} \"@method\""), &[&lines[..], &[method]].concat(), &[]);
    assert!(matches!(twice, Some(ProofError::HttpSignature(SignatureError::Twice(_)))));
    for unknown in [r#""@authority""#, r#""@method";req=?0"#, r#""x";sf"#, r#""X""#, "7", r#""""#] {
        let refused = judged(&format!("{whole} {unknown}"), &lines, &[("x", "y")]);
        assert!(
            matches!(refused, Some(ProofError::HttpSignature(SignatureError::Component(_)))),
            "{unknown}"
        );
    }
    for absent in [r#""x""#, r#""@status""#, r#""@method";req"#] {
        let refused = judged(&format!("{whole} {absent}"), &lines, &[]);
        assert!(matches!(refused, Some(ProofError::HttpSignature(SignatureError::Absent(_)))), "{absent}");
    }
    let many: String = (0..65).map(|n| format!(" \"x{n}\"")).collect();
    let many = judged(&format!("{whole}{many}"), &lines, &[]);
    assert_eq!(many, Some(ProofError::HttpSignature(SignatureError::TooMany)));
}

#[test]
fn a_body_has_a_digest_that_is_understood() {
    let world = World::new();
    let prover = HttpSignatureProver::default();
    let present = |digest: &str| {
        let sent = [("Content-Digest", digest)];
        prover.present(&world.client, &post(&sent), AUDIENCE, now()).map(|_| ())
    };
    let sha = |how| STANDARD.encode(aws_lc_rs::digest::digest(how, BODY));
    let (short, long) = (sha(&aws_lc_rs::digest::SHA256), sha(&aws_lc_rs::digest::SHA512));
    present(&format!("sha-512=:{long}:")).unwrap();
    present(&format!("md5=:AAAA:, sha-256=:{short}:, sha-512=:{long}:")).unwrap();
    let refused = |digest: &str| match present(digest) {
        Err(ProofError::HttpSignature(why)) => why,
        other => panic!("{digest}: {other:?}"),
    };
    assert_eq!(refused(&format!("sha-256=:{short}:, sha-512=:AAAA:")), SignatureError::OtherBody);
    assert_eq!(refused("md5=:AAAA:"), SignatureError::NoDigest);
    for malformed in ["sha-256=AAAA", "sha-256=:!:", "sha-256=(:AAAA:)", "%"] {
        assert_eq!(refused(malformed), SignatureError::Field("Content-Digest"));
    }
    // A signature over a body that has no digest.
    let token = format!("\"workload-identity-token\": {}", world.wit);
    let list = format!("(\"@method\" \"@request-target\" \"workload-identity-token\"){}", good());
    let fields = world.forged(&list, &["\"@method\": POST", "\"@request-target\": /orders", &token], &[]);
    let refused = world.judged(&post(&borrowed(&fields)));
    assert_eq!(refused.err(), Some(ProofError::HttpSignature(SignatureError::NoDigest)));
}

#[test]
fn a_signature_has_the_parameters_of_the_profile() {
    let world = World::new();
    world.with_parameters(&good()).unwrap();
    world.with_parameters(&format!("{};unknown=1", good())).unwrap();
    world.with_parameters(&format!("{};wimse-sign-response", good())).unwrap();
    let refused = |from: &str, to: &str| {
        assert!(good().contains(from), "{from}");
        world.with_parameters(&good().replace(from, to)).err()
    };
    let parameter = |name| Some(ProofError::HttpSignature(SignatureError::Parameter(name)));
    assert_eq!(refused(";created=1800000000", ""), parameter("created"));
    assert_eq!(refused(";expires=1800000060", ""), parameter("expires"));
    assert_eq!(refused("1800000060", "\"1800000060\""), parameter("expires"));
    assert_eq!(refused("=1800000000", "=-1"), parameter("created"));
    assert_eq!(refused(";nonce=\"n\"", ""), parameter("nonce"));
    assert_eq!(refused("\"n\"", "\"\""), parameter("nonce"));
    assert_eq!(refused("\"n\"", "n"), parameter("nonce"));
    assert_eq!(refused("\"n\"", &format!("\"{}\"", "n".repeat(257))), parameter("nonce"));
    let audience = format!(";wimse-aud=\"{AUDIENCE}\"");
    assert_eq!(refused(&audience, ""), parameter("wimse-aud"));
    assert_eq!(
        refused(&audience, &format!("{audience};wimse-sign-response=1")),
        parameter("wimse-sign-response")
    );
    for tag in [";tag=\"other\"", "", ";tag=\"WIMSE-workload-to-workload\""] {
        let refused = refused(&format!(";tag=\"{TAG}\""), tag);
        assert_eq!(refused, Some(ProofError::HttpSignature(SignatureError::Tag)));
    }
    for name in ["keyid", "alg"] {
        let refused = world.with_parameters(&format!("{};{name}=\"x\"", good()));
        assert_eq!(refused.err(), Some(ProofError::HttpSignature(SignatureError::Forbidden(name))));
    }
    for other in ["https://evil.example/orders", "https://shop.example.org/other"] {
        assert_eq!(refused(AUDIENCE, other), Some(ProofError::Audience(other.into())));
    }
}

#[test]
fn a_signature_is_short_lived() {
    let world = World::new();
    let times = |created: u64, expires: u64| {
        let parameters = good()
            .replace("created=1800000000", &format!("created={created}"))
            .replace("expires=1800000060", &format!("expires={expires}"));
        world.with_parameters(&parameters).err()
    };
    assert_eq!(times(1_799_999_900, 1_800_000_001), None);
    assert_eq!(times(1_800_000_060, 1_800_000_100), None);
    assert_eq!(times(1_799_999_900, 1_800_000_000), Some(ProofError::Expired));
    assert_eq!(times(1_800_000_061, 1_800_000_100), Some(ProofError::NotYet));
    assert!(matches!(times(1_800_000_000, 1_800_000_301), Some(ProofError::TooLong(_))));
    assert!(matches!(times(1_700_000_000, 1_800_000_001), Some(ProofError::TooLong(_))));
    let backwards = times(1_800_000_060, 1_800_000_060);
    assert_eq!(backwards, Some(ProofError::HttpSignature(SignatureError::Parameter("expires"))));
}

#[test]
fn of_several_signatures_that_with_the_label_counts() {
    let world = World::new();
    let added = HttpSignatureProver::default().present(&world.client, &get(&[]), AUDIENCE, now()).unwrap();
    let relabelled = |label: &str, more: &[(&'static str, &str)]| {
        let mut fields: Fields =
            added.iter().map(|(name, value)| (*name, value.replacen("wimse=", label, 1))).collect();
        fields.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        world.judged(&get(&borrowed(&fields))).err()
    };
    let proxy = [("Signature-Input", "proxy=(\"@method\");keyid=\"p\""), ("Signature", "proxy=:AAAA:")];
    assert_eq!(relabelled("wimse=", &[]), None);
    assert_eq!(relabelled("other=", &[]), None);
    assert_eq!(relabelled("wimse=", &proxy), None);
    assert_eq!(relabelled("other=", &proxy), Some(ProofError::HttpSignature(SignatureError::Label)));
    let without = |name: &str| {
        let fields: Fields = added.iter().filter(|(field, _)| *field != name).cloned().collect();
        world.judged(&get(&borrowed(&fields))).err()
    };
    assert_eq!(without("Signature"), Some(ProofError::NoProof));
    assert_eq!(without("Signature-Input"), Some(ProofError::NoProof));
    for (name, bad) in [
        ("Signature", "wimse=AAAA"),
        ("Signature", "%"),
        ("Signature", "wimse=(:AAAA:)"),
        ("Signature", "x=:AAAA:"),
        ("Signature-Input", "wimse=7"),
        ("Signature-Input", "("),
    ] {
        let fields: Fields = added
            .iter()
            .map(|(field, value)| (*field, if *field == name { bad.to_owned() } else { value.clone() }))
            .collect();
        let refused = world.judged(&get(&borrowed(&fields))).err();
        assert!(matches!(refused, Some(ProofError::HttpSignature(SignatureError::Field(_)))), "{bad}");
    }
}

#[test]
fn a_signed_request_holds_once() {
    let world = World::new();
    let audiences = Audiences::default().origin("https://shop.example.org").unwrap();
    let verifier = HttpSignatureVerifier::new(audiences, Arc::new(ReplayMemory::new(10)));
    let added = HttpSignatureProver::default().present(&world.client, &get(&[]), AUDIENCE, now()).unwrap();
    let fields = borrowed(&added);
    let judged =
        || authenticate(&get(&fields), &world.bundle, Lifespan::AsIssued, &verifier, now()).map(|_| ());
    assert_eq!(judged(), Ok(()));
    assert_eq!(judged(), Err(ProofError::Replay(ReplayError::Seen)));
}

/// A request that was sent, and who sent it.
fn exchange<'a>(
    world: &World,
    prover: &HttpSignatureProver,
    sent: &'a mut Fields,
) -> (SignedRequest, Request<'a>, ProvenWit) {
    let signed = prover.sign_request(&world.client, &get(&[]), AUDIENCE, now()).unwrap();
    sent.clone_from(&signed.fields);
    let fields: &'a [(&'a str, &'a str)] = Box::leak(borrowed(sent).into_boxed_slice());
    let request = get(fields);
    let peer = world.judged(&request).unwrap();
    (signed, request, peer)
}

fn response<'a>(fields: &'a [(&'a str, &'a str)]) -> Response<'a> {
    Response { status: 200, fields, body: BODY, channel: Channel::Tls }
}

#[test]
fn a_response_is_signed_for_the_request_that_it_answers() {
    let world = World::new();
    let asking = HttpSignatureProver::default().asking_for_signed_responses();
    let (mut one, mut two) = (Fields::new(), Fields::new());
    let (signed, request, peer) = exchange(&world, &asking, &mut one);
    let (other_signed, other_request, _) = exchange(&world, &asking, &mut two);
    let prover = HttpSignatureProver::default();
    let sent = [("Content-Type", "application/json")];
    let added = prover.sign_response(&world.server, &response(&sent), &request, &peer, now()).unwrap();
    let fields = [&sent[..], &borrowed(&added)].concat();
    let client = HttpSignatureVerifier::new(Audiences::default(), Arc::new(DangerAcceptReplays));
    let judged = |response: &Response<'_>, request: &Request<'_>, signed: &SignedRequest| {
        client.verify_response(
            response,
            request,
            signed,
            ResponseRule::AsAsked,
            &world.bundle,
            Lifespan::AsIssued,
            now(),
        )
    };
    let server = judged(&response(&fields), &request, &signed).unwrap().unwrap();
    assert_eq!(server.id(), &id("/shop"));
    assert!(server.binds("Content-Digest"));
    // Another status, body, request or nonce.
    assert!(judged(&Response { status: 201, ..response(&fields) }, &request, &signed).is_err());
    let other_body = judged(&Response { body: b"x", ..response(&fields) }, &request, &signed);
    assert_eq!(other_body.err(), Some(ProofError::HttpSignature(SignatureError::OtherBody)));
    assert!(judged(&response(&fields), &Request { method: "PUT", ..request }, &signed).is_err());
    assert!(judged(&response(&fields), &Request { target: "/", ..request }, &signed).is_err());
    let swapped = judged(&response(&fields), &other_request, &other_signed);
    assert_eq!(swapped.err(), Some(ProofError::HttpSignature(SignatureError::OtherRequest)));
    // Without a signature.
    let unsigned = judged(&response(&sent), &request, &signed);
    assert_eq!(unsigned.err(), Some(ProofError::HttpSignature(SignatureError::Unsigned)));
    for index in 1..fields.len() {
        let mut without = fields.clone();
        without.remove(index);
        assert!(judged(&response(&without), &request, &signed).is_err(), "{}", fields[index].0);
    }
    let open = judged(&Response { channel: Channel::Cleartext, ..response(&fields) }, &request, &signed);
    assert_eq!(open.err(), Some(ProofError::Cleartext));
}

#[test]
fn a_response_that_need_not_be_signed_is_nobodys_or_holds() {
    let world = World::new();
    let mut sent = Fields::new();
    let (signed, request, peer) = exchange(&world, &HttpSignatureProver::default(), &mut sent);
    let client = HttpSignatureVerifier::new(Audiences::default(), Arc::new(DangerAcceptReplays));
    let judged = |fields: &[(&str, &str)], rule| {
        client.verify_response(
            &response(fields),
            &request,
            &signed,
            rule,
            &world.bundle,
            Lifespan::AsIssued,
            now(),
        )
    };
    assert!(judged(&[], ResponseRule::AsAsked).unwrap().is_none());
    let refused = judged(&[], ResponseRule::Always);
    assert_eq!(refused.err(), Some(ProofError::HttpSignature(SignatureError::Unsigned)));
    let prover = HttpSignatureProver::default();
    let added = prover.sign_response(&world.server, &response(&[]), &request, &peer, now()).unwrap();
    for rule in [ResponseRule::AsAsked, ResponseRule::Always] {
        assert_eq!(judged(&borrowed(&added), rule).unwrap().unwrap().id(), &id("/shop"));
    }
    let mut spoilt = added.clone();
    spoilt[3].1 = spoilt[3].1.replacen("=:", "=:AAAA", 1);
    assert!(judged(&borrowed(&spoilt), ResponseRule::AsAsked).is_err());
}

#[test]
fn a_server_does_not_leave_a_success_unsigned_that_was_to_be_signed() {
    let world = World::new();
    let mut sent = Fields::new();
    let asking = HttpSignatureProver::default().asking_for_signed_responses();
    let (_, _, asked) = exchange(&world, &asking, &mut sent);
    let (_, _, plain) = exchange(&world, &HttpSignatureProver::default(), &mut sent);
    for (peer, rule, status, may) in [
        (&asked, ResponseRule::AsAsked, 200, false),
        (&asked, ResponseRule::AsAsked, 204, false),
        (&asked, ResponseRule::AsAsked, 400, true),
        (&asked, ResponseRule::AsAsked, 501, true),
        (&plain, ResponseRule::AsAsked, 200, true),
        (&plain, ResponseRule::Always, 200, false),
    ] {
        assert_eq!(may_answer_unsigned(peer, rule, status), may, "{status}");
    }
}

#[test]
fn what_cannot_be_signed_is_not() {
    let world = World::new();
    let prover = HttpSignatureProver::default();
    let present = |request: &Request<'_>, audience: &str, at| {
        prover.present(&world.client, request, audience, at).err()
    };
    let taken = Some(ProofError::HttpSignature(SignatureError::Taken));
    for field in [("Signature", "x"), ("signature-input", "x"), ("Workload-Identity-Token", "x")] {
        assert_eq!(present(&get(&[field]), AUDIENCE, now()), taken);
    }
    let expired = present(&get(&[]), AUDIENCE, now() + HOUR);
    assert_eq!(expired, Some(ProofError::Held(HeldError::Expired)));
    let open = Request { channel: Channel::Cleartext, ..get(&[]) };
    assert_eq!(present(&open, AUDIENCE, now()), Some(ProofError::Cleartext));
    let nobody = Some(ProofError::HttpSignature(SignatureError::Parameter("wimse-aud")));
    assert_eq!(present(&get(&[]), "", now()), nobody);
    assert_eq!(present(&get(&[]), "ümlaut", now()), nobody);
    // A request that was proven in another way has no nonce that a response could repeat.
    let added = WptProver::new(WptBinding::ProofTokenField)
        .present(&world.client, &get(&[]), AUDIENCE, now())
        .unwrap();
    let fields = borrowed(&added);
    let audiences = Audiences::default().origin("https://shop.example.org").unwrap();
    let wpt = WptVerifier::new(WptBinding::ProofTokenField, audiences, Arc::new(DangerAcceptReplays));
    let peer = authenticate(&get(&fields), &world.bundle, Lifespan::AsIssued, &wpt, now()).unwrap();
    let refused = prover.sign_response(&world.server, &response(&[]), &get(&fields), &peer, now());
    assert_eq!(refused.err(), Some(ProofError::HttpSignature(SignatureError::NoExchange)));
}

#[test]
fn refusals_are_answered_with_400() {
    for why in [ProofError::NoWit, ProofError::Signature, SignatureError::OtherBody.into()] {
        assert_eq!(verifier().answer(&why), Answer { status: 400, authenticate: None });
    }
}
