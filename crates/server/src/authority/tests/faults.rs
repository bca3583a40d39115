use super::*;

/// Whatever number of commits a server gets done before it dies, the next one can sign, and what was signed is believed.
#[tokio::test]
async fn a_stop_between_any_two_steps_loses_nothing() {
    for commits in 0..12 {
        let world = World::new();
        world.log.fail_after(commits);
        let mut signed = Vec::new();
        if let Ok(mut server) = world.try_boot().await {
            for _ in 0..30 {
                server.keeper.step().await;
                let now = world.clock.now();
                if server.x509(Stage::Active).is_some_and(|a| a.expires_at > now) {
                    signed.push(server.agent_svid(&world).await);
                }
                world.hand.forward(HOUR);
            }
        }
        world.log.heal();
        let mut server = world.boot().await;
        server.keeper.step().await;
        let (bundle, now) = (server.bundle(), world.clock.now());
        assert!(believed(&server.agent_svid(&world).await, &bundle, now), "after {commits} commits");
        for svid in &signed {
            let then = svid.expires_at() - Duration::from_secs(1);
            assert!(believed(svid, &bundle, then), "after {commits} commits");
        }
        for state in server.authorities.states().x509.iter() {
            let known =
                bundle.x509_authorities().iter().any(|a| x509::authority_id(&a.certificate) == state.id);
            assert!(known, "after {commits} commits: {state:?}");
        }
    }
}

#[tokio::test]
async fn a_prepared_authority_takes_over_while_the_database_is_away_and_is_written_down_later() {
    let world = World::new();
    let mut server = world.boot().await;
    world.hand.forward(13 * HOUR);
    server.keeper.step().await;
    let prepared = server.x509(Stage::Prepared).unwrap();
    world.hand.forward(8 * HOUR);
    world.log.fail_after(0);
    server.keeper.step().await;
    assert_eq!(server.x509(Stage::Active).unwrap().id, prepared.id);
    world.log.heal();
    server.keeper.step().await;
    drop(server);
    assert_eq!(world.boot().await.x509(Stage::Active).unwrap().id, prepared.id);
}

#[tokio::test]
async fn a_successor_that_cannot_be_published_is_tried_again_and_counted() {
    let world = World::new();
    let mut server = world.boot().await;
    world.hand.forward(13 * HOUR);
    world.log.fail_after(0);
    let due = server.keeper.step().await;
    assert!(due <= world.clock.now() + Duration::from_secs(10));
    assert_eq!((server.x509(Stage::Prepared), server.authorities.failed_rotations()), (None, 2));
    assert!(believed(&server.agent_svid(&world).await, &server.bundle(), world.clock.now()));
    world.log.heal();
    world.wait_until(due);
    server.keeper.step().await;
    assert!(server.x509(Stage::Prepared).is_some());
    assert_eq!(server.authorities.failed_rotations(), 0);
}

#[tokio::test]
async fn a_start_without_a_database_fails_and_says_why() {
    let world = World::new();
    world.log.fail_after(0);
    let error = world.try_boot().await.err().unwrap().to_string();
    assert!(error.contains("the test took the database away"), "{error}");
}

#[tokio::test]
async fn a_tainted_authority_costs_the_server_its_svid_once_another_signs() {
    let world = World::new();
    let mut server = world.boot().await;
    let first = server.x509(Stage::Active).unwrap();
    // An SVID that outlives the hand-over of its authority.
    world.hand.forward(20 * HOUR - Duration::from_secs(60));
    server.keeper.step().await;
    world.hand.forward(Duration::from_secs(120));
    server.keeper.step().await;
    assert_eq!(server.x509(Stage::Old).unwrap().id, first.id);
    let serial =
        |server: &Server| server.authorities.server_identity().get().unwrap().svid().leaf().serial_decimal();
    let before = serial(&server);
    server.keeper.step().await;
    assert_eq!(serial(&server), before);
    let taint = |bundle: &mut Bundle| {
        let mut own = bundle.x509_authorities().to_vec();
        own.retain(|a| x509::authority_id(&a.certificate) == first.id);
        own.into_iter().try_fold(false, |_, mut a| {
            a.tainted = true;
            bundle.push_x509(a)
        })
    };
    amend(&server.registry, &td(), taint, Vec::new()).await.unwrap();
    server.keeper.step().await;
    assert_ne!(serial(&server), before);
}
