use spiffe::bundle::BundleError;
use spiffe::key::Signer as _;
use spiffe::wit::{Lifespan, VerifiedWit, Wit, WitError};

use super::*;
use crate::authz::AdminGrant;

fn on() -> World {
    let wit_svids = Some(WitSvids { key_type: KeyType::EcP384, issuer: None });
    World::with(AuthoritySettings { wit_svids, ..Default::default() })
}

async fn mint(server: &Server, ttl: Option<Duration>) -> IssuedToken {
    let key = PrivateKey::generate(KeyType::EcP256).unwrap();
    let key = WorkloadKey { spki: key.public().spki_der().to_vec(), algorithm: "ES256".to_owned() };
    let order = MintWit { id: SpiffeId::new(&td(), "/w").unwrap(), key, ttl };
    server.authorities.mint_wit(&AdminGrant::unchecked(), order).await.unwrap()
}

fn verified(svid: &IssuedToken, server: &Server, now: SystemTime) -> Result<VerifiedWit, WitError> {
    let mut set = BundleSet::default();
    set.insert(server.bundle());
    Wit::verify(&svid.token, &set, Lifespan::AsIssued, now)
}

fn wit(server: &Server, stage: Stage) -> Option<AuthorityState> {
    server.authorities.states().wit.iter().find(|a| a.stage == stage).cloned()
}

#[tokio::test]
async fn no_wit_key_is_made_unless_wit_svids_are_switched_on() {
    let server = World::new().boot().await;
    assert!(server.bundle().wit_authorities().is_empty() && server.authorities.states().wit.is_empty());
    assert!(matches!(server.authorities.wit(), Err(SignError::WitDisabled)));
}

#[tokio::test]
async fn a_wit_key_is_prepared_activated_and_what_it_signed_holds_after_it_made_way() {
    let world = on();
    let mut server = world.boot().await;
    let first = wit(&server, Stage::Active).unwrap();
    assert_eq!(server.bundle().wit_authority(&first.id).unwrap().public_key.curve(), Some("P-384"));
    let kids: Vec<_> = server.bundle().jwt_authorities().iter().map(|a| a.key_id.clone()).collect();
    assert!(!kids.contains(&first.id), "one key id for JWT-SVIDs and WIT-SVIDs");

    world.hand.forward(13 * HOUR);
    server.keeper.step().await;
    let next = wit(&server, Stage::Prepared).unwrap();
    let svid = mint(&server, None).await;
    assert_eq!(svid.expires_at, svid.issued_at + HOUR);
    assert!(server.bundle().wit_authority(&next.id).is_some(), "published before it signs");

    world.hand.forward(8 * HOUR - Duration::from_secs(60));
    let long = mint(&server, Some(100 * HOUR)).await;
    assert_eq!(long.expires_at, first.expires_at, "no longer than its key");
    world.hand.forward(Duration::from_secs(60));
    server.keeper.step().await;
    assert_eq!(wit(&server, Stage::Active).unwrap().id, next.id);
    assert_eq!(wit(&server, Stage::Old).unwrap().id, first.id);
    let now = world.clock.now();
    assert_eq!(verified(&long, &server, now).unwrap().authority().key_id, first.id);
    let new = mint(&server, None).await;
    assert_eq!(verified(&new, &server, now).unwrap().authority().key_id, next.id);
}

#[tokio::test]
async fn a_restart_goes_on_with_the_same_wit_keys_and_not_with_one_that_the_bundle_lost() {
    let world = on();
    let mut server = world.boot().await;
    world.hand.forward(13 * HOUR);
    server.keeper.step().await;
    let ids = |server: &Server| {
        let states = server.authorities.states();
        states.wit.iter().map(|a| (a.id.clone(), a.stage, a.slot, a.expires_at)).collect::<Vec<_>>()
    };
    let before = ids(&server);
    assert_eq!(before.len(), 2);
    drop(server);
    let server = world.boot().await;
    assert_eq!(ids(&server), before);
    let gone = before[0].0.clone();
    let without = |bundle: &mut Bundle| Ok::<_, BundleError>(bundle.retain_wit(|a| a.key_id != gone));
    amend(&server.registry, &td(), without, Vec::new()).await.unwrap();
    drop(server);
    let server = world.boot().await;
    assert_ne!(wit(&server, Stage::Active).unwrap().id, gone);
    assert!(verified(&mint(&server, None).await, &server, world.clock.now()).is_ok());
}

#[tokio::test]
async fn the_issuer_is_named_where_one_is_set_and_nothing_is_said_that_spire_does_not_say() {
    for issuer in [None, Some("spiffe://example.org".to_owned())] {
        let wit_svids = Some(WitSvids { key_type: KeyType::EcP256, issuer: issuer.clone() });
        let world = World::with(AuthoritySettings { wit_svids, ..Default::default() });
        let server = world.boot().await;
        let proof = verified(&mint(&server, None).await, &server, world.clock.now()).unwrap();
        let claims = proof.wit().claims_json();
        assert_eq!(claims.get("iss").and_then(|iss| iss.as_str()), issuer.as_deref());
        let mut names: Vec<_> = claims.keys().filter(|name| *name != "iss").map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["cnf", "exp", "iat", "sub"]);
    }
}

#[tokio::test]
async fn wit_keys_are_pruned_a_day_after_their_end() {
    let world = on();
    let mut server = world.boot().await;
    let first = wit(&server, Stage::Active).unwrap();
    for _ in 0..52 {
        world.hand.forward(HOUR);
        server.keeper.step().await;
    }
    assert!(server.bundle().wit_authority(&first.id).is_none());
    assert!(server.bundle().wit_authorities().len() >= 2);
}
