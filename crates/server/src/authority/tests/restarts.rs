use model::ports::KeyManager as _;
use model::{Journal, Write};
use prost::Message;
use proto::journal::{Entries, Status, X509caEntry};
use spiffe::bundle::BundleError;

use super::*;

#[tokio::test]
async fn a_restart_with_its_keys_goes_on_with_the_same_authorities() {
    let world = World::new();
    let mut server = world.boot().await;
    world.hand.forward(13 * HOUR);
    server.keeper.step().await;
    let before = server.authorities.states();
    drop(server);
    let made = world.keys.made();
    let server = world.boot().await;
    let ids = |states: &States| {
        let id = |a: &AuthorityState| (a.id.clone(), a.stage, a.slot, a.expires_at);
        states.x509.iter().chain(&states.jwt).map(id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&before), ids(&server.authorities.states()));
    assert_eq!(world.keys.made(), made);
    assert_eq!(server.registry.snapshot().journals().count(), 1);
}

#[tokio::test]
async fn a_restart_without_its_keys_makes_new_authorities_and_leaves_the_old_ones_in_the_bundle() {
    let mut world = World::new();
    let server = world.boot().await;
    let (old, svid) = (server.x509(Stage::Active).unwrap(), server.agent_svid(&world).await);
    drop(server);
    world.keys = Arc::default();
    let server = world.boot().await;
    assert_ne!(server.x509(Stage::Active).unwrap().id, old.id);
    assert_eq!(server.bundle().x509_authorities().len(), 2);
    assert!(believed(&svid, &server.bundle(), world.clock.now()));
    assert_eq!(server.registry.snapshot().journals().count(), 2);
}

#[tokio::test]
async fn an_authority_that_the_bundle_lost_is_not_used_again() {
    let world = World::new();
    let server = world.boot().await;
    let old = server.x509(Stage::Active).unwrap();
    let without = |bundle: &mut Bundle| {
        Ok::<_, BundleError>(bundle.retain_x509(|a| x509::authority_id(&a.certificate) != old.id))
    };
    amend(&server.registry, &td(), without, Vec::new()).await.unwrap();
    drop(server);
    let server = world.boot().await;
    assert_ne!(server.x509(Stage::Active).unwrap().id, old.id);
    assert!(believed(&server.agent_svid(&world).await, &server.bundle(), world.clock.now()));
}

#[tokio::test]
async fn a_restart_late_in_life_activates_the_prepared_one_at_once() {
    let world = World::new();
    let mut server = world.boot().await;
    world.hand.forward(13 * HOUR);
    server.keeper.step().await;
    let prepared = server.x509(Stage::Prepared).unwrap();
    drop(server);
    world.hand.forward(8 * HOUR);
    assert_eq!(world.boot().await.x509(Stage::Active).unwrap().id, prepared.id);
}

#[tokio::test]
async fn an_old_authority_is_known_after_a_stop_that_overwrote_its_key() {
    let world = World::new();
    let mut server = world.boot().await;
    let first = server.x509(Stage::Active).unwrap();
    world.hand.forward(13 * HOUR);
    server.keeper.step().await;
    world.hand.forward(8 * HOUR);
    server.keeper.step().await;
    assert_eq!(server.x509(Stage::Old).unwrap().id, first.id);
    drop(server);
    // A preparation that came as far as its key, in the slot of the old one.
    world.keys.generate("x509-CA-A", KeyType::EcP256).await.unwrap();
    let server = world.boot().await;
    let old = server.x509(Stage::Old).unwrap();
    assert_eq!((old.id, old.slot, old.expires_at), (first.id, Slot::A, first.expires_at));
    assert_eq!(server.x509(Stage::Active).unwrap().slot, Slot::B);
}

#[tokio::test]
async fn servers_that_share_a_database_keep_apart_and_publish_into_one_bundle() {
    let world = World::new();
    let other = World { log: world.log.clone(), ..World::new() };
    let (mut one, mut two) = (world.boot().await, other.boot().await);
    for _ in 0..60 {
        one.keeper.step().await;
        two.keeper.step().await;
        for hand in [&world.hand, &other.hand] {
            hand.forward(HOUR);
        }
    }
    one.registry.catch_up().await.unwrap();
    let bundle = one.bundle();
    for (server, world) in [(&one, &world), (&two, &other)] {
        let active = server.x509(Stage::Active).unwrap().id;
        assert!(bundle.x509_authorities().iter().any(|a| x509::authority_id(&a.certificate) == active));
        assert!(believed(&server.agent_svid(world).await, &bundle, world.clock.now()));
    }
    assert_eq!(one.registry.snapshot().journals().count(), 2);
    let ids =
        |server: &Server| server.authorities.states().x509.iter().map(|a| a.id.clone()).collect::<Vec<_>>();
    drop(two);
    one.keeper.step().await;
    let before = ids(&one);
    drop(one);
    assert_eq!(ids(&world.boot().await), before);
}

#[tokio::test]
async fn a_journal_of_a_server_that_is_gone_goes_two_weeks_after_its_last_authority() {
    let world = World::new();
    let mut server = world.boot().await;
    let end = model::UnixTime::of(world.clock.now() + 24 * HOUR).0;
    let record = X509caEntry { slot_id: "A".into(), not_after: end, ..X509caEntry::default() };
    let data = Entries { x509_c_as: vec![record], ..Entries::default() }.encode_to_vec();
    server.registry.write(Write::PutJournal(Journal { id: "gone".into(), data })).await.unwrap();
    world.hand.forward(24 * HOUR + 14 * 24 * HOUR - HOUR);
    server.keeper.step().await;
    assert_eq!(server.registry.snapshot().journals().count(), 2);
    world.hand.forward(9 * HOUR);
    server.keeper.step().await;
    assert_eq!(server.registry.snapshot().journals().count(), 1);
}

#[tokio::test]
async fn the_journal_remembers_ten_authorities() {
    let world = World::new();
    let mut server = world.boot().await;
    for _ in 0..40 {
        server.keeper.step().await;
        world.hand.forward(8 * HOUR);
    }
    let journal = server.registry.snapshot().journals().next().unwrap().clone();
    let entries = Entries::decode(journal.data.as_slice()).unwrap();
    assert_eq!((entries.x509_c_as.len(), entries.jwt_keys.len()), (10, 10));
    let active = |status: i32| status == i32::from(Status::Active);
    assert_eq!(entries.x509_c_as.iter().filter(|e| active(e.status)).count(), 1);
    assert_eq!(entries.jwt_keys.iter().filter(|e| active(e.status)).count(), 1);
}
